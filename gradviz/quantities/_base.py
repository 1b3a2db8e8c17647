"""What a quantity is: one reduction of an array of the network to a number per time step and example."""

from abc import ABC, abstractmethod
from typing import ClassVar

from gradviz.arrays import Array


class Quantity(ABC):
    """Base of all quantities. The recorder applies it to every hook point that one of `points` matches.

    points: patterns of the last parts of a point's name ("hidden", "cell", "gate.*"); gradient: whether it reads the
    gradient of the loss with respect to the array rather than the array.
    """

    points: ClassVar[tuple[str, ...]]
    gradient: ClassVar[bool] = False
    meaning: ClassVar[str]

    @abstractmethod
    def reduce(self, values: Array) -> Array:
        """(time, batch, unit) to (time, batch). Must not write into `values`."""

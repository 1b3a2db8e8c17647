"""What a quantity is: one reduction of an array of the network to a number per time step and example."""

from abc import ABC, abstractmethod
from typing import ClassVar

from gradviz.arrays import Array
from gradviz.quantities._observed import Observed


class Quantity(ABC):
    """Base of all quantities. The recorder applies it to every hook point that one of `points` matches.

    points: patterns of the last parts of a point's name ("hidden", "cell", "gate.*"); gradient: whether it reads the
    gradient of the loss with respect to the array rather than the array.
    """

    points: ClassVar[tuple[str, ...]]
    gradient: ClassVar[bool] = False
    meaning: ClassVar[str]

    @abstractmethod
    def reduce(self, array: Observed) -> Array:
        """From `array.values` (time, batch, unit), which must not be written to, to (time, batch)."""

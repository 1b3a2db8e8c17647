"""What a property is: something that is true or false of every place in a text, or a number."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from typing import ClassVar

import numpy as np

from gradviz.arrays import Array


class Property(ABC):
    """Base of all properties. what: in words, to follow "a unit that answers to"."""

    what: ClassVar[str]

    @abstractmethod
    def of(self, tokens: Sequence[str]) -> Array:
        """(n,) bool or float, what holds after each token has been read; of the text up to there alone, as the network knows no more.

        tokens: (n,) as they stand in the text; the end of a sentence is the empty string. A number that means nothing here is NaN.
        """


def told(tokens: Sequence[str], holds: Callable[[str], bool]) -> Array:
    """What each token says of itself."""
    return np.fromiter(map(holds, tokens), bool, len(tokens))


def counted(numbers: Iterable[float], tokens: Sequence[str]) -> Array:
    """A number for each token."""
    return np.fromiter(numbers, np.float64, len(tokens))

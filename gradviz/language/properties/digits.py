from collections.abc import Sequence

from gradviz.arrays import Array
from gradviz.language.properties._base import Property, told


class Digits(Property):
    """The token is a digit, or a word that ends in one, as a number does."""

    what = "digits"

    def of(self, tokens: Sequence[str]) -> Array:
        return told(tokens, lambda token: token[-1:].isdigit())

from collections.abc import Sequence

from gradviz.arrays import Array
from gradviz.language.properties._base import Property, told


class InsideWord(Property):
    """The token is a letter or a word, and no space, digit or sign."""

    what = "letters, as against spaces and signs"

    def of(self, tokens: Sequence[str]) -> Array:
        return told(tokens, lambda token: token[-1:].isalpha())

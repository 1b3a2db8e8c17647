from collections.abc import Sequence

from gradviz.arrays import Array
from gradviz.language.properties._base import Property, told


class Capitals(Property):
    """The token is a capital letter, or a word that begins with one."""

    what = "capital letters"

    def of(self, tokens: Sequence[str]) -> Array:
        return told(tokens, lambda token: token[:1].isupper())

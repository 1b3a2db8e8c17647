from collections.abc import Iterator, Sequence

import numpy as np

from gradviz.arrays import Array
from gradviz.language.properties._base import Property, counted


class PositionInWord(Property):
    """How many letters of a word have been read; 0 behind it. Where a token is a whole word, it means nothing."""

    what = "the position in the word"

    def of(self, tokens: Sequence[str]) -> Array:
        if any(len(token) > 1 for token in tokens):
            return np.full(len(tokens), np.nan)
        return counted(_positions(tokens), tokens)


def _positions(tokens: Sequence[str]) -> Iterator[float]:
    position = 0
    for token in tokens:
        position = position + 1 if token.isalpha() else 0
        yield position

from collections.abc import Iterator, Sequence

import numpy as np

from gradviz.arrays import Array
from gradviz.language.properties._base import Property, counted


class PositionInLine(Property):
    """How many tokens stand on the line so far, 0 after its break. Where words have no lines, in the sentence; of a text without any
    break it means nothing."""

    what = "the position in the line"

    def of(self, tokens: Sequence[str]) -> Array:
        if not any(map(_breaks, tokens)):
            return np.full(len(tokens), np.nan)
        return counted(_positions(tokens), tokens)


def _breaks(token: str) -> bool:
    return token == "" or token.endswith("\n")


def _positions(tokens: Sequence[str]) -> Iterator[float]:
    position = 0
    for token in tokens:
        position = 0 if _breaks(token) else position + 1
        yield position

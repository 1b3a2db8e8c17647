from collections.abc import Sequence

import numpy as np

from gradviz.arrays import Array
from gradviz.language.properties._base import Property

CLOSING = {"(": ")", "[": "]", "{": "}"}


class InsideBrackets(Property):
    """From a bracket that opens to the token before the one that closes the outermost. A bracket that does not fit is passed over."""

    what = "brackets"

    def of(self, tokens: Sequence[str]) -> Array:
        inside, open_ones = np.zeros(len(tokens), bool), []
        for place, token in enumerate(tokens):
            for letter in token:
                if letter in CLOSING:
                    open_ones.append(CLOSING[letter])
                elif open_ones and letter == open_ones[-1]:
                    open_ones.pop()
            inside[place] = bool(open_ones)
        return inside

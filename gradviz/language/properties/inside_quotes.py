from collections.abc import Sequence

import numpy as np

from gradviz.arrays import Array
from gradviz.language.properties._base import Property

CLOSING = {'"': '"', "“": "”", "„": "“”", "«": "»", "»": "«"}


class InsideQuotes(Property):
    """From the mark that opens a quotation to the token before the one that closes it. Of double quotation marks: single ones are
    apostrophes too. A blank line ends a quotation that nobody closed."""

    what = "quotations"

    def of(self, tokens: Sequence[str]) -> Array:
        inside, opened, before = np.zeros(len(tokens), bool), "", ""
        for place, token in enumerate(tokens):
            for letter in token:
                if opened:
                    opened = "" if letter in CLOSING[opened] or letter == before == "\n" else opened
                elif letter in CLOSING:
                    opened = letter
                before = letter
            inside[place] = bool(opened)
        return inside

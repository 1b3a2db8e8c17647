from collections.abc import Sequence

import numpy as np

from gradviz.arrays import Array
from gradviz.language.properties._base import Property

ENDING = ".!?…"


class AfterFullStop(Property):
    """A sentence has ended and the next has not begun: from . ! ? or … (or the token EOS) to the token before the next letter or digit."""

    what = "the gap after a sentence"

    def of(self, tokens: Sequence[str]) -> Array:
        after, ended = np.zeros(len(tokens), bool), False
        for place, token in enumerate(tokens):
            if not token or token[-1] in ENDING:
                ended = True
            elif any(map(str.isalnum, token)):
                ended = False
            after[place] = ended
        return after

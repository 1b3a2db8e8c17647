"""How the next token is chosen among those that a model thinks possible."""

from dataclasses import dataclass

import numpy as np

from gradviz.arrays import Array
from gradviz.errors import GradvizError
from gradviz.options import check, option

ROUNDING = 1e-12  # a sum of probabilities that reaches a limit but for this has reached it


@dataclass(frozen=True)
class Choice:
    """Rules for drawing a token. They act one after the other: UNK is left out, the temperature sharpens or flattens what is left, then
    top-k and then top-p leave out the unlikely, each looking at probabilities that sum to one over what the rule before has left.

    avoid_unknown: UNK stands for whatever is not in the vocabulary, and nobody can read it; so it is not written.
    """

    temperature: float = option(
        1.0, "below 1 keeps to what is likely, above 1 dares more; 0 always takes the likeliest token", low=0.0, high=1e6
    )
    top_k: int = option(0, "only the so many likeliest tokens; 0 all", low=0)
    top_p: float = option(1.0, "only the likeliest tokens that together have this probability (Holtzman et al. 2020)", low=0.0, high=1.0)
    avoid_unknown: bool = option(True, "never write the token that stands for unknown ones")

    def __post_init__(self) -> None:
        check(self)
        if self.top_p == 0:
            raise GradvizError("Choice.top_p is 0; it must be above 0: then the likeliest token is always among the kept ones.")

    def probabilities(self, logs: Array, unk: int | None = None) -> Array:
        """(token,) the probabilities to draw with, which sum to one. logs: (token,) the model's own, in nats; unk: id of UNK.

        Of equally likely tokens at a limit the one with the lower id is kept; at temperature 0 it is the one taken.
        """
        logs = np.array(logs, np.float64)
        if self.avoid_unknown and unk is not None:
            logs[unk] = -np.inf
        if not np.isfinite(logs.max()):
            raise GradvizError(
                "no token has a probability above 0 that is a number: this network's outputs are not finite, or it knows UNK only."
            )
        if self.temperature == 0:
            return np.asarray(np.arange(len(logs)) == logs.argmax(), np.float64)
        with np.errstate(over="ignore", under="ignore"):
            chances = np.exp((logs - logs.max()) / self.temperature)  # at most 1, so that no temperature overflows
        return self._nucleus(self._best(chances / chances.sum()))

    def _best(self, chances: Array) -> Array:
        """Top-k."""
        return _kept(chances, self.top_k) if self.top_k else chances

    def _nucleus(self, chances: Array) -> Array:
        """Top-p: the smallest set whose probability is at least p."""
        if self.top_p == 1:
            return chances
        sums = np.cumsum(np.sort(chances)[::-1])
        return _kept(chances, int(np.argmax(sums >= self.top_p - ROUNDING)) + 1)


def _kept(chances: Array, count: int) -> Array:
    """The `count` likeliest alone."""
    kept = np.zeros_like(chances)
    best = np.argsort(-chances, kind="stable")[:count]
    kept[best] = chances[best]
    return np.asarray(kept / kept.sum())

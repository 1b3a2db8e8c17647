"""AutoClip (Seetharaman et al. 2020): clipping by global norm at a percentile of all norms so far."""

from bisect import insort
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from gradviz.arrays import Parameters
from gradviz.clipping._base import Clipping, State
from gradviz.clipping._shorten import shorten
from gradviz.options import check, option


@dataclass(frozen=True)
class Percentile(Clipping):
    """g becomes g·(c / ‖g‖) if ‖g‖ > c, the p-th percentile of all norms up to and including this one, interpolated linearly.

    A norm that is not finite leaves the gradient alone and is not remembered: it would lift the threshold for good.
    """

    dial: ClassVar = "percent"

    percent: float = option(10.0, "percentile of the norms that is the limit; 100 never clips", low=0.0, high=100.0)

    def __post_init__(self) -> None:
        check(self)

    def start(self) -> State:
        return {"norms": []}  # in order of size: the percentile is read off, however long the run

    def threshold(self, state: State) -> float:
        norms = state["norms"]
        if not norms:
            return float("nan")
        place = self.percent / 100 * (len(norms) - 1)
        low, share = int(place), place % 1
        return float(norms[low] if not share else norms[low] + share * (norms[low + 1] - norms[low]))

    def rule(self, gradients: Parameters, parameters: Parameters, norm: float, state: State) -> Parameters:
        if not norm < np.inf:
            return gradients
        insort(state["norms"], norm)
        limit = self.threshold(state)
        if not norm > limit:
            return gradients
        return {name: shorten(gradient, limit, norm) for name, gradient in gradients.items()}

"""Up in a straight line, then down with the root of the updates done (Vaswani et al. 2017, section 5.3, scaled to a peak of 1)."""

import math
from dataclasses import dataclass

from gradviz.options import check, option
from gradviz.rates._base import Rate


@dataclass(frozen=True)
class InverseSqrt(Rate):
    """min(n/warmup, √(warmup/n)) in the n-th update, n counted from 1: it needs no planned end."""

    warmup: int = option(100, "the update with the full rate", low=1)

    def __post_init__(self) -> None:
        check(self)

    def factor(self, update: int, total: int) -> float:
        count = update + 1
        return min(count / self.warmup, math.sqrt(self.warmup / count))

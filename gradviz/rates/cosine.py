"""Half a cosine from the full rate to its end (Loshchilov and Hutter 2017, without restarts). Agrees with torch's CosineAnnealingLR,
after a LinearLR if there is a warmup."""

import math
from dataclasses import dataclass

from gradviz.options import check, option
from gradviz.rates._base import Rate
from gradviz.rates._ramp import START, ramp


@dataclass(frozen=True)
class Cosine(Rate):
    """end + (1 - end) · (1 + cos(π·s))/2, where s is the share of the updates after the warmup that are done."""

    warmup: int = option(0, "updates until the full rate is reached", low=0)
    start: float = option(START, "share of the rate in the first update of the warmup", low=0.0, high=1.0)
    end: float = option(0.0, "share of the rate that is left at the end", low=0.0, high=1.0)

    def __post_init__(self) -> None:
        check(self)

    def factor(self, update: int, total: int) -> float:
        if update < self.warmup:
            return ramp(update, self.warmup, self.start)
        share = min((update - self.warmup) / max(total - self.warmup, 1), 1.0)
        return self.end + (1 - self.end) * (1 + math.cos(math.pi * share)) / 2

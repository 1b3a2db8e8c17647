"""A slow beginning: while Adam's moments rest on few gradients, steps are kept short. Agrees with torch's LinearLR."""

from dataclasses import dataclass

from gradviz.options import check, option
from gradviz.rates._base import Rate
from gradviz.rates._ramp import START, ramp


@dataclass(frozen=True)
class Warmup(Rate):
    """start + (1 - start) · t/warmup in update t, and 1 from update `warmup` on."""

    warmup: int = option(100, "updates until the full rate is reached", low=0)
    start: float = option(START, "share of the rate in the first update", low=0.0, high=1.0)

    def __post_init__(self) -> None:
        check(self)

    def factor(self, update: int, total: int) -> float:
        return ramp(update, self.warmup, self.start)

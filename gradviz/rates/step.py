"""Stairs: the rate is multiplied by a factor every so many updates. Agrees with torch's StepLR."""

from dataclasses import dataclass

from gradviz.options import check, option
from gradviz.rates._base import Rate


@dataclass(frozen=True)
class Step(Rate):
    """decay^⌊t/every⌋ in update t."""

    decay: float = option(0.5, "factor at each stair", low=0.0, high=1.0)
    every: int = option(100, "updates from one stair to the next", low=1)

    def __post_init__(self) -> None:
        check(self)

    def factor(self, update: int, total: int) -> float:
        return float(self.decay ** (update // self.every))

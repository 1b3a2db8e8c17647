"""The same factor in every update. Agrees with torch's ExponentialLR."""

from dataclasses import dataclass

from gradviz.options import check, option
from gradviz.rates._base import Rate


@dataclass(frozen=True)
class Exponential(Rate):
    """decayᵗ in update t: 0.999 leaves a third after 1 100 updates."""

    decay: float = option(0.999, "factor from one update to the next", low=0.0, high=1.0)

    def __post_init__(self) -> None:
        check(self)

    def factor(self, update: int, total: int) -> float:
        return float(self.decay**update)

"""The optimizer's rate from beginning to end."""

from dataclasses import dataclass

from gradviz.rates._base import Rate


@dataclass(frozen=True)
class Constant(Rate):
    """1 throughout."""

    def factor(self, update: int, total: int) -> float:
        return 1.0

"""Learning-rate schedules, one a file."""

from gradviz.rates._base import Rate
from gradviz.registry import Registry

RATES: Registry[Rate] = Registry(__name__, Rate, "learning-rate schedule")  # type: ignore[type-abstract]

__all__ = ["RATES", "Rate"]

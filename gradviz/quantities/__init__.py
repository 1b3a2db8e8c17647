"""Quantities, one reduction a file."""

from gradviz.quantities._base import Quantity
from gradviz.quantities._observed import Observed
from gradviz.registry import Registry

QUANTITIES: Registry[Quantity] = Registry(__name__, Quantity, "quantity")  # type: ignore[type-abstract]

__all__ = ["QUANTITIES", "Observed", "Quantity"]

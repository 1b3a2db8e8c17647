"""Optimizers, one a file."""

from gradviz.optimizers._base import Optimizer
from gradviz.registry import Registry

OPTIMIZERS: Registry[Optimizer] = Registry(__name__, Optimizer, "optimizer")  # type: ignore[type-abstract]

__all__ = ["OPTIMIZERS", "Optimizer"]

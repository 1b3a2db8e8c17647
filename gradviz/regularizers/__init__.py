"""Regularizers of the backward flow, one a file."""

from gradviz.registry import Registry
from gradviz.regularizers._base import Regularizer

REGULARIZERS: Registry[Regularizer] = Registry(__name__, Regularizer, "regularizer")  # type: ignore[type-abstract]

__all__ = ["REGULARIZERS", "Regularizer"]

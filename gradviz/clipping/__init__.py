"""Clipping rules, one a file."""

from gradviz.clipping._base import Clipped, Clipping
from gradviz.registry import Registry

CLIPPING: Registry[Clipping] = Registry(__name__, Clipping, "clipping rule")  # type: ignore[type-abstract]

__all__ = ["CLIPPING", "Clipped", "Clipping"]

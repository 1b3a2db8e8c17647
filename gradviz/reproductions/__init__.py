"""Published results, done again: one a file."""

from gradviz.registry import Registry
from gradviz.reproductions._base import Outcome, Reproduction, Setting, Statement

REPRODUCTIONS: Registry[Reproduction] = Registry(__name__, Reproduction, "reproduction")  # type: ignore[type-abstract]

__all__ = ["REPRODUCTIONS", "Outcome", "Reproduction", "Setting", "Statement"]

"""Cells, one a file: equations in the docstring, a step forward and backward on one screen."""

from gradviz.cells._base import Cell, Sequence, Step, Weights
from gradviz.registry import Registry

CELLS: Registry[Cell] = Registry(__name__, Cell, "cell")  # type: ignore[type-abstract]

__all__ = ["CELLS", "Cell", "Sequence", "Step", "Weights"]

"""What goes into an event file, one number or one set of numbers at a training step."""

import re
from dataclasses import dataclass
from typing import Any

from gradviz.arrays import Array


@dataclass(frozen=True)
class Scalar:
    """wide: it may be smaller or larger than single precision can say, so that its logarithm is written too."""

    tag: str
    step: int
    value: float
    wide: bool = False


@dataclass(frozen=True)
class Histogram:
    """values: (count,), finite."""

    tag: str
    step: int
    values: Array


def place(row: Any) -> str:
    """layers.0.forward.gate.forget: as hook points are named."""
    return f"layers.{row.layer}.{row.direction}.{row.point}"


def plain(tag: str) -> str:
    """A tag of the characters that every version of TensorBoard takes."""
    return re.sub(r"[^-/\w.]", "_", tag)

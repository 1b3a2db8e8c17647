"""Clipping by value (Mikolov 2012; each entry for itself): bounds every entry and so turns the gradient."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from gradviz.arrays import Array, Parameters
from gradviz.clipping._base import Clipping, State
from gradviz.options import check, option


@dataclass(frozen=True)
class Value(Clipping):
    """Every entry is brought into [-c, c]. Infinity becomes ±c; NaN stays NaN."""

    dial: ClassVar = "limit"

    limit: float = option(1.0, "largest magnitude of an entry that is left alone", low=0.0)

    def __post_init__(self) -> None:
        check(self)

    def rule(self, gradients: Parameters, parameters: Parameters, norm: float, state: State) -> Parameters:
        if not any(largest(gradient) > self.limit for gradient in gradients.values()):
            return gradients
        return {name: self._clip(gradient) for name, gradient in gradients.items()}

    def _clip(self, gradient: Array) -> Array:
        limit = min(self.limit, float(np.finfo(gradient.dtype).max))
        return gradient.clip(-limit, limit)


def largest(gradient: Array) -> float:
    """Largest magnitude of an entry that is a number; 0 if there is none."""
    return float(np.fmax.reduce(np.abs(gradient), axis=None, initial=0.0))

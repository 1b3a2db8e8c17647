"""Adaptive gradient clipping, AGC (Brock et al. 2021, eq. 3): each unit's gradient is measured against that unit's weights."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from gradviz import arrays
from gradviz.arrays import Array, Parameters
from gradviz.clipping._base import Clipping, State
from gradviz.clipping._shorten import shorten
from gradviz.options import check, option


@dataclass(frozen=True)
class Adaptive(Clipping):
    """For each unit i: G_i becomes G_i·(λ·max(‖W_i‖, ε) / ‖G_i‖) if ‖G_i‖ > λ·max(‖W_i‖, ε). The readout is exempt, as in the paper.

    A unit is all weights that lead into one output: of a matrix (…, input, output) a column; of a bias all of it, gate by gate.
    A unit whose gradient or weights have no finite norm is left alone.
    """

    dial: ClassVar = "share"

    share: float = option(0.01, "λ: longest gradient of a unit that is left alone, as a share of its weights' norm", low=0.0)
    eps: float = option(1e-3, "ε: norm that weights are at least taken to have, so that a unit at zero can leave it", low=0.0)

    def __post_init__(self) -> None:
        check(self)

    def rule(self, gradients: Parameters, parameters: Parameters, norm: float, state: State) -> Parameters:
        clipped = {
            name: gradient if name.startswith("readout.") else self._clip(gradient, parameters[name], unit_axis(name, gradient))
            for name, gradient in gradients.items()
        }
        return clipped if any(clipped[name] is not gradients[name] for name in gradients) else gradients

    def _clip(self, gradient: Array, weights: Array, axis: int) -> Array:
        """The very same array if no unit's gradient is too long."""
        norms = np.expand_dims(arrays.norm(gradient, axis), axis)
        limits = self.share * np.maximum(np.expand_dims(arrays.norm(weights, axis), axis), self.eps)
        long = (norms > limits) & (norms < np.inf)
        if not long.any():
            return gradient
        shortened = shorten(gradient, np.where(long, limits, 1.0), np.where(long, norms, 1.0))
        return np.where(long, shortened, gradient)


def unit_axis(name: str, array: Array) -> int:
    """The axis along which the weights of one unit lie: -2 of a matrix (…, input, output), -1 of a bias (unit,) or (gate, unit)."""
    return -1 if array.ndim == 1 or name.rsplit(".", 1)[-1].startswith("bias") else -2

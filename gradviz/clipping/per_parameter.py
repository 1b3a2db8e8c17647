"""Clipping by the norm of each parameter: one long array does not shorten the others, but the gradient turns."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from gradviz import arrays
from gradviz.arrays import Parameters
from gradviz.clipping._base import Clipping, State
from gradviz.clipping._shorten import shorten
from gradviz.options import check, option


@dataclass(frozen=True)
class PerParameter(Clipping):
    """For each parameter array p: g_p becomes g_p·(c / ‖g_p‖) if ‖g_p‖ > c. An array whose norm is not finite is left alone."""

    dial: ClassVar = "limit"

    limit: float = option(1.0, "largest norm of one parameter's gradient that is left alone", low=0.0)

    def __post_init__(self) -> None:
        check(self)

    def rule(self, gradients: Parameters, parameters: Parameters, norm: float, state: State) -> Parameters:
        norms = {name: float(arrays.norm(gradient)) for name, gradient in gradients.items()}
        long = {name for name in gradients if self.limit < norms[name] < np.inf}
        if not long:
            return gradients
        return {name: shorten(array, self.limit, norms[name]) if name in long else array for name, array in gradients.items()}

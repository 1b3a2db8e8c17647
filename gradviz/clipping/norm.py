"""Clipping by global norm (Pascanu, Mikolov and Bengio 2013, algorithm 1): shortens a long gradient and keeps its direction."""

from dataclasses import dataclass

import numpy as np

from gradviz.arrays import Parameters
from gradviz.clipping._base import Clipping, State
from gradviz.clipping._shorten import shorten
from gradviz.options import check, option


@dataclass(frozen=True)
class Norm(Clipping):
    """g becomes g·(c / ‖g‖) if ‖g‖ > c, where ‖g‖ is the norm of all gradients laid end to end.

    A norm that is not finite leaves the gradient alone: it has no direction to keep.
    """

    limit: float = option(1.0, "largest global norm that is left alone", low=0.0)

    def __post_init__(self) -> None:
        check(self)

    def threshold(self, state: State) -> float:
        return self.limit

    def rule(self, gradients: Parameters, parameters: Parameters, norm: float, state: State) -> Parameters:
        if not self.limit < norm < np.inf:
            return gradients
        return {name: shorten(gradient, self.limit, norm) for name, gradient in gradients.items()}

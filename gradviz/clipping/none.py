"""No clipping: gradients as they come."""

from dataclasses import dataclass

from gradviz.arrays import Parameters
from gradviz.clipping._base import Clipping, State


@dataclass(frozen=True)
class NoClipping(Clipping):
    """Never acts."""

    def rule(self, gradients: Parameters, parameters: Parameters, norm: float, state: State) -> Parameters:
        return gradients

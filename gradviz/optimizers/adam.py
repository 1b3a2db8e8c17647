"""Adam (Kingma and Ba 2015, algorithm 1; AMSGrad as in Reddi et al. 2018). Agrees with torch.optim.Adam."""

from dataclasses import dataclass

from gradviz.arrays import Array
from gradviz.optimizers._decay import penalized
from gradviz.optimizers._moments import Moments
from gradviz.options import option


@dataclass(frozen=True)
class Adam(Moments):
    """g ← g + weight_decay·p, then the step of `_moments.py`: the decay is divided by the root mean square like the rest of g."""

    weight_decay: float = option(0.0, "factor of the weights added to their gradient", low=0.0)

    @property
    def penalizes(self) -> bool:
        return self.weight_decay > 0

    def decay(self, array: Array, gradient: Array, rate: float) -> Array:
        return penalized(gradient, array, self.weight_decay)

"""AdamW (Loshchilov and Hutter 2019, algorithm 2): Adam with decoupled weight decay. Agrees with torch.optim.AdamW."""

from dataclasses import dataclass

from gradviz.arrays import Array
from gradviz.optimizers._moments import Moments
from gradviz.options import option


@dataclass(frozen=True)
class AdamW(Moments):
    """p ← p - rate·weight_decay·p, then the step of `_moments.py`: the moments never see the decay.

    As in PyTorch the rate multiplies the decay too; the paper's λ stands for both.
    """

    weight_decay: float = option(0.01, "share of the weights taken off at each step, times the learning rate", low=0.0)

    def decay(self, array: Array, gradient: Array, rate: float) -> Array:
        array *= 1 - rate * self.weight_decay
        return gradient

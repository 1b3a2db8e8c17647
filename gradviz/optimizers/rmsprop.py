"""RMSprop (Tieleman and Hinton 2012; centered as in Graves 2013). Agrees with torch.optim.RMSprop."""

from dataclasses import dataclass

import numpy as np

from gradviz.arrays import Array, Parameters
from gradviz.optimizers._base import Optimizer, State
from gradviz.optimizers._decay import penalized
from gradviz.options import check, option


@dataclass(frozen=True)
class RMSprop(Optimizer):
    """g ← g + weight_decay·p;  s ← α·s + (1-α)·g²;  d = g / (√s + eps);  p ← p - rate·d, with momentum v ← momentum·v + d;
    p ← p - rate·v.

    Centered: √(s - m²) instead of √s, where m ← α·m + (1-α)·g.
    """

    rate: float = option(0.01, "learning rate", low=0.0)
    alpha: float = option(0.99, "share of the old mean square kept at each step", low=0.0, high=1.0)
    eps: float = option(1e-8, "added to the root mean square, so that nothing is divided by zero", low=1e-16)
    momentum: float = option(0.0, "share of the last step kept in the next", low=0.0, high=1.0)
    centered: bool = option(False, "divide by the standard deviation instead of the root mean square")
    weight_decay: float = option(0.0, "factor of the weights added to their gradient", low=0.0)

    def __post_init__(self) -> None:
        check(self)

    def start(self, parameters: Parameters) -> State:
        kinds = ["square"] + ["momentum"] * (self.momentum > 0) + ["mean"] * self.centered
        return {kind: {name: np.zeros_like(array) for name, array in parameters.items()} for kind in kinds}

    @np.errstate(over="ignore", invalid="ignore")  # squares overflow above 1e20 in float32: that weight then stands still, as in PyTorch
    def step(self, parameters: Parameters, gradients: Parameters, state: State, rate: float) -> None:
        for name, array in parameters.items():
            direction = self._direction(name, penalized(gradients[name], array, self.weight_decay), state)
            if self.momentum:
                velocity = state["momentum"][name]
                velocity *= self.momentum
                velocity += direction
                direction = velocity
            array -= rate * direction

    def _direction(self, name: str, gradient: Array, state: State) -> Array:
        square, work = state["square"][name], gradient * (1 - self.alpha)
        work *= gradient  # the factor first: what overflows here overflows in PyTorch
        square *= self.alpha
        square += work
        np.sqrt(square, out=work)
        if self.centered:
            mean = state["mean"][name]
            mean *= self.alpha
            mean += (1 - self.alpha) * gradient
            work = np.sqrt(variance(work, np.abs(mean)))
        work += self.eps
        np.divide(gradient, work, out=work)
        return work


def variance(root: Array, mean: Array) -> Array:
    """root² - mean² as a product, which overflows only where the square has; rounding may make a variance of 0 negative."""
    return np.asarray(np.maximum((root - mean) * (root + mean), 0))

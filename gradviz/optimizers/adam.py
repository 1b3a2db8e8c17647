"""Adam (Kingma and Ba 2015, algorithm 1). Agrees with torch.optim.Adam."""

from dataclasses import dataclass

import numpy as np

from gradviz.arrays import Parameters
from gradviz.optimizers._base import Optimizer, State
from gradviz.options import check, option


@dataclass(frozen=True)
class Adam(Optimizer):
    """m ← β1·m + (1-β1)·g;  v ← β2·v + (1-β2)·g²;  p ← p - rate · m/(1-β1ᵗ) / (√(v/(1-β2ᵗ)) + eps) at the t-th step."""

    rate: float = option(0.01, "learning rate", low=0.0)
    beta1: float = option(0.9, "share of the old mean gradient kept at each step", low=0.0, high=0.999999)
    beta2: float = option(0.999, "share of the old mean square kept at each step", low=0.0, high=0.999999)
    eps: float = option(1e-8, "added to the root mean square, so that nothing is divided by zero", low=1e-16)

    def __post_init__(self) -> None:
        check(self)

    def start(self, parameters: Parameters) -> State:
        moments = {kind: {name: np.zeros_like(array) for name, array in parameters.items()} for kind in ("mean", "square")}
        return {**moments, "count": {"steps": np.array(0)}}

    @np.errstate(over="ignore", invalid="ignore")  # squares overflow above 1e19 in float32: that weight then stands still, as in PyTorch
    def step(self, parameters: Parameters, gradients: Parameters, state: State, rate: float) -> None:
        state["count"]["steps"][...] += 1
        steps = int(state["count"]["steps"])
        length, root = rate / (1 - self.beta1**steps), float(np.sqrt(1 - self.beta2**steps))
        for name, array in parameters.items():
            gradient, mean, square = gradients[name], state["mean"][name], state["square"][name]
            work = gradient * (1 - self.beta1)
            mean *= self.beta1
            mean += work
            np.multiply(gradient, gradient, out=work)
            work *= 1 - self.beta2
            square *= self.beta2
            square += work
            np.sqrt(square, out=work)
            work /= root
            work += self.eps
            np.divide(mean, work, out=work)
            work *= length
            array -= work

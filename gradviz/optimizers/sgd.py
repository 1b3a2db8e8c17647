"""Stochastic gradient descent, with momentum (Polyak 1964; Nesterov as in Sutskever et al. 2013). Agrees with torch.optim.SGD."""

from dataclasses import dataclass

import numpy as np

from gradviz.arrays import Parameters, Rows
from gradviz.errors import GradvizError
from gradviz.optimizers._base import Optimizer, State
from gradviz.optimizers._decay import penalized
from gradviz.options import check, option


@dataclass(frozen=True)
class SGD(Optimizer):
    """g ← g + weight_decay·p;  v ← momentum·v + (1-dampening)·g;  p ← p - rate·v, with Nesterov p ← p - rate·(g + momentum·v).

    As in PyTorch the first step is not dampened: v ← g.
    """

    rate: float = option(0.1, "learning rate", low=0.0)
    momentum: float = option(0.0, "share of the last step kept in the next", low=0.0, high=1.0)
    nesterov: bool = option(False, "look ahead along the momentum")
    weight_decay: float = option(0.0, "factor of the weights added to their gradient", low=0.0)
    dampening: float = option(0.0, "share of the gradient kept out of the momentum after the first step", low=0.0, high=1.0)

    def __post_init__(self) -> None:
        check(self)
        if self.nesterov and not self.momentum:
            raise GradvizError("SGD.nesterov needs a momentum above 0; set momentum, for example 0.9.")
        if self.nesterov and self.dampening:
            raise GradvizError("SGD.nesterov does not go with dampening; set one of them.")

    def start(self, parameters: Parameters) -> State:
        if not self.momentum:
            return {}
        count = {"count": {"steps": np.array(0)}} if self.dampening else {}
        return {"momentum": {name: np.zeros_like(array) for name, array in parameters.items()}, **count}

    @np.errstate(over="ignore", invalid="ignore")  # a gradient that is not finite makes weights that are not: a finding, not a crash
    def step(self, parameters: Parameters, gradients: Parameters, state: State, rate: float) -> None:
        share = self._share(state)
        for name, array in parameters.items():
            gradient = penalized(gradients[name], array, self.weight_decay)
            if self.momentum:
                velocity = state["momentum"][name]
                velocity *= self.momentum
                velocity += share * gradient
                gradient = gradient + self.momentum * velocity if self.nesterov else velocity
            array -= rate * gradient

    def step_rows(self, parameters: Parameters, gradients: Parameters, state: State, rate: float, rows: Rows) -> None:
        if self.momentum or self.weight_decay:  # all rows move
            super().step_rows(parameters, gradients, state, rate, rows)
            return
        with np.errstate(over="ignore", invalid="ignore"):
            for name, array in parameters.items():
                array[rows.get(name, slice(None))] -= rate * gradients[name]

    def _share(self, state: State) -> float:
        """How much of this step's gradient enters the momentum."""
        if "count" not in state:
            return 1.0
        state["count"]["steps"][...] += 1
        return 1 - self.dampening if state["count"]["steps"] > 1 else 1.0

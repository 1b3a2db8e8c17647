"""What Adam and AdamW share: two moments of the gradient, their correction, the step. They differ in how weights decay."""

from abc import abstractmethod
from dataclasses import dataclass

import numpy as np

from gradviz.arrays import Array, Integers, Parameters, Rows, whole
from gradviz.optimizers._base import Optimizer, State
from gradviz.options import check, option


@dataclass(frozen=True)
class Moments(Optimizer):
    """m ← β1·m + (1-β1)·g;  v ← β2·v + (1-β2)·g²;  p ← p - rate · m/(1-β1ᵗ) / (√(v/(1-β2ᵗ)) + eps) at the t-th step.

    AMSGrad (Reddi et al. 2018): the largest v so far instead of v, corrected like it.
    """

    rate: float = option(0.01, "learning rate", low=0.0)
    beta1: float = option(0.9, "share of the old mean gradient kept at each step", low=0.0, high=0.999999)
    beta2: float = option(0.999, "share of the old mean square kept at each step", low=0.0, high=0.999999)
    eps: float = option(1e-8, "added to the root mean square, so that nothing is divided by zero", low=1e-16)
    amsgrad: bool = option(False, "divide by the largest mean square so far instead of the latest")

    def __post_init__(self) -> None:
        check(self)

    @property
    def penalizes(self) -> bool:
        """Whether `decay` makes a gradient that is nowhere zero."""
        return False

    @abstractmethod
    def decay(self, array: Array, gradient: Array, rate: float) -> Array:
        """Let the weights `array` decay, in place or through the gradient. Returns the gradient whose moments count."""

    def start(self, parameters: Parameters) -> State:
        kinds = ["mean", "square"] + ["largest"] * self.amsgrad
        moments = {kind: {name: np.zeros_like(array) for name, array in parameters.items()} for kind in kinds}
        return {**moments, "count": {"steps": np.array(0)}}

    def step(self, parameters: Parameters, gradients: Parameters, state: State, rate: float) -> None:
        self.step_rows(parameters, gradients, state, rate, {})

    @np.errstate(over="ignore", invalid="ignore")  # squares overflow above 1e20 in float32: that weight then stands still, as in PyTorch
    def step_rows(self, parameters: Parameters, gradients: Parameters, state: State, rate: float, rows: Rows) -> None:
        """Moments fade in all rows, and weights move with them, as if the gradient were whole; it is never made so."""
        state["count"]["steps"][...] += 1
        steps = int(state["count"]["steps"])
        length, root = rate / (1 - self.beta1**steps), float(np.sqrt(1 - self.beta2**steps))
        for name, array in parameters.items():
            gradient, place = gradients[name], rows.get(name)
            if place is not None and self.penalizes:
                gradient, place = whole(gradient, place, array), None
            self._remember(name, self.decay(array, gradient, rate), state, slice(None) if place is None else place)
            work = np.empty_like(array)
            np.sqrt(state["largest" if self.amsgrad else "square"][name], out=work)
            work /= root
            work += self.eps
            np.divide(state["mean"][name], work, out=work)
            work *= length
            array -= work

    def _remember(self, name: str, gradient: Array, state: State, place: Integers | slice) -> None:
        """Bring the moments up to date. place: the rows of the gradient."""
        mean, square, work = state["mean"][name], state["square"][name], gradient * (1 - self.beta1)
        mean *= self.beta1
        mean[place] += work
        np.multiply(gradient, 1 - self.beta2, out=work)
        work *= gradient  # the factor first: what overflows here overflows in PyTorch
        square *= self.beta2
        square[place] += work
        if self.amsgrad:
            np.maximum(state["largest"][name], square, out=state["largest"][name])

"""The basic recurrent network (Elman 1990): h_t = φ(x W + h_{t-1} U + b) with φ = tanh, relu, or nothing at all.

The course notes write a⟨t⟩ = g(Waa a⟨t−1⟩ + Wax x⟨t⟩ + ba).
"""

from dataclasses import dataclass

import numpy as np

from gradviz.arrays import Array
from gradviz.cells._base import Cell, Sequence, Step, Weights
from gradviz.options import check, option


@dataclass(frozen=True)
class RNN(Cell):
    """No gates: the state is rewritten at every step."""

    activation: str = option("tanh", "what squashes the state", choices=("tanh", "relu", "linear"))

    family = "rnn"
    blocks = ("state",)
    factors = (("hidden", "state"),)
    stages = (("activate", ("hidden",)),)

    def __post_init__(self) -> None:
        check(self)

    def activate(self, weights: Weights, step: Step) -> None:
        np.matmul(step.before[0], weights.hh, out=step.product)
        np.add(step.block, step.product, out=step.block)
        if self.activation == "tanh":
            np.tanh(step.rows[0], out=step.after[0])
        elif self.activation == "linear":
            np.copyto(step.after[0], step.rows[0])
        else:  # lets NaN through, and orders complex numbers by their real part, as a complex-step check wants
            np.maximum(step.rows[0], 0, out=step.after[0])

    def local_derivatives(self, tape: Sequence) -> None:
        hidden, slope = tape.after[0], tape.factors[0]
        if self.activation == "tanh":
            np.multiply(hidden, hidden, out=slope)
            np.subtract(1, slope, out=slope)
        elif self.activation == "linear":
            slope.fill(1)
        else:
            np.copyto(slope, hidden.real > 0)

    def back(self, weights: Weights, step: Step, carry: tuple[Array, ...]) -> None:
        np.multiply(step.d_after[0], step.factors[0], out=step.d_block[0])
        np.matmul(step.d_block[0], weights.back, out=carry[0])

    def point_gradients(self, tape: Sequence) -> dict[str, Array]:
        return {}

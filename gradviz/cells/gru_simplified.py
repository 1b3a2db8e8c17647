"""The simplified GRU of the course notes: an update gate and no reset gate.

    z = σ(x W_z + h U_z + b_z)    n = tanh(x W_n + h U_n + b_n)
    h_t = z · h_{t-1} + (1 − z) · n

The notes write c⟨t⟩ = Γu · c̃⟨t⟩ + (1 − Γu) · c⟨t−1⟩: their Γu is the share of the new state, Γu = 1 − z.
"""

from dataclasses import dataclass

import numpy as np

from gradviz.arrays import Array
from gradviz.cells._base import Cell, Sequence, Step, Weights, gathered, sigmoids
from gradviz.cells._blend import blend_derivatives, mix


@dataclass(frozen=True)
class GRUSimplified(Cell):
    """One gate, which decides how much of the old state is kept."""

    family = "gru"
    blocks = ("update", "candidate")
    gates = 1
    factors = (("hidden", "update"), ("hidden", "candidate"), ("hidden", ""))
    stages = (("activate", ("gate.update", "candidate")), ("blend", ("hidden",)))

    def activate(self, weights: Weights, step: Step) -> None:
        np.matmul(step.before[0], weights.hh, out=step.product)
        np.add(step.block, step.product, out=step.block)
        sigmoids(step.sigmoids)
        np.tanh(step.rows[1], out=step.rows[1])

    def blend(self, weights: Weights, step: Step) -> None:
        mix(step.rows[0], step.before[0], step.rows[1], out=step.after[0])

    def local_derivatives(self, tape: Sequence) -> None:
        z, n = tape.block
        blend_derivatives(z, tape.before[0], n, tape.factors)

    def back(self, weights: Weights, step: Step, carry: tuple[Array, ...]) -> None:
        d_hidden = step.d_after[0]
        np.multiply(step.factors[:2], d_hidden, out=step.d_block)
        np.copyto(step.side, step.d_block)
        gathered(step, weights, out=carry[0])
        np.multiply(d_hidden, step.factors[2], out=step.spare)
        np.add(carry[0], step.spare, out=carry[0])

    def point_gradients(self, tape: Sequence) -> dict[str, Array]:
        z, n = tape.block
        d_hidden = tape.d_after[0]
        return {"update": d_hidden * (tape.before[0] - n), "candidate": d_hidden * (1 - z)}

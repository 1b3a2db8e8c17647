"""The GRU with the reset gate before the product (Cho et al. 2014; the full GRU of the course notes).

    r = σ(x W_r + h U_r + b_r)    z = σ(x W_z + h U_z + b_z)
    n = tanh(x W_n + (r · h) U_n + b_n)
    h_t = z · h_{t-1} + (1 − z) · n

z is the share of the old state that is KEPT. In the course notes Γu = 1 − z, Γr = r, c̃ = n, and c = a = h.
"""

from dataclasses import dataclass, replace

import numpy as np

from gradviz.arrays import Array, Parameters
from gradviz.cells._base import Cell, Sequence, Step, Weights, products, sigmoids
from gradviz.cells._blend import blend_derivatives, mix, sigmoid_slope


@dataclass(frozen=True)
class GRUResetBefore(Cell):
    """Two gates; the reset gate scales the state before the candidate reads it."""

    family = "gru"
    blocks = ("reset", "update", "candidate")
    gates = 2
    extra = ("reset_state",)  # r · h
    d_extra = ("d_reset_state",)
    factors = (("", "reset"), ("hidden", "update"), ("hidden", "candidate"), ("hidden", ""))
    stages = (("gate", ("gate.reset", "gate.update")), ("propose", ("candidate",)), ("blend", ("hidden",)))

    def gate(self, weights: Weights, step: Step) -> None:
        np.matmul(step.before[0], weights.hh[:2], out=step.product[:2])
        np.add(step.sigmoids, step.product[:2], out=step.sigmoids)
        sigmoids(step.sigmoids)

    def propose(self, weights: Weights, step: Step) -> None:
        r, _, n = step.rows
        np.multiply(r, step.before[0], out=step.extra[0])
        np.matmul(step.extra[0], weights.hh[2], out=step.spare)
        np.add(n, step.spare, out=n)
        np.tanh(n, out=n)

    def blend(self, weights: Weights, step: Step) -> None:
        mix(step.rows[1], step.before[0], step.rows[2], out=step.after[0])

    def local_derivatives(self, tape: Sequence) -> None:
        r, z, n = tape.block
        sigmoid_slope(r, tape.before[0], out=tape.factors[0])
        blend_derivatives(z, tape.before[0], n, tape.factors[1:])

    def back(self, weights: Weights, step: Step, carry: tuple[Array, ...]) -> None:
        d_hidden, d_block, (d_reset_state,) = step.d_after[0], step.d_block, step.d_extra
        units = d_hidden.shape[-1]
        np.multiply(step.factors[1:3], d_hidden, out=d_block[1:])
        np.matmul(d_block[2], weights.back[-units:], out=d_reset_state)
        np.multiply(step.factors[0], d_reset_state, out=d_block[0])
        np.copyto(step.side[:2], d_block[:2])
        np.matmul(step.wide[:, :-units], weights.back[:-units], out=carry[0])
        np.multiply(d_reset_state, step.rows[0], out=step.spare)
        np.add(carry[0], step.spare, out=carry[0])
        np.multiply(d_hidden, step.factors[3], out=step.spare)
        np.add(carry[0], step.spare, out=carry[0])

    def recurrent_gradients(self, tape: Sequence) -> Parameters:
        gates = products(tape.before[0], tape.d_block[:2])
        return {"weight_hh": np.concatenate([gates, products(tape.extra[0], tape.d_block[2:])])}

    def moved(self, tape: Sequence, weights: Weights, change: Array) -> Sequence:
        reset_state = tape.block[0] * change + tape.factors[0] * (change @ weights.back[: change.shape[2]].T)  # r · dh + h · dr
        return replace(tape, before=(change,), extra=(reset_state,))

    def point_gradients(self, tape: Sequence) -> dict[str, Array]:
        _, z, n = tape.block
        d_hidden = tape.d_after[0]
        return {"reset": tape.d_extra[0] * tape.before[0], "update": d_hidden * (tape.before[0] - n), "candidate": d_hidden * (1 - z)}

"""The GRU as PyTorch and cuDNN have it, reset after the product (Cho et al. 2014; Chung et al. 2014).

    r = σ(x W_r + h U_r + b_r)    z = σ(x W_z + h U_z + b_z)
    n = tanh(x W_n + b_n + r · (h U_n + b_hn))
    h_t = z · h_{t-1} + (1 − z) · n

z is the share of the old state that is KEPT. The course notes' Γu is the share of the new one: Γu = 1 − z; their Γr is r.
"""

from dataclasses import dataclass

import numpy as np

from gradviz.arrays import Array, Parameters
from gradviz.cells._base import Cell, Sequence, Step, Weights, gathered, products, sigmoids
from gradviz.cells._blend import blend_derivatives, mix, sigmoid_slope


@dataclass(frozen=True)
class GRU(Cell):
    """Two gates; the reset gate scales what the recurrent product contributes to the candidate."""

    family = "gru"
    blocks = ("reset", "update", "candidate")
    gates = 2
    extra = ("recurrent",)  # h U_n + b_hn
    d_extra = ("d_recurrent",)
    factors = (("candidate", "reset"), ("hidden", "update"), ("hidden", "candidate"), ("hidden", ""))
    stages = (("gate", ("gate.reset", "gate.update")), ("propose", ("candidate",)), ("blend", ("hidden",)))

    def own_shapes(self, units: int) -> dict[str, tuple[int, ...]]:
        return {"bias_hh": (units,)}

    def gate(self, weights: Weights, step: Step) -> None:
        np.matmul(step.before[0], weights.hh, out=step.product)
        np.add(step.sigmoids, step.product[:2], out=step.sigmoids)
        np.add(step.product[2], weights.own["bias_hh"], out=step.extra[0])
        sigmoids(step.sigmoids)

    def propose(self, weights: Weights, step: Step) -> None:
        r, _, n = step.rows
        np.multiply(r, step.extra[0], out=step.spare)
        np.add(n, step.spare, out=n)
        np.tanh(n, out=n)

    def blend(self, weights: Weights, step: Step) -> None:
        mix(step.rows[1], step.before[0], step.rows[2], out=step.after[0])

    def local_derivatives(self, tape: Sequence) -> None:
        r, z, n = tape.block
        sigmoid_slope(r, tape.extra[0], out=tape.factors[0])
        blend_derivatives(z, tape.before[0], n, tape.factors[1:])

    def back(self, weights: Weights, step: Step, carry: tuple[Array, ...]) -> None:
        d_hidden, d_block, (d_recurrent,) = step.d_after[0], step.d_block, step.d_extra
        np.multiply(step.factors[1:3], d_hidden, out=d_block[1:])
        np.multiply(step.factors[0], d_block[2], out=d_block[0])
        np.multiply(d_block[2], step.rows[0], out=d_recurrent)
        np.copyto(step.side[:2], d_block[:2])
        np.copyto(step.side[2], d_recurrent)
        gathered(step, weights, out=carry[0])
        np.multiply(d_hidden, step.factors[3], out=step.spare)
        np.add(carry[0], step.spare, out=carry[0])

    def recurrent_gradients(self, tape: Sequence) -> Parameters:
        gates = products(tape.before[0], tape.d_block[:2])
        candidate = products(tape.before[0], tape.d_extra[0][None])
        return {"weight_hh": np.concatenate([gates, candidate]), "bias_hh": tape.d_extra[0].sum(axis=(0, 1))}

    def point_gradients(self, tape: Sequence) -> dict[str, Array]:
        _, z, n = tape.block
        d_hidden = tape.d_after[0]
        return {"reset": tape.d_block[2] * tape.extra[0], "update": d_hidden * (tape.before[0] - n), "candidate": d_hidden * (1 - z)}

"""The LSTM with a forget gate (Hochreiter and Schmidhuber 1997; Gers, Schmidhuber and Cummins 2000).

    i = σ(x W_i + h U_i + b_i)    f = σ(x W_f + h U_f + b_f)    o = σ(x W_o + h U_o + b_o)
    g = tanh(x W_g + h U_g + b_g)
    c_t = f · c_{t-1} + i · g          h_t = o · tanh(c_t)

The course notes call i the update gate Γu, f Γf, o Γo, g the candidate c̃ and h a.
"""

from dataclasses import dataclass

import numpy as np

from gradviz.arrays import Array
from gradviz.cells._base import Cell, Sequence, Step, Weights, gathered, sigmoids
from gradviz.cells._memory import BLOCKS, FACTORS, emit, memory_derivatives, memory_gradients, remember


@dataclass(frozen=True)
class LSTM(Cell):
    """Three gates and a cell state that is only ever scaled by f and added to."""

    family = "lstm"
    blocks = BLOCKS
    gates = 3
    states = ("hidden", "cell")
    extra = ("squashed",)
    factors = FACTORS
    stages = (
        ("activate", ("gate.output", "gate.input", "gate.forget", "candidate")),
        ("remember", ("cell",)),
        ("emit", ("hidden",)),
    )

    def activate(self, weights: Weights, step: Step) -> None:
        np.matmul(step.before[0], weights.hh, out=step.product)
        np.add(step.block, step.product, out=step.block)
        sigmoids(step.sigmoids)
        np.tanh(step.rows[3], out=step.rows[3])

    def remember(self, weights: Weights, step: Step) -> None:
        remember(step)

    def emit(self, weights: Weights, step: Step) -> None:
        emit(step)

    def local_derivatives(self, tape: Sequence) -> None:
        memory_derivatives(tape)

    def back(self, weights: Weights, step: Step, carry: tuple[Array, ...]) -> None:
        d_hidden, d_cell = step.d_after
        factors, d_block = step.factors, step.d_block
        np.multiply(d_hidden, factors[4], out=d_cell)
        np.add(d_cell, carry[1], out=d_cell)
        np.multiply(factors[0], d_hidden, out=d_block[0])
        np.multiply(factors[1:4], d_cell, out=d_block[1:])
        np.multiply(d_cell, factors[5], out=carry[1])
        np.copyto(step.side, d_block)
        gathered(step, weights, out=carry[0])

    def point_gradients(self, tape: Sequence) -> dict[str, Array]:
        return memory_gradients(tape)

"""The LSTM with peepholes (Gers and Schmidhuber 2000; Graves 2013, eqs. 7 to 11): the gates see the cell state itself.

    i = σ(x W_i + h U_i + p_i · c_{t-1} + b_i)    f = σ(x W_f + h U_f + p_f · c_{t-1} + b_f)
    g = tanh(x W_g + h U_g + b_g)                 c_t = f · c_{t-1} + i · g
    o = σ(x W_o + h U_o + p_o · c_t + b_o)        h_t = o · tanh(c_t)

Each p is a diagonal matrix: a unit's gates see the cell state of that unit alone. Mind that o sees the new state and i and f the old one.
"""

from dataclasses import dataclass, replace

import numpy as np

from gradviz.arrays import Array, Parameters
from gradviz.cells._base import Cell, Sequence, Step, Weights, gathered, sigmoids
from gradviz.cells._memory import BLOCKS, FACTORS, emit, memory_derivatives, memory_gradients, remember


@dataclass(frozen=True)
class LSTMPeephole(Cell):
    """Three gates that also look into the cell. `peephole` (gate, unit) holds p of the output, input and forget gate."""

    family = "lstm"
    blocks = BLOCKS
    gates = 3
    states = ("hidden", "cell")
    extra = ("squashed",)
    factors = FACTORS
    stages = (
        ("propose", ("gate.input", "gate.forget", "candidate")),
        ("remember", ("cell",)),
        ("release", ("gate.output",)),
        ("emit", ("hidden",)),
    )

    def own_shapes(self, units: int) -> dict[str, tuple[int, ...]]:
        return {"peephole": (self.gates, units)}

    def begin(self, name: str, shape: tuple[int, ...], rng: np.random.Generator) -> Array:
        """N(0, 0.1²), Lasagne's choice and of the size of Gers and Schmidhuber's U(-0.1, 0.1): small beside the other inputs of a gate,
        for cell states may be large, and not zero, so that a network with peepholes is one from the start."""
        return 0.1 * rng.standard_normal(shape)

    def prepare(self, parameters: Parameters) -> Weights:
        weights = super().prepare(parameters)
        return replace(weights, own={**weights.own, "turned": -parameters["peephole"]})  # as all that leads to a gate's pre-activation

    def propose(self, weights: Weights, step: Step) -> None:
        seen = step.product[1:3]
        np.matmul(step.before[0], weights.hh, out=step.product)
        np.add(step.block, step.product, out=step.block)
        np.multiply(weights.own["turned"][1:, None], step.before[1], out=seen)
        np.add(step.block[1:3], seen, out=step.block[1:3])
        sigmoids(step.block[1:3])
        np.tanh(step.rows[3], out=step.rows[3])

    def remember(self, weights: Weights, step: Step) -> None:
        remember(step)

    def release(self, weights: Weights, step: Step) -> None:
        output = step.rows[0]
        np.multiply(weights.own["turned"][0], step.after[1], out=step.spare)
        np.add(output, step.spare, out=output)
        sigmoids(output)

    def emit(self, weights: Weights, step: Step) -> None:
        emit(step)

    def local_derivatives(self, tape: Sequence) -> None:
        memory_derivatives(tape)

    def output_slope(self, tape: Sequence, weights: Weights) -> Array:
        """o (1 − tanh² c) + p_o o (1 − o) tanh c: through the squashing, and through the output gate that saw c_t."""
        slope: Array = tape.factors[4] + weights.own["peephole"][0] * tape.factors[0]
        return slope

    def back(self, weights: Weights, step: Step, carry: tuple[Array, ...]) -> None:
        d_hidden, d_cell = step.d_after
        factors, d_block, peephole, seen = step.factors, step.d_block, weights.own["peephole"], step.product[1:3]
        np.multiply(factors[0], d_hidden, out=d_block[0])
        np.multiply(d_hidden, factors[4], out=d_cell)
        np.add(d_cell, carry[1], out=d_cell)
        np.multiply(peephole[0], d_block[0], out=step.spare)  # c_t → o → h_t: no factor, for a clamped gate cuts this way alone
        np.add(d_cell, step.spare, out=d_cell)
        np.multiply(factors[1:4], d_cell, out=d_block[1:])
        np.multiply(peephole[1:, None], d_block[1:3], out=seen)
        np.multiply(d_cell, factors[5], out=carry[1])
        np.add(carry[1], seen[0], out=carry[1])
        np.add(carry[1], seen[1], out=carry[1])
        np.copyto(step.side, d_block)
        gathered(step, weights, out=carry[0])

    def recurrent_gradients(self, tape: Sequence) -> Parameters:
        seen = (tape.after[1], tape.before[1], tape.before[1])
        peephole = [(d_gate * cell).sum(axis=(0, 1)) for d_gate, cell in zip(tape.d_block[:3], seen, strict=True)]
        return {**super().recurrent_gradients(tape), "peephole": np.stack(peephole)}

    def point_gradients(self, tape: Sequence) -> dict[str, Array]:
        return memory_gradients(tape)

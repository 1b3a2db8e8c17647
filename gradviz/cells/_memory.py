"""What all LSTMs share: a cell state that is scaled and added to, c_t = f · c_{t-1} + i · g, and h_t = o · tanh(c_t).

The three gates stand together, and so do the three blocks whose gradient comes through c: each trio is one operation.
"""

import numpy as np

from gradviz.arrays import Array
from gradviz.cells._base import Sequence, Step, one_minus_square

BLOCKS = ("output", "input", "forget", "candidate")
FACTORS = (("hidden", "output"), ("cell", "input"), ("cell", "forget"), ("cell", "candidate"), ("hidden", ""), ("cell", ""))


def remember(step: Step) -> None:
    _, i, f, g = step.rows
    cell = step.after[1]
    np.multiply(f, step.before[1], out=cell)
    np.multiply(i, g, out=step.spare)
    np.add(cell, step.spare, out=cell)


def emit(step: Step) -> None:
    (squashed,) = step.extra
    np.tanh(step.after[1], out=squashed)
    np.multiply(step.rows[0], squashed, out=step.after[0])


def memory_derivatives(tape: Sequence) -> None:
    """Fill the factors, in the order of `FACTORS`."""
    o, i, f, g = tape.block
    (squashed,) = tape.extra
    factors = tape.factors
    np.subtract(1, tape.block[:3], out=factors[:3])
    np.multiply(factors[:3], tape.block[:3], out=factors[:3])  # σ' = σ(1 − σ)
    np.multiply(factors[0], squashed, out=factors[0])
    np.multiply(factors[1], g, out=factors[1])
    np.multiply(factors[2], tape.before[1], out=factors[2])
    one_minus_square(g, i, out=factors[3])
    one_minus_square(squashed, o, out=factors[4])
    np.copyto(factors[5], f)


def memory_gradients(tape: Sequence) -> dict[str, Array]:
    """Gradients at the blocks' activations."""
    _, i, _, g = tape.block
    d_hidden, d_cell = tape.d_after
    return {"output": d_hidden * tape.extra[0], "input": d_cell * g, "forget": d_cell * tape.before[1], "candidate": d_cell * i}

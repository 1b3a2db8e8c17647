"""The gradient of a regularizer of the backward flow: what it adds to that of the recurrent weights, for any cell.

A step back turns the gradient of the state, v = (∂E/∂h_t, ∂E/∂c_t), into w = v ∂s_t/∂s_{t-1}. Of w only the part that comes through the
recurrent products depends at once on the recurrent weights: w_h ∋ Σ δ Uᵀ over the blocks. So ∂‖w‖²/∂U = 2 Σ_t w_hᵀ δ_t: the sum that
the loss's own gradient is, Σ_t h_{t-1}ᵀ δ_t, with 2 w_h in the place of h_{t-1}. The cell knows how to take it.
"""

from contextlib import AbstractContextManager

import numpy as np

from gradviz.arrays import Array, Parameters
from gradviz.cells import Weights
from gradviz.network import Network
from gradviz.passes import Learned
from gradviz.regularizers import Regularizer
from gradviz.tape import Tape


def flow_kept(network: Network) -> AbstractContextManager[None]:
    """Inside the block, passes backward keep what `penalty` needs: the gradients that arrive through time."""
    return network.observe("layers.*", _nobody, gradient="through_time")


def penalty(learned: Learned, regularizer: Regularizer) -> tuple[float, Parameters]:
    """The sum over layers and directions, and its gradient with respect to each recurrent weight, times its strength."""
    total, gradients = 0.0, {}
    for name, tape in learned.run.tapes.items():
        arriving, leaving = flow(tape)
        counts = np.ones(tape.shape[:2], bool) if tape.padding is None else ~tape.padding[..., 0]
        value, slope = regularizer.price(_squared(arriving), _squared(leaving), counts)
        total += value
        gradients[f"{name}.weight_hh"] = _weights(tape, learned.run.weights[name], leaving[0], slope)
    return total, gradients


def flow(tape: Tape) -> tuple[list[Array], list[Array]]:
    """v and w of every step, (time, batch, unit) for each state."""
    assert tape.through is not None, "the pass must be inside `flow_kept`"
    first = -1 if tape.is_backward else 0
    leaving = []
    for through, begin in zip(tape.through, tape.carry, strict=True):  # in `carry` is what left the first step
        passed = np.roll(through, -1 if tape.is_backward else 1, axis=0)
        passed[first] = begin
        leaving.append(passed)
    return [tape.sequence.d_after[0], *tape.through[1:]], leaving


def _squared(parts: list[Array]) -> Array:
    """(time, batch) squared norms over all states, in double precision: small gradients must not underflow."""
    with np.errstate(all="ignore"):
        return np.asarray(sum(np.square(part, dtype=np.float64).sum(axis=2) for part in parts))


def _weights(tape: Tape, weights: Weights, leaving: Array, slope: Array) -> Array:
    with np.errstate(all="ignore"):
        partner = (2 * slope[..., None] * leaving).astype(leaving.dtype)
        moved = tape.cell.moved(tape.sequence, weights, partner)
        return tape.cell.recurrent_gradients(moved)["weight_hh"]


def _nobody(name: str, array: Array) -> None:
    """Looks at nothing: it is there so that the arrays are kept."""

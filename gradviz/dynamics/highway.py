"""The gated path of a memory beside all other ways back: what the gates alone let through of ∂s_T/∂s_{T−k}, and the rest.

An LSTM's cell state is scaled by its forget gate, c_t = f_t · c_{t−1} + …, a GRU's hidden state by its share kept, h_t = z_t · h_{t−1} + ….
The direct path is the product of these gates, a diagonal matrix: Hochreiter and Schmidhuber's constant error carousel with a gate on it
(Gers, Schmidhuber and Cummins 2000). Everything else goes through what a step computes from its states: through h and the recurrent
weights, through peepholes, and in a stack through other layers.

With J_t = D_t + R_t, D_t the gates on the diagonal, both parts of the product go back together:

    direct_{k+1} = direct_k · D        rest_{k+1} = direct_k · R + rest_k · J

so that the rest is no difference of large numbers, and exactly 0 where there is no other way. Each unit's row has a scale of its own.
"""

from dataclasses import dataclass

import numpy as np

from gradviz.arrays import Array
from gradviz.dynamics.jacobians import Trajectory, in_pieces, states_of
from gradviz.errors import GradvizError

KEEPERS = {"lstm": ("forget", "cell"), "gru": ("update", "hidden")}  # by family: the gate that keeps, and the state it keeps


@dataclass(frozen=True)
class Highway:
    """∂s_T/∂s_{T−k} of one layer's memory, k = 0 … T by row; natural logarithms, -inf for 0.

    log_direct (lag, unit): products of gates; log_total (lag, unit): size of the whole derivative's diagonal, sign (lag, unit) its sign;
    log_rest_rows (lag, unit): norm of the rest of what a unit gets from all units, log_rest_columns (lag, unit): of what all get from it;
    log_rest (lag,): its Frobenius norm.
    """

    layer: str
    gate: str
    state: str
    log_direct: Array
    log_total: Array
    sign: Array
    log_rest_rows: Array
    log_rest_columns: Array
    log_rest: Array

    @property
    def log_direct_norm(self) -> Array:
        """(lag,) Frobenius norm of the direct path."""
        return _log_norm(self.log_direct, axis=1)

    @property
    def share(self) -> Array:
        """(lag,) ‖direct‖ / (‖direct‖ + ‖rest‖): 1 where gates alone carry the gradient, 0 where all of it goes other ways; NaN where there
        is none."""
        with np.errstate(all="ignore"):
            shares: Array = 1 / (1 + np.exp(self.log_rest - self.log_direct_norm))
        return shares


def highway(trajectory: Trajectory, layer: int = 0) -> Highway:
    """Split the derivative of the last memory state of a layer, on the trajectory of `jacobians.follow`."""
    cell = trajectory.network.model.cell
    if cell.family not in KEEPERS:
        raise GradvizError(
            f"a {cell.family} cell has no path that gates alone control; an LSTM has one through its forget gates and a GRU through its "
            "update gates (share kept). Use `products.span` for the whole derivative."
        )
    gate, state = KEEPERS[cell.family]
    names = [name for name, kind in trajectory.places if kind == state]
    if not 0 <= layer < len(names):
        raise GradvizError(f"there is no layer {layer}; this network has the layers 0 to {len(names) - 1}.")
    part = trajectory.part(names[layer], state)
    kept = _gates(trajectory, names[layer], gate)
    with np.errstate(divide="ignore"):
        log_direct = np.concatenate([np.zeros((1, kept.shape[1])), np.cumsum(np.log(kept[::-1]), axis=0)])
    return Highway(names[layer], gate, state, log_direct, *_walked(trajectory, part, kept, log_direct))


def _gates(trajectory: Trajectory, layer: str, gate: str) -> Array:
    """(time, unit), in the order of reading: all steps at once, each from its own state."""
    network = trajectory.network
    states = states_of(trajectory.before, trajectory.places, network.model.units)
    run = network.forward(trajectory.inputs[:, 0][None], initial=states, at=network.signature.at)
    return np.array(run.tapes[layer].values(f"gate.{gate}")[0], np.float64)


def _walked(trajectory: Trajectory, part: slice, kept: Array, log_direct: Array) -> tuple[Array, Array, Array, Array, Array]:
    """The last five fields of `Highway`, lag by lag."""
    units, lag = kept.shape[1], 0
    rest, logs = np.zeros((units, trajectory.width)), np.full(units, -np.inf)  # rest · e^logs, row by row
    found = [_measured(rest[:, part], logs, log_direct[0])]
    for jacobians in in_pieces(trajectory, last_first=True):
        for step in jacobians[::-1]:
            other = step[part].copy()
            other[np.arange(units), np.arange(part.start, part.stop)] -= kept[len(kept) - 1 - lag]
            rest, logs = _one_further(rest, logs, log_direct[lag], other, step)
            lag += 1
            found.append(_measured(rest[:, part], logs, log_direct[lag]))
    total, sign, rows, columns, whole = (np.array(series) for series in zip(*found, strict=True))
    return total, sign, rows, columns, whole


def _one_further(rest: Array, logs: Array, log_direct: Array, other: Array, step: Array) -> tuple[Array, Array]:
    """direct · R + rest · J, and its logarithms."""
    scale = np.maximum(logs, log_direct)
    scale = np.where(np.isneginf(scale), 0.0, scale)
    with np.errstate(under="ignore", invalid="ignore", over="ignore"):
        new = np.exp(log_direct - scale)[:, None] * other + np.exp(logs - scale)[:, None] * (rest @ step)
        largest = np.abs(new).max(axis=1)
        usable = (largest > 0) & np.isfinite(largest)
        new = new / np.where(usable, largest, 1.0)[:, None]
    with np.errstate(divide="ignore"):
        return new, np.where(largest > 0, scale + np.log(np.where(usable, largest, 1.0)), np.where(np.isnan(largest), np.nan, -np.inf))


def _measured(rest: Array, logs: Array, log_direct: Array) -> tuple[Array, Array, Array, Array, Array]:
    """rest: (unit, unit) the block of this layer's own state."""
    with np.errstate(divide="ignore", invalid="ignore", under="ignore"):
        entries = np.log(np.abs(rest)) + logs[:, None]
        own, scale = np.diag(rest), np.maximum(logs, log_direct)
        scale = np.where(np.isneginf(scale), 0.0, scale)
        diagonal = np.exp(log_direct - scale) + np.exp(logs - scale) * own
        total, sign = np.log(np.abs(diagonal)) + scale, np.sign(diagonal)
    return total, sign, _log_norm(entries, axis=1), _log_norm(entries, axis=0), _log_norm(entries.ravel(), axis=0)


def _log_norm(logs: Array, axis: int) -> Array:
    """Logarithm of the Euclidean norm of numbers given by their logarithms."""
    top = np.max(logs, axis=axis, keepdims=True)
    scale = np.where(np.isneginf(top), 0.0, top)
    with np.errstate(divide="ignore", under="ignore", invalid="ignore", over="ignore"):
        norms = np.log(np.sqrt(np.sum(np.exp(2 * (logs - scale)), axis=axis))) + np.squeeze(scale, axis)
    return np.asarray(norms)

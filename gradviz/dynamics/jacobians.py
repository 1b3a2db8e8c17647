"""How a step moves the state: ∂s_t/∂s_{t-1}, exact, from the cells' own backward step.

s is everything that is carried from step to step: the hidden state of every layer, and of an LSTM the cell state. All layers are taken
jointly: within a step a higher layer reads what a lower one has just made. One example is put into a batch as often as s has numbers, a
step is taken, and each copy sends the gradient of another number of s back.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from gradviz.arrays import Array, Integers
from gradviz.errors import GradvizError, NonFiniteError, ShapeError
from gradviz.network import Network
from gradviz.passes import States

ROWS = 1024  # copies in a batch: as many as fit into a processor's cache, whatever the length of the sequence


@dataclass(frozen=True)
class Trajectory:
    """inputs: of one example, with a batch axis of 1; before: (time, state), s before each step; final: (state,); places: which layer and
    state each part of s belongs to, in order, units numbers each."""

    network: Network
    inputs: Array | Integers
    before: Array
    final: Array
    places: tuple[tuple[str, str], ...]

    @property
    def width(self) -> int:
        """How many numbers s has."""
        return int(self.before.shape[1])

    def part(self, layer: str, state: str) -> slice:
        """Where in s the state of a layer lies, such as ("layers.0.forward", "cell")."""
        if (layer, state) not in self.places:
            names = ", ".join(" ".join(place) for place in self.places)
            raise GradvizError(f"there is no state {layer} {state}; the states are {names}.")
        units, place = self.network.model.units, self.places.index((layer, state))
        return slice(place * units, (place + 1) * units)


def follow(network: Network, inputs: Array | Integers, initial: Array | None = None) -> Trajectory:
    """Run one example, inputs (time,) tokens or (time, feature), in double precision from the state `initial` (state,), or from zero.

    Networks that read in both directions have no single state; an encoder–decoder's parts have one each.
    """
    directions, states = network.parts.directions, network.model.cell.states
    if len(directions) > 1 or len(network.parts.parts) > 1:
        raise GradvizError(
            "a step's Jacobian needs one state that is carried from step to step; this network reads in both directions or has two parts. "
            "Use a network with direction forward or backward."
        )
    bad = [name for name, array in network.parameters.items() if not np.isfinite(array).all()]
    if bad:
        raise NonFiniteError(f"{bad[0]} holds NaN or infinity: where the weights are no numbers, nothing can be said of the dynamics.")
    exact = network.astype("float64")
    names = [name for layer in network.parts.bottom.layers for name in network.parts.bottom.names(layer)]
    places = tuple((name, state) for name in names for state in states)
    width = len(places) * network.model.units
    start = np.zeros(width) if initial is None else np.asarray(initial, np.float64)
    if not np.isfinite(start).all():
        raise NonFiniteError("the initial state holds NaN or infinity; nothing can be followed from there.")
    if start.shape != (width,):
        raise ShapeError(f"the initial state has shape {start.shape}; it must have ({width},): {', '.join(map(' '.join, places))}.")
    run = exact.forward(inputs[:, None], initial=states_of(start[None], places, network.model.units))
    order = np.array(next(iter(run.tapes.values())).order)
    before = np.concatenate([run.tapes[name].source(states.index(state))[order, 0] for name, state in places], axis=1)
    final = np.concatenate([run.tapes[name].final[states.index(state)][0] for name, state in places])
    return Trajectory(exact, np.asarray(inputs)[order][:, None], before, final, places)


def step_jacobians(trajectory: Trajectory) -> Array:
    """(time, state, state): J[t][i, j] = ∂s_t,i/∂s_{t-1},j, in the order in which steps are read."""
    return np.concatenate(list(in_pieces(trajectory)))


def in_pieces(trajectory: Trajectory, *, last_first: bool = False) -> Iterator[Array]:
    """The same, some steps at a time: of a long sequence they need not be there at once. last_first: the last piece comes first; within a
    piece the steps are in order."""
    steps, width = trajectory.before.shape
    some = max(1, ROWS // width)
    starts = range(0, steps, some)
    for start in reversed(starts) if last_first else starts:
        yield _some(trajectory, slice(start, start + some))


def _some(trajectory: Trajectory, part: slice) -> Array:
    network, places, width = trajectory.network, trajectory.places, trajectory.width
    before, inputs = trajectory.before[part], trajectory.inputs[part]
    copies, units = np.repeat(before, width, axis=0), network.model.units
    run = network.forward(
        np.repeat(inputs[:, 0], width, axis=0)[None], initial=states_of(copies, places, units), at=network.signature.at, reuse=True
    )
    ones = np.tile(np.eye(width), (len(before), 1))
    found = network.backward(run, np.zeros_like(run.outputs), states_of(ones, places, units), parameters=False).initial
    rows = np.concatenate([found[name][network.model.cell.states.index(state)] for name, state in places], axis=1)
    return rows.reshape(len(before), width, width)


def states_of(rows: Array, places: tuple[tuple[str, str], ...], units: int) -> States:
    """(batch, state) as the network wants it: by layer, one array a state."""
    found: dict[str, list[Array]] = {}
    for place, (name, _) in enumerate(places):
        found.setdefault(name, []).append(rows[:, place * units : (place + 1) * units])
    return {name: tuple(parts) for name, parts in found.items()}

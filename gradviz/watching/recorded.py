"""Rows of a recorded step: what the recorder of a training in gradviz keeps of one, out of replays."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from gradviz.arrays import Array, Parameters
from gradviz.batch import Batch
from gradviz.hooks import layer_of
from gradviz.passes import States
from gradviz.quantities import QUANTITIES
from gradviz.recording import reach
from gradviz.recording.seen import Row, Seen, where
from gradviz.recording.watched import Kept, standing_in
from gradviz.watching.joining import Sequences
from gradviz.watching.replay import Replay, network_of

MOST = 32  # sequences whose reach is measured, and
PROBED = 2  # whose whole arrays are kept
Told = tuple[str, Row]


def time_steps(replays: Sequence[Replay]) -> list[Told]:
    """Rows of `timesteps` and `saturation`."""
    masks = {replay.part.first + layer: replay.mask for replay in replays for layer, _ in replay.part.places}
    seen = Seen([(name, QUANTITIES[name]()) for name in QUANTITIES], masks)
    for replay in replays:
        for name in replay.points:
            seen.activations(replay.part.shifted(name), replay.values(name))
            if name.rsplit(".", 1)[1] in replay.part.cell.states:
                seen.gradients(replay.part.shifted(name), replay.gradient(name))
    return seen.rows()


def probe(replay: Replay, examples: int = PROBED) -> Iterator[Told]:
    """Whole arrays of the first sequences, activations and gradients of the states."""
    for name in replay.points:
        yield from _kept(replay, name, replay.values(name), examples, gradient=False)
        if name.rsplit(".", 1)[1] in replay.part.cell.states:
            yield from _kept(replay, name, replay.gradient(name), examples, gradient=True)


def _kept(replay: Replay, name: str, array: Array, examples: int, *, gradient: bool) -> Iterator[Told]:
    place = layer_of(replay.part.shifted(name))
    assert place is not None
    for example, length in enumerate(replay.sequences.ends[:examples]):
        values = array[:length, example]
        head = {**where(place), "example": example, "gradient": gradient}
        yield "probe", {**head, "units": values.shape[1], "values": values.ravel().astype(np.float64)}


def reaches(replay: Replay) -> tuple[list[Told], str]:
    """Rows of `reach`: the gradient that arrives at the last step of each sequence, carried back alone, in double precision. Also a
    sentence where that cannot be, or where something else was carried back."""
    part, given = replay.part, some(replay.sequences, MOST)
    if not given.linked:
        return [], f"{part.name}: the model's own loop changes the state between steps, so how far a gradient reaches back is not measured"
    exact = replay.network.astype("float64")
    reading = Batch(given.inputs, np.zeros(given.outputs.shape), given.lengths)
    run = exact.forward(reading.inputs, given.lengths, given.initial)
    d_outputs, note = given.d_outputs.astype(np.float64), ""
    d_final = {name: tuple(state.astype(np.float64) for state in states) for name, states in given.d_final.items()}
    if not _arrives(d_outputs, d_final, given):
        d_outputs = np.full(d_outputs.shape, d_outputs.shape[2] ** -0.5)
        note = f"{part.name}: no loss was felt at the last step, so the gradient carried back from there is one of length 1"
    with np.errstate(all="ignore"):
        rows = reach.of_gradient(exact, reading, run, d_outputs, d_final)
    return [("reach", {**row, "layer": int(str(row["layer"])) + part.first}) for row in rows], note


def _arrives(d_outputs: Array, d_final: States, given: Sequences) -> bool:
    """Whether anything arrives at the end of any sequence's reading."""
    everyone = np.arange(d_outputs.shape[1])
    last = [d_outputs[given.ends - 1, everyone], d_outputs[0]]
    return any(bool((array != 0).any()) for array in [*last[: len(d_final)], *(state for states in d_final.values() for state in states)])


def some(given: Sequences, most: int) -> Sequences:
    """The first sequences of a batch."""
    cut = slice(0, most)
    initial, d_final = (
        {name: tuple(state[cut] for state in states) for name, states in each.items()} for each in (given.initial, given.d_final)
    )
    lengths = None if given.lengths is None else given.lengths[cut]
    return Sequences(given.inputs[:, cut], lengths, initial, given.outputs[:, cut], given.d_outputs[:, cut], d_final, given.linked)


def kept_of(replay: Replay, start: Parameters) -> Kept:
    """What exact charts compute from. start: the weights that the module began with, by PyTorch's names."""
    given, network = some(replay.sequences, MOST), replay.network
    batch = standing_in(network, given.inputs, given.lengths, given.d_outputs, given.d_final)
    return Kept(network, network_of(replay.part, start, network.dtype).parameters, batch)


def origin(replays: Sequence[Replay]) -> Told | None:
    """Where the first number went bad, forward before backward; None if all are finite."""
    for gradient in (False, True):
        for replay in reversed(replays) if gradient else replays:
            found = _first_bad(replay, gradient)
            if found is not None:
                return "trouble", found
    return None


def _first_bad(replay: Replay, gradient: bool) -> Row | None:
    """In the lowest layer and at the earliest step that it reads; of gradients in the highest and at the latest."""
    places = [f"layers.{layer}.{direction}." for layer, direction in replay.part.places]
    for place in reversed(places) if gradient else places:
        found: list[tuple[int, str, Array]] = []
        for name in (name for name in replay.points if name.startswith(place)):
            if gradient and name.rsplit(".", 1)[1] not in replay.part.cell.states:
                continue
            array = replay.gradient(name) if gradient else replay.values(name)
            bad = np.flatnonzero(~np.isfinite(array).all(axis=(1, 2)))
            if len(bad):
                late = gradient != place.endswith("backward.")
                found.append((int(bad[-1] if late else bad[0]), name, array))
        if found:
            late = gradient != place.endswith("backward.")
            time, name, array = (max if late else min)(found, key=lambda item: item[0])
            return _bad(replay, name, time, array, gradient)
    return None


def _bad(replay: Replay, name: str, time: int, array: Array, gradient: bool) -> dict[str, Any]:
    place = layer_of(replay.part.shifted(name))
    assert place is not None
    example, unit = (int(k) for k in np.argwhere(~np.isfinite(array[time]))[0])
    value = str(array[time, example, unit])
    return {**where(place), "gradient": gradient, "time": time, "example": example, "unit": unit, "value": value}

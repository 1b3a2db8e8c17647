"""The calls of a recurrent module as one batch of sequences."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gradviz.arrays import Array, Integers
from gradviz.batch import ends_of
from gradviz.passes import States
from gradviz.watching.calls import Call
from gradviz.watching.modules import Part


@dataclass(frozen=True)
class Sequences:
    """What a module read, over all its calls of a step, and what arrived. inputs: (time, batch, feature); lengths: (batch,) or None;
    outputs and d_outputs: (time, batch, unit · direction), zero in the padding; initial, d_final: by layer and direction. linked: whether
    each step began with the state that the step before made, which a model's own loop may have changed in between; whole: `d_final`
    of the cell state includes what goes through the hidden state of the same step."""

    inputs: Array
    lengths: Integers | None
    initial: States
    outputs: Array
    d_outputs: Array
    d_final: States
    linked: bool = True
    whole: bool = False

    @property
    def ends(self) -> Integers:
        """(batch,) how many steps each sequence has."""
        return ends_of(self.inputs, self.lengths)

    @property
    def mask(self) -> Array:
        """(time, batch) true where a step belongs to its sequence."""
        return np.arange(len(self.inputs))[:, None] < self.ends


def joined(part: Part, calls: Sequence[Call]) -> Sequences:
    """The calls side by side in one batch; shorter ones are padded."""
    steps, same = max(call.steps for call in calls), len({call.steps for call in calls}) == 1
    whole = same and all(call.lengths is None for call in calls)
    ends = [ends_of(call.inputs, call.lengths) for call in calls]
    names = [f"layers.{layer}.{direction}" for layer, direction in part.places]
    initial = {name: stacked([started(call, place) for call in calls]) for place, name in enumerate(names)}
    d_final = {name: stacked([call.d_final(place) for call in calls]) for place, name in enumerate(names)}
    arrays = ([call.inputs for call in calls], [call.outputs for call in calls], [call.d_outputs() for call in calls])
    inputs, outputs, d_outputs = (np.concatenate([longer(array, steps) for array in each], axis=1) for each in arrays)
    return Sequences(
        inputs, None if whole else np.concatenate(ends), initial, outputs, d_outputs, d_final, whole=any(call.whole for call in calls)
    )


def started(call: Call, place: int) -> tuple[Array, ...]:
    """The states that a call began with at one place, (batch, unit) each."""
    count = len(call.part.cell.states)
    if call.initial is None:
        return (np.zeros((call.size, call.part.units), call.outputs.dtype),) * count
    return call.initial[place]


def stacked(calls: list[tuple[Array, ...]]) -> tuple[Array, ...]:
    """The states of several calls side by side."""
    return tuple(np.concatenate(same) for same in zip(*calls, strict=True))


def longer(array: Array, steps: int) -> Array:
    """(time, batch, …) with padding up to `steps`."""
    missing = steps - len(array)
    return np.pad(array, ((0, missing), (0, 0), (0, 0))) if missing else array

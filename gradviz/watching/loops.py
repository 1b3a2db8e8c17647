"""A model's own loop over a cell: which calls are the steps of one sequence.

A step belongs to the call whose state it was handed: that very tensor, or one computed from it. A loop that changes the state in
between (a mask, dropout, attention) still goes on with the sequence, which is then not linked: its steps are replayed as they are, but no
gradient can be followed through what gradviz has not seen.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradviz.arrays import Array, Integers
from gradviz.watching.calls import Call
from gradviz.watching.joining import Sequences, stacked, started

NEAR = 200  # operations between two steps among which the way from one state to the next is looked for


@dataclass
class Chain:
    """The places of its calls among all, in order; linked: whether every step began where the one before ended."""

    places: list[int]
    linked: bool = True


def chained(calls: Sequence[Call]) -> list[Chain]:
    """Every call in one chain, in the order of their first calls."""
    chains: list[Chain] = []
    for place, call in enumerate(calls):
        chain, linked = _continued(chains, calls, call)
        if chain is None:
            chains.append(Chain([place]))
        else:
            chain.places.append(place)
            chain.linked &= linked
    return chains


def _continued(chains: list[Chain], calls: Sequence[Call], call: Call) -> tuple[Chain | None, bool]:
    """The chain that a call goes on with, the latest first, and whether its state is the one that was made there. A fresh or a detached
    state begins a sequence."""
    state = _first(call.given)
    if state is None:
        return None, True
    ends = [(chain, calls[chain.places[-1]]) for chain in reversed(chains)]
    for chain, end in ends:
        if _first(end.made) is state:
            return chain, True
    for chain, end in ends:
        if end.size == call.size and _descends(state, _first(end.made)):
            return chain, bool(call.initial and np.array_equal(call.initial[0][0], end.outputs[0], equal_nan=True))
    return None, True


def _descends(state: Any, made: Any) -> bool:
    """Whether a state was computed from another, a few operations ago."""
    waiting, seen = deque([state.grad_fn]), set[Any]()
    while waiting and len(seen) < NEAR:
        function = waiting.popleft()
        if function is made.grad_fn:
            return True
        if function is not None and function not in seen:
            seen.add(function)
            waiting.extend(after for after, _ in function.next_functions)
    return False


def _first(state: Any) -> Any:
    return state[0] if isinstance(state, tuple) else state


def sequences_of(
    chains: Sequence[Chain], calls: Sequence[Call], through: tuple[Array, ...], ended: tuple[Array, ...]
) -> tuple[Integers, Sequences]:
    """(time, batch) where each step lies in the batch of all calls, and the sequences. through: the gradients of the states that the
    steps began with, (batch of all calls, unit): what of a state's gradient came from the next step and not from elsewhere; ended: what
    arrived at the states after each step, besides `Call.d_outputs`."""
    starts = np.cumsum([0, *(call.size for call in calls)])
    steps = max(len(chain.places) for chain in chains)
    parts = [np.stack([np.arange(starts[k], starts[k + 1]) for k in chain.places]) for chain in chains]
    index = np.concatenate([np.pad(part, ((0, steps - len(part)), (0, 0)), constant_values=-1) for part in parts], axis=1)
    ends = np.concatenate([np.full(part.shape[1], len(part)) for part in parts])
    flat = [np.concatenate([pick(call) for call in calls]) for pick in (_inputs, _outputs, _total)]
    inputs, outputs, d_outputs = (np.where(index[..., None] < 0, 0, array[index]).astype(array.dtype) for array in flat)
    later = np.concatenate([index[1:], np.full((1, index.shape[1]), -1)])
    d_outputs -= np.where(later[..., None] < 0, 0, through[0][later]).astype(d_outputs.dtype)
    firsts = [calls[chain.places[0]] for chain in chains]
    initial = stacked([started(call, 0) for call in firsts])
    last = index[ends - 1, np.arange(len(ends))]
    lengths = None if (ends == steps).all() else ends
    linked = all(chain.linked for chain in chains)
    name = "layers.0.forward"
    return index, Sequences(inputs, lengths, {name: initial}, outputs, d_outputs, {name: tuple(state[last] for state in ended)}, linked)


def _inputs(call: Call) -> Array:
    return np.asarray(call.inputs[0])


def _outputs(call: Call) -> Array:
    return np.asarray(call.outputs[0])


def _total(call: Call) -> Array:
    return np.asarray(call.d_outputs()[0])

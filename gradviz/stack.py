"""A stack of layers at work: forward over its sequences, bottom to top, and backward through them, top to bottom."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np

from gradviz.architecture import Architecture, Part
from gradviz.arrays import Array, Integers, Parameters, Rows
from gradviz.batch import NOTHING
from gradviz.cells import Weights
from gradviz.hooks import Hooks
from gradviz.passes import Gradients, Pass, States
from gradviz.tape import Tape
from gradviz.unroll import backward, by_token, forward, input_gradients, parameter_gradients, scatter

Pool = dict[tuple[object, ...], Tape]


class Wanted(NamedTuple):
    """Which gradients are asked for besides those of states and values: of parameters, of the vectors of tokens; and whether of an
    embedding only the rows that are not zero."""

    parameters: bool = True
    tokens: bool = False
    rows: bool = False


@dataclass(frozen=True)
class Trace:
    """What a stack leaves of a pass forward. outputs: (time, batch, width) of its highest layer; the rest as in `Pass`."""

    outputs: Array
    layer_inputs: list[Array | Integers]
    tapes: dict[str, Tape]
    weights: dict[str, Weights]
    masks: dict[int, Array]


@dataclass(frozen=True)
class Stack:
    """One part of a network, with what it needs of the whole. pool: buffers of earlier passes, by name and shape; dropping: draws what
    is dropped, None while nothing is."""

    part: Part
    parts: Architecture
    parameters: Parameters
    dtype: np.dtype
    hooks: Hooks
    pool: Pool
    dropping: np.random.Generator | None = None

    # ------------------------------------------------------------------ forward

    def forward(self, inputs: Array | Integers, padding: Array | None, initial: States, *, reuse: bool) -> Trace:
        """Run over sequences. inputs: tokens or values; padding: (time, batch, 1); initial: states by name, zero where there are none."""
        current = self._embedded(inputs, padding)
        layer_inputs: list[Array | Integers] = []
        tapes: dict[str, Tape] = {}
        weights: dict[str, Weights] = {}
        masks: dict[int, Array] = {}
        for layer in self.part.layers:
            layer_inputs.append(current)
            for name in self.part.names(layer):
                weights[name] = self.parts.model.cell.prepare(self._of_layer(name))
                tapes[name] = self._run(name, weights[name], current, padding, initial, reuse)
            current = joined([tapes[name].values("hidden") for name in self.part.names(layer)])
            if self.dropping is not None and self.parts.model.dropout and layer != self.part.layers[-1]:
                masks[layer] = self._mask(current.shape, self.dropping)
                current = current * masks[layer]
        return Trace(current, layer_inputs, tapes, weights, masks)

    def _mask(self, shape: tuple[int, ...], rng: np.random.Generator) -> Array:
        """Zero with the probability of dropout, otherwise so much more than 1 that the mean is 1: nothing need change when it ends."""
        kept = 1 - self.parts.model.dropout
        return np.asarray((rng.random(shape, np.float32) < kept) / self.dtype.type(kept), self.dtype)

    def _embedded(self, inputs: Array | Integers, padding: Array | None) -> Array | Integers:
        if inputs.ndim == 2:
            return self._vectors(inputs) if self.part.embedding else inputs
        values = inputs.astype(self.dtype, copy=False)
        masked: Array = values if padding is None else np.where(padding, np.zeros((), self.dtype), values)
        return masked

    def _vectors(self, tokens: Integers) -> Array:
        """The embedding's, zero where there is no token."""
        vectors: Array = self.parameters[self.part.embedding][tokens]
        if tokens.min() == NOTHING:
            vectors[tokens == NOTHING] = 0
        return vectors

    def _of_layer(self, name: str) -> Parameters:
        start = f"{name}."
        return {key.removeprefix(start): array for key, array in self.parameters.items() if key.startswith(start)}

    def _run(self, name: str, weights: Weights, inputs: Array | Integers, padding: Array | None, initial: States, reuse: bool) -> Tape:
        changes = self.hooks.changes(name, ["recurrent", *self.parts.made])
        shape = inputs.shape[0], inputs.shape[1], self.parts.model.units
        tape = self._tape(name, shape, separate_read="recurrent" in changes, reuse=reuse)
        tape.padding = padding
        for slot, state in zip(tape.initial, initial.get(name, (0,) * len(tape.initial)), strict=True):
            slot[...] = state
        forward(tape, weights, inputs, changes, name)
        for point in self.parts.made:
            self.hooks.show(f"{name}.{point}", partial(_values, tape, point))
        return tape

    def _tape(self, name: str, shape: tuple[int, int, int], *, separate_read: bool, reuse: bool) -> Tape:
        key = (name, shape, separate_read)
        if reuse and key in self.pool:
            return self.pool[key]
        tape = Tape(self.parts.model.cell, shape, self.dtype, backward=name.endswith("backward"), separate_read=separate_read)
        if reuse:
            self.pool[key] = tape
        return tape

    # ------------------------------------------------------------------ backward

    def backward(
        self, run: Pass, read: Array | Integers, arriving: Array, d_final: States, *, truncation: int = 0, wanted: Wanted
    ) -> Gradients:
        """Through all layers. read: what went into the stack; arriving: (time, batch, width), gradient of the highest layer's outputs;
        d_final: of final states, by name. Gives the gradients of the initial states, of values that were read, and of what is `wanted`."""
        gradients: Parameters = {}
        initial: States = {}
        rows: Rows = {}
        current: Array | None = arriving
        for layer in reversed(self.part.layers):
            above = current if layer not in run.masks or current is None else current * run.masks[layer]
            current = None
            for place, name in enumerate(self.part.names(layer)):
                initial[name] = self._backward_layer(run, name, self.share(above, place), d_final.get(name), truncation)
                below, tape = run.read_by(name), run.tapes[name]
                if wanted.parameters:
                    gradients |= {f"{name}.{key}": value for key, value in parameter_gradients(tape, below, self.part.reads).items()}
                inputs = None if below.ndim == 2 and not wanted.tokens else input_gradients(tape, self.parameters[f"{name}.weight_ih"])
                current = inputs if current is None else current + inputs
        if self.part.embedding and current is not None:
            if wanted.rows:
                rows[self.part.embedding], (gradients[self.part.embedding],) = by_token(read, current[None])
            elif wanted.parameters:
                gradients[self.part.embedding] = scatter(read, current[None], self.part.reads)[0]
            current = current if wanted.tokens else None
        return Gradients(gradients, current, initial, rows=rows)

    def share(self, both: Array | None, place: int) -> Array:
        """The part of (…, width) that belongs to one direction."""
        assert both is not None
        units = self.parts.model.units
        return both[..., place * units : (place + 1) * units]

    def _backward_layer(self, run: Pass, name: str, direct: Array, end: tuple[Array, ...] | None, truncation: int) -> tuple[Array, ...]:
        """Through one layer and direction; returns the gradients of its initial states and shows the rest to observers."""
        tape = run.tapes[name]
        tape.keep_through(self.hooks.split)
        initial = backward(tape, run.weights[name], direct, end or (None,) * len(self.parts.model.cell.states), truncation)
        for point in self.parts.made:
            self.hooks.show(f"{name}.{point}", partial(tape.gradients, point), self.parts.kinds(point))
        return initial


def handed_over(parts: Architecture, tapes: dict[str, Tape]) -> States:
    """Where a decoder starts: each layer from the final states of the encoder's layer of the same height, summed over directions, which
    keeps their width and takes no parameters."""
    start: States = {}
    for below, above in parts.pairs:
        ends = [tapes[name].final for name in parts.bottom.names(below)]
        start[f"layers.{above}.forward"] = tuple(np.sum(same, axis=0) for same in zip(*ends, strict=True))
    return start


def handed_back(parts: Architecture, ends: States, initial: States) -> States:
    """`ends` with the gradients of the decoder's initial states: each direction of the encoder's layer gets all of them."""
    given = {name: initial[f"layers.{above}.forward"] for below, above in parts.pairs for name in parts.bottom.names(below)}
    return ends | {name: plus(ends.get(name), gradients, len(gradients)) for name, gradients in given.items()}


def plus(given: tuple[Array, ...] | None, more: Sequence[Array], states: int) -> tuple[Array, ...]:
    """Gradients of a layer's states (zero if None), increased by `more`, which begins with the first of them."""
    start = given or (np.zeros_like(more[0]),) * states
    return (*map(np.add, start, more), *start[len(more) :])


def joined(parts: list[Array]) -> Array:
    """Arrays of one layer's directions side by side, (…, width)."""
    return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=2)


def _values(tape: Tape, point: str, kind: str) -> Array:
    return tape.values(point)

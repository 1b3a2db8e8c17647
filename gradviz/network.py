"""A recurrent network: (embedding →) a stack of layers that read forward, backward or both ways → readout."""

from contextlib import AbstractContextManager
from functools import partial

import numpy as np

from gradviz.architecture import Architecture
from gradviz.arrays import Array, Integers, Parameters
from gradviz.batch import Batch, Signature, check_at, check_inputs, padding_of
from gradviz.cells import Weights
from gradviz.config import Model
from gradviz.errors import ShapeError, unknown
from gradviz.hooks import Change, Hooks, Observer, Point, table
from gradviz.initializers import initialize
from gradviz.losses import LOSSES
from gradviz.passes import Gradients, Loss, Pass, States, check_states
from gradviz.tape import Tape
from gradviz.unroll import backward, forward, input_gradients, parameter_gradients, scatter


class Network:
    """`parameters` is a dict of arrays, changed in place by training. Arrays are (time, batch, unit)."""

    def __init__(self, model: Model, signature: Signature, *, dtype: str = "float32", seed: int = 0) -> None:
        parts = Architecture(model, signature)
        parameters = initialize(parts.shapes(), parts.blocks(), model.initialization, np.random.default_rng(seed), dtype, model.cell.begin)
        self._set_up(parts, parameters, dtype, Hooks(parts.hook_points))

    @classmethod
    def of(cls, parts: Architecture, parameters: Parameters, dtype: str, hooks: Hooks | None = None) -> "Network":
        """A network of given parts with given parameters, which become its own."""
        made = cls.__new__(cls)
        made._set_up(parts, parameters, dtype, hooks or Hooks(parts.hook_points))
        return made

    def _set_up(self, parts: Architecture, parameters: Parameters, dtype: str, hooks: Hooks) -> None:
        self.parts, self.model, self.signature = parts, parts.model, parts.signature
        self.parameters, self.dtype, self.hooks = parameters, np.dtype(dtype), hooks
        self._pool: dict[tuple[object, ...], Tape] = {}

    def astype(self, dtype: str, *, hooks: bool = False) -> "Network":
        """A copy that computes in another precision. hooks: share this network's observers and interventions."""
        parameters = {name: array.astype(dtype) for name, array in self.parameters.items()}
        return Network.of(self.parts, parameters, dtype, self.hooks if hooks else None)

    # ------------------------------------------------------------------ looking and changing

    def hook_points(self) -> list[Point]:
        """Every point that can be observed or changed."""
        return self.parts.hook_points()

    def points(self) -> str:
        """The hook points as a table: name, shape, meaning."""
        return table(self.hook_points())

    def observe(self, pattern: str, observer: Observer, gradient: bool | str = False) -> AbstractContextManager[None]:
        """See `Hooks.observe`."""
        return self.hooks.observe(pattern, observer, gradient)

    def intervene(self, pattern: str, change: Change) -> AbstractContextManager[None]:
        """See `Hooks.intervene`."""
        return self.hooks.intervene(pattern, change)

    # ------------------------------------------------------------------ forward

    def forward(
        self, inputs: Array | Integers, lengths: Integers | None = None, initial: States | None = None, *, at: str = "", reuse: bool = False
    ) -> Pass:
        """Run over a batch: inputs (time, batch) tokens or (time, batch, feature), lengths (batch,).

        at: read out at "every" step or the "last" of each sequence, as the signature says if empty. reuse: write into the
        buffers of the last pass of the same shape; arrays seen in that pass are overwritten.
        """
        check_inputs(inputs, self.signature)
        check_at(at := at or self.signature.at)
        self._check_states(initial or {}, inputs)
        padding = padding_of(inputs, lengths)
        current = self._embedded(inputs, padding)
        tapes: dict[str, Tape] = {}
        weights: dict[str, Weights] = {}
        layer_inputs = []
        for layer in range(self.model.layers):
            layer_inputs.append(current)
            names = [f"layers.{layer}.{direction}" for direction in self.parts.directions]
            for name in names:
                weights[name] = self.model.cell.prepare(self._layer_parameters(name))
                tapes[name] = self._run(name, weights[name], current, padding, initial or {}, reuse)
            current = _joined([tapes[name].values("hidden") for name in names])
        features = current if at == "every" else _joined([tapes[name].final[0][None] for name in names])
        with np.errstate(all="ignore"):
            logits = features @ self.parameters["readout.weight"] + self.parameters["readout.bias"]
        self.hooks.show("readout.logits", lambda kind: logits)
        final = {name: tuple(state.copy() for state in tape.final) for name, tape in tapes.items()}
        return Pass(inputs, at, logits, final, features, layer_inputs, tapes, weights)

    def _check_states(self, states: States, inputs: Array | Integers) -> None:
        names = [f"layers.{layer}.{direction}" for layer, direction in self.parts.places]
        check_states(states, names, len(self.model.cell.states), (inputs.shape[1], self.model.units))

    def _embedded(self, inputs: Array | Integers, padding: Array | None) -> Array | Integers:
        if self.signature.tokens:
            return self.parameters["embedding.weight"][inputs] if self.parts.embeds else inputs
        values = inputs.astype(self.dtype, copy=False)
        masked: Array = values if padding is None else np.where(padding, np.zeros((), self.dtype), values)
        return masked

    def _layer_parameters(self, name: str) -> Parameters:
        start = f"{name}."
        return {key.removeprefix(start): array for key, array in self.parameters.items() if key.startswith(start)}

    def _run(self, name: str, weights: Weights, inputs: Array | Integers, padding: Array | None, initial: States, reuse: bool) -> Tape:
        changes = self.hooks.changes(name, ["recurrent", *self.parts.made])
        tape = self._tape(name, (inputs.shape[0], inputs.shape[1], self.model.units), separate_read="recurrent" in changes, reuse=reuse)
        tape.padding = padding
        for slot, state in zip(tape.initial, initial.get(name, (0,) * len(tape.initial)), strict=True):
            slot[...] = state
        forward(tape, weights, inputs, changes, name)
        for point in self.parts.made:
            self.hooks.show(f"{name}.{point}", partial(_values, tape, point))
        return tape

    def _tape(self, name: str, shape: tuple[int, int, int], *, separate_read: bool, reuse: bool) -> Tape:
        key = (name, shape, separate_read)
        if reuse and key in self._pool:
            return self._pool[key]
        tape = Tape(self.model.cell, shape, self.dtype, backward=name.endswith("backward"), separate_read=separate_read)
        if reuse:
            self._pool[key] = tape
        return tape

    # ------------------------------------------------------------------ loss

    def loss(self, run: Pass, batch: Batch, *, reduction: str = "mean") -> Loss:
        """The loss of a pass. reduction: whether `d_outputs` is the gradient of the "mean" per counted step or of the "sum"
        over time (mean over the batch)."""
        if self.signature.loss not in LOSSES:
            raise unknown("loss", self.signature.loss, LOSSES)
        if reduction not in ("mean", "sum"):
            raise unknown("reduction", reduction, ("mean", "sum"))
        at_last = run.at == "last"
        targets = self._last_targets(batch) if at_last else batch.targets
        mask = np.ones((1, batch.size), bool) if at_last else batch.mask
        count = int(mask.sum())
        real = np.zeros((), self.dtype).real.dtype
        per_step, d_outputs = LOSSES[self.signature.loss](run.outputs, targets, mask.astype(real))
        total = per_step.sum(dtype=np.result_type(per_step.dtype, np.float64)).item()
        scale = count if reduction == "mean" else batch.size
        return Loss(total / count, total / batch.size, per_step, d_outputs / real.type(scale), count)

    def _last_targets(self, batch: Batch) -> Array | Integers:
        """(1, batch, …): the targets of each sequence's last step."""
        if self.signature.at == "last":
            return batch.targets[None]
        if batch.targets.shape[:2] != (batch.steps, batch.size):
            raise ShapeError(f"targets have shape {batch.targets.shape}; those of every step begin with {(batch.steps, batch.size)}.")
        last = np.full(batch.size, batch.steps) if batch.lengths is None else np.asarray(batch.lengths)
        ends: Array = batch.targets[last - 1, np.arange(batch.size)]
        return ends[None]

    # ------------------------------------------------------------------ backward

    def backward(
        self, run: Pass, d_outputs: Array, d_final: States | None = None, *, truncation: int = 0, parameters: bool = True
    ) -> Gradients:
        """Backpropagation through time: gradients of all parameters, of the inputs and of the initial states.

        d_outputs: gradient of the loss with respect to `run.outputs`; d_final: with respect to `run.final`, where it matters.
        parameters: false leaves the parameters' gradients out, for those who look at states alone.
        """
        if d_outputs.shape != run.outputs.shape:
            raise ShapeError(f"d_outputs have shape {d_outputs.shape}; the outputs of this pass have shape {run.outputs.shape}.")
        self._check_states(d_final or {}, run.inputs)
        self.hooks.show("readout.logits", lambda kind: d_outputs, ("total",))
        flat = d_outputs.reshape(-1, d_outputs.shape[2])
        with np.errstate(all="ignore"):
            gradients: Parameters = {}
            if parameters:
                gradients = {"readout.weight": run.features.reshape(len(flat), -1).T @ flat, "readout.bias": flat.sum(axis=0)}
            current: Array | None = d_outputs @ self.parameters["readout.weight"].T
        ends = dict(d_final or {})
        if run.at == "last" and current is not None:
            ends = self._with_readout(ends, current[0])
            current = np.zeros((*run.inputs.shape[:2], self.parts.width), self.dtype)
        initial: States = {}
        for layer in reversed(range(self.model.layers)):
            arriving, current = current, None
            for place, direction in enumerate(self.parts.directions):
                name = f"layers.{layer}.{direction}"
                initial[name] = self._backward_layer(run, name, self._share(arriving, place), ends.get(name), truncation)
                if parameters:
                    found = parameter_gradients(run.tapes[name], run.read_by(name), self.signature.inputs)
                    gradients |= {f"{name}.{key}": value for key, value in found.items()}
                inputs = self._input_gradients(run, name)
                current = inputs if current is None else current + inputs
        if self.parts.embeds and current is not None:
            gradients["embedding.weight"], current = scatter(run.inputs, current[None], self.signature.inputs)[0], None
        return Gradients({name: gradients[name] for name in self.parameters if name in gradients}, current, initial)

    def _share(self, both: Array | None, place: int) -> Array:
        """The part of (…, width) that belongs to one direction."""
        assert both is not None
        return both[..., place * self.model.units : (place + 1) * self.model.units]

    def _with_readout(self, ends: States, d_features: Array) -> States:
        """Add what a readout of the last step sends back to the final states of the top layer."""
        for place, direction in enumerate(self.parts.directions):
            name, d_hidden = f"layers.{self.model.layers - 1}.{direction}", self._share(d_features, place)
            given = ends.get(name, (np.zeros_like(d_hidden),) * len(self.model.cell.states))
            ends[name] = (given[0] + d_hidden, *given[1:])
        return ends

    def _backward_layer(self, run: Pass, name: str, direct: Array, end: tuple[Array, ...] | None, truncation: int) -> tuple[Array, ...]:
        """Through one layer and direction; returns the gradients of its initial states and shows the rest to observers."""
        tape = run.tapes[name]
        tape.keep_through(self.hooks.split)
        initial = backward(tape, run.weights[name], direct, end or (None,) * len(self.model.cell.states), truncation)
        for point in self.parts.made:
            self.hooks.show(f"{name}.{point}", partial(tape.gradients, point), self.parts.kinds(point))
        return initial

    def _input_gradients(self, run: Pass, name: str) -> Array | None:
        """(time, batch, input) of what the layer read; None for tokens."""
        return None if run.read_by(name).ndim == 2 else input_gradients(run.tapes[name], self.parameters[f"{name}.weight_ih"])


def _joined(parts: list[Array]) -> Array:
    return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=2)


def _values(tape: Tape, point: str, kind: str) -> Array:
    return tape.values(point)

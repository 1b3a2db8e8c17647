"""A recurrent network: (embedding →) a stack of layers, each forward or bidirectional, → readout."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass

import numpy as np

from gradviz.arrays import Array, Integers, Parameters
from gradviz.batch import Batch, Signature
from gradviz.cells import Weights
from gradviz.config import Model
from gradviz.errors import GradvizError, ShapeError
from gradviz.hooks import Change, Hooks, Observer, Point, table
from gradviz.initializers import initialize
from gradviz.losses import LOSSES
from gradviz.tape import Tape
from gradviz.unroll import LayerGradients, backward, forward, input_gradients, parameter_gradients, scatter

States = dict[str, tuple[Array, ...]]  # by "layers.<l>.<direction>": one (batch, unit) per state of the cell


@dataclass(frozen=True)
class Pass:
    """A pass forward. outputs: (time, batch, output), or (1, batch, output) if only the last step is read out; final: the
    states after the last step; the tapes hold everything in between until the next pass reuses them."""

    outputs: Array
    final: States
    tapes: dict[str, Tape]
    weights: dict[str, Weights]
    layer_inputs: list[Array | Integers]
    tokens: Array | Integers
    features: Array
    at: str
    lengths: Integers | None


@dataclass(frozen=True)
class Gradients:
    """parameters: by name; inputs: (time, batch, feature), None for tokens; initial: of the states before the first step."""

    parameters: Parameters
    inputs: Array | None
    initial: States


@dataclass(frozen=True)
class Loss:
    """mean: per counted step; sum: over the steps of a sequence, mean over the batch (the course notes' L); per_step:
    (time, batch); d_outputs: gradient of the chosen one of the two; count: steps that count."""

    mean: float
    sum: float
    per_step: Array
    d_outputs: Array
    count: int


class Network:
    """`parameters` is a dict of arrays, changed in place by training. Arrays are (time, batch, unit)."""

    def __init__(self, model: Model, signature: Signature, *, dtype: str = "float32", seed: int = 0) -> None:
        self.model, self.signature, self.dtype = model, signature, np.dtype(dtype)
        self.directions = ("forward", "backward") if model.bidirectional else ("forward",)
        self.parameters: Parameters = initialize(self.shapes(), self.blocks(), model.initialization, np.random.default_rng(seed), self.dtype)
        self.hooks = Hooks(self.hook_points)
        self._pool: dict[tuple[object, ...], Tape] = {}

    # ------------------------------------------------------------------ what there is

    @property
    def places(self) -> list[tuple[int, str]]:
        """(layer, direction) of every recurrent layer, bottom first."""
        return [(layer, direction) for layer in range(self.model.layers) for direction in self.directions]

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Names and shapes of all parameters."""
        model, signature, shapes = self.model, self.signature, {}
        width = signature.inputs
        if signature.tokens and model.embedding:
            shapes["embedding.weight"] = (signature.inputs, model.embedding)
            width = model.embedding
        for layer, direction in self.places:
            fan_in = width if layer == 0 else model.units * len(self.directions)
            shapes |= {f"layers.{layer}.{direction}.{name}": shape for name, shape in model.cell.shapes(fan_in, model.units).items()}
        return shapes | {"readout.weight": (model.units * len(self.directions), signature.outputs), "readout.bias": (signature.outputs,)}

    def blocks(self) -> dict[str, tuple[str, ...]]:
        """For each parameter of a layer the names of its blocks (gates), in the order of its first axis."""
        stacked = ("weight_ih", "weight_hh", "bias")
        return {name: self.model.cell.blocks for name in self.shapes() if name.startswith("layers.") and name.endswith(stacked)}

    def hook_points(self) -> list[Point]:
        """Every point that can be observed; `print(network.points())` shows them."""
        cell, points = self.model.cell, []
        shape = f"(time, batch, {self.model.units})"
        meaning = {
            "recurrent": "hidden state as the step reads it, h_{t-1}",
            "hidden": "hidden state h_t, the layer's output",
            "cell": "cell state c_t",
            "candidate": "proposed new content",
        }
        for layer, direction in self.places:
            made = [point for _, points_made in cell.stages for point in points_made]
            for point in ["recurrent", *made]:
                name = f"layers.{layer}.{direction}.{point}"
                points.append(Point(name, shape, meaning.get(point, f"{point.removeprefix('gate.')} gate, 0 to 1"), point != "recurrent"))
        steps = "time" if self.signature.at == "every" else "1"
        points.append(Point("readout.logits", f"({steps}, batch, {self.signature.outputs})", "outputs before softmax or loss", changeable=False))
        return points

    def points(self) -> str:
        """The hook points as a table: name, shape, meaning."""
        return table(self.hook_points())

    def observe(self, pattern: str, observer: Observer, gradient: bool | str = False) -> AbstractContextManager[None]:
        """See `Hooks.observe`."""
        return self.hooks.observe(pattern, observer, gradient)

    def intervene(self, pattern: str, change: Change) -> AbstractContextManager[None]:
        """See `Hooks.intervene`."""
        return self.hooks.intervene(pattern, change)

    def astype(self, dtype: str) -> "Network":
        """A copy that computes in another precision; it has no hooks."""
        other = Network.__new__(Network)
        other.model, other.signature, other.dtype, other.directions = self.model, self.signature, np.dtype(dtype), self.directions
        other.parameters = {name: array.astype(dtype) for name, array in self.parameters.items()}
        other.hooks, other._pool = Hooks(other.hook_points), {}
        return other

    # ------------------------------------------------------------------ forward

    def forward(
        self, inputs: Array | Integers, lengths: Integers | None = None, initial: States | None = None, *, at: str = "", reuse: bool = False
    ) -> Pass:
        """Run over a batch: inputs (time, batch) tokens or (time, batch, feature), lengths (batch,).

        at: read out at "every" step or the "last" of each sequence, as the signature says if empty. reuse: write into the
        buffers of the last pass of the same shape; arrays seen in that pass are overwritten.
        """
        self._check(inputs)
        at = at or self.signature.at
        padding = self._padding(inputs, lengths)
        current: Array | Integers = self._embedded(inputs, padding)
        tapes: dict[str, Tape] = {}
        weights: dict[str, Weights] = {}
        layer_inputs = []
        for layer in range(self.model.layers):
            layer_inputs.append(current)
            for direction in self.directions:
                name = f"layers.{layer}.{direction}"
                weights[name] = self.model.cell.prepare(self._layer_parameters(name))
                tapes[name] = self._run(name, weights[name], current, padding, initial, reuse)
            outputs = [tapes[f"layers.{layer}.{direction}"].values("hidden") for direction in self.directions]
            current = outputs[0] if len(outputs) == 1 else np.concatenate(outputs, axis=2)
        if at == "last":
            top = self.model.layers - 1
            current = np.concatenate([tapes[f"layers.{top}.{direction}"].final[0] for direction in self.directions], axis=1)[None]
        with np.errstate(all="ignore"):
            logits = current @ self.parameters["readout.weight"] + self.parameters["readout.bias"]
        self.hooks.show("readout.logits", lambda kind: logits, gradient=False)
        final = {name: tuple(state.copy() for state in tape.final) for name, tape in tapes.items()}
        return Pass(logits, final, tapes, weights, layer_inputs, inputs, current, at, lengths)

    def _check(self, inputs: Array | Integers) -> None:
        signature, wanted = self.signature, "(time, batch) token ids" if self.signature.tokens else f"(time, batch, {self.signature.inputs})"
        fits = inputs.ndim == 2 if signature.tokens else inputs.ndim == 3 and inputs.shape[2] == signature.inputs
        if not fits or (signature.tokens and not np.issubdtype(inputs.dtype, np.integer)):
            raise ShapeError(f"inputs are {inputs.dtype} of shape {inputs.shape}; this network takes {wanted}.")
        if signature.tokens and inputs.size and not (inputs.min() >= 0 and inputs.max() < signature.inputs):
            raise GradvizError(f"token ids run from {inputs.min()} to {inputs.max()}; they must be between 0 and {signature.inputs - 1}.")

    def _padding(self, inputs: Array | Integers, lengths: Integers | None) -> Array | None:
        if lengths is None or bool(np.all(np.asarray(lengths) == len(inputs))):
            return None
        Batch._check_lengths(np.asarray(lengths), *inputs.shape[:2])
        return (np.arange(len(inputs))[:, None] >= np.asarray(lengths)[None, :])[..., None]

    def _embedded(self, inputs: Array | Integers, padding: Array | None) -> Array | Integers:
        if not self.signature.tokens:
            values = inputs.astype(self.dtype, copy=False)
            return values if padding is None else np.where(padding, np.zeros((), self.dtype), values)
        return self.parameters["embedding.weight"][inputs] if self.model.embedding else inputs

    def _layer_parameters(self, name: str) -> Parameters:
        return {key: self.parameters[f"{name}.{key}"] for key in self.model.cell.shapes(1, self.model.units)}

    def _run(self, name: str, weights: Weights, inputs: Array | Integers, padding: Array | None, initial: States | None, reuse: bool) -> Tape:
        cell = self.model.cell
        changes = self.hooks.changes(name, ["recurrent", *(point for _, points in cell.stages for point in points)])
        tape = self._tape(name, (*inputs.shape[:2], self.model.units), separate_read="recurrent" in changes, reuse=reuse)
        tape.padding = padding
        given = (initial or {}).get(name, (0,) * len(cell.states))
        for slot, state in zip(tape.initial, given, strict=True):
            slot[...] = state
        forward(tape, weights, inputs, changes, name)
        for point in [point for _, points in cell.stages for point in points]:
            self.hooks.show(f"{name}.{point}", lambda kind, point=point: tape.values(point), gradient=False)
        return tape

    def _tape(self, name: str, shape: tuple[int, int, int], *, separate_read: bool, reuse: bool) -> Tape:
        key = (name, shape, separate_read)
        if reuse and key in self._pool:
            return self._pool[key]
        tape = Tape(self.model.cell, shape, self.dtype, backward=name.endswith("backward"), separate_read=separate_read)
        if reuse:
            self._pool[key] = tape
        return tape

    # ------------------------------------------------------------------ loss and backward

    def loss(self, run: Pass, batch: Batch, *, reduction: str = "mean") -> Loss:
        """The loss of a pass. reduction: whether `d_outputs` is the gradient of the "mean" per counted step or of the "sum"
        over time (mean over the batch)."""
        targets, mask = batch.targets, batch.mask
        if run.at == "last":
            if self.signature.at == "every":  # only the last step of each sequence counts
                last = (np.full(batch.size, batch.steps) if batch.lengths is None else np.asarray(batch.lengths)) - 1
                targets = batch.targets[last, np.arange(batch.size)]
            targets, mask = targets[None], np.ones((1, batch.size), bool)
        count = int(mask.sum())
        scale = count if reduction == "mean" else batch.size
        real = np.zeros((), self.dtype).real.dtype
        per_step, d_outputs = LOSSES[self.signature.loss](run.outputs, targets, mask.astype(real))
        total = per_step.sum(dtype=np.result_type(per_step.dtype, np.float64))
        plain = complex if np.iscomplexobj(per_step) else float
        return Loss(plain(total / count), plain(total / batch.size), per_step, d_outputs / real.type(scale), count)

    def backward(self, run: Pass, d_outputs: Array, d_final: States | None = None, *, truncation: int = 0) -> Gradients:
        """Backpropagation through time: gradients of all parameters, of the inputs and of the initial states.

        d_outputs: gradient of the loss with respect to `run.outputs`; d_final: with respect to `run.final`, where it matters.
        """
        self.hooks.show("readout.logits", lambda kind: d_outputs, gradient=True)
        flat = d_outputs.reshape(-1, d_outputs.shape[2])
        with np.errstate(all="ignore"):
            gradients = {"readout.weight": run.features.reshape(len(flat), -1).T @ flat, "readout.bias": flat.sum(axis=0)}
            d_features = d_outputs @ self.parameters["readout.weight"].T
        ends = self._ends(run, d_features if run.at == "last" else None, d_final or {})
        current = d_features if run.at == "every" else np.zeros((*run.tokens.shape[:2], d_features.shape[2]), self.dtype)
        initial: States = {}
        for layer in reversed(range(self.model.layers)):
            below: Array | None = None
            for place, direction in enumerate(self.directions):
                name = f"layers.{layer}.{direction}"
                direct = current[:, :, place * self.model.units : (place + 1) * self.model.units]
                part = self._backward_layer(run, name, layer, direct, ends.get(name), truncation)
                gradients |= {f"{name}.{key}": value for key, value in part.parameters.items()}
                initial[name] = part.initial
                below = part.inputs if below is None else below + part.inputs
            current = below if below is not None else current
        d_inputs: Array | None = below
        if "embedding.weight" in self.parameters and below is not None:
            gradients["embedding.weight"], d_inputs = scatter(run.tokens, below[None], self.signature.inputs)[0], None
        return Gradients({name: gradients[name] for name in self.parameters}, d_inputs, initial)

    def _ends(self, run: Pass, d_last: Array | None, d_final: States) -> States:
        """Gradients that arrive at the final states: from the caller, and from a readout of the last step."""
        ends = dict(d_final)
        if d_last is not None:
            for place, direction in enumerate(self.directions):
                name = f"layers.{self.model.layers - 1}.{direction}"
                d_hidden = d_last[0][:, place * self.model.units : (place + 1) * self.model.units]
                given = ends.get(name, (np.zeros_like(d_hidden),) * len(self.model.cell.states))
                ends[name] = (given[0] + d_hidden, *given[1:])
        return ends

    def _backward_layer(
        self, run: Pass, name: str, layer: int, direct: Array, end: tuple[Array, ...] | None, truncation: int
    ) -> LayerGradients:
        tape, inputs = run.tapes[name], run.layer_inputs[layer]
        initial = backward(tape, run.weights[name], direct, end or (None,) * len(self.model.cell.states), truncation)
        parameters = parameter_gradients(tape, inputs, self.signature.inputs)
        for _, points in self.model.cell.stages:
            for point in points:
                self.hooks.show(f"{name}.{point}", lambda kind, point=point: tape.gradients(point, kind or "total"), gradient=True)
        d_inputs = None if inputs.ndim == 2 else input_gradients(tape, self.parameters[f"{name}.weight_ih"])
        return LayerGradients(parameters, d_inputs, initial)

    def named_gates(self) -> Iterator[tuple[str, str, Callable[[Array], Array]]]:
        """(parameter, gate, view) for every block of every parameter: `view(array)` picks the block; gate is "" for a whole."""
        blocks = self.blocks()
        for name in self.parameters:
            for index, gate in enumerate(blocks.get(name, ("",))):
                yield name, gate, (lambda array, index=index: array[index]) if name in blocks else (lambda array: array)

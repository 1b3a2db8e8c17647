"""A recurrent network: (embedding →) a stack of layers → readout; or two stacks, an encoder and a decoder, → readout."""

import math
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace

import numpy as np

from gradviz.architecture import Architecture, Part
from gradviz.arrays import Array, Integers, Parameters, Rows
from gradviz.batch import Batch, Reading, Signature, check_at, check_inputs, padding_of
from gradviz.config import Model
from gradviz.errors import GradvizError, ShapeError
from gradviz.hooks import Change, Hooks, Observer, Point, table
from gradviz.initializers import Layout, initialize
from gradviz.passes import Gradients, Learned, Loss, Pass, States, check_states
from gradviz.readout import MOST, Asked, Readout, last_targets
from gradviz.stack import Stack, Wanted, handed_back, handed_over, joined, plus
from gradviz.tape import Tape

UNCUT = (
    "truncation does not go with an encoder–decoder network: cut inside the decoder, the gradient of all steps but the first few would "
    "never reach the encoder. Use truncation 0."
)


class Network:
    """`parameters` is a dict of arrays, changed in place by training. Arrays are (time, batch, unit)."""

    def __init__(self, model: Model, signature: Signature, *, dtype: str = "float32", seed: int = 0) -> None:
        parts = Architecture(model, signature)
        layout, rng = Layout(parts.shapes(), parts.blocks(), parts.lowest), np.random.default_rng(seed)
        parameters = initialize(layout, model.initialization, rng, dtype, model.cell.begin)
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
        self._dropping: np.random.Generator | None = None

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

    @contextmanager
    def dropping(self, rng: np.random.Generator) -> Iterator[None]:
        """In this block passes forward drop outputs between layers, as `Model.dropout` says; `rng` draws which. Without it nothing is
        dropped: so it should be wherever a network is not trained."""
        self._dropping = rng
        try:
            yield
        finally:
            self._dropping = None

    # ------------------------------------------------------------------ forward

    def forward(
        self,
        inputs: Array | Integers,
        lengths: Integers | None = None,
        initial: States | None = None,
        *,
        decoder: Reading | None = None,
        at: str = "",
        reuse: bool = False,
    ) -> Pass:
        """Run over a batch: inputs (time, batch) tokens or (time, batch, feature), lengths (batch,).

        decoder: what the decoder of an encoder–decoder network reads; it starts from the encoder's final states, so that `initial` are
        the encoder's. at: read out at "every" step or the "last" of each sequence, as the signature says if empty. reuse: write into
        the buffers of the last pass of the same shape; arrays seen in that pass are overwritten.
        """
        check_inputs(inputs, self.signature)
        check_at(at := at or self.signature.at)
        self._check_decoder(decoder, inputs, at)
        self._check_states(initial or {}, inputs, self.parts.bottom.places)
        run = self._unread(Reading(inputs, lengths), initial or {}, decoder, at, reuse=reuse)
        outputs = self.readout.outputs(run.features)
        self.hooks.show("readout.logits", lambda kind: outputs)
        return replace(run, outputs=outputs)

    def _unread(self, reading: Reading, initial: States, decoder: Reading | None, at: str, *, reuse: bool) -> Pass:
        """A pass that is not read out yet: its outputs are of no step."""
        trace = self._stack(self.parts.bottom).forward(reading.inputs, padding_of(reading.inputs, reading.lengths), initial, reuse=reuse)
        layer_inputs, tapes, weights, masks, top = trace.layer_inputs, trace.tapes, trace.weights, trace.masks, trace.outputs
        if decoder is not None:
            padding = padding_of(decoder.inputs, decoder.lengths)
            later = self._stack(self.parts.top).forward(decoder.inputs, padding, handed_over(self.parts, tapes), reuse=reuse)
            layer_inputs, tapes, top = layer_inputs + later.layer_inputs, tapes | later.tapes, later.outputs
            weights, masks = weights | later.weights, masks | later.masks
        features = joined([tapes[name].final[0][None] for name in self.parts.highest]) if at == "last" else top
        final = {name: tuple(state.copy() for state in tape.final) for name, tape in tapes.items()}
        outputs = np.zeros((0, reading.size, self.signature.outputs), self.dtype)
        read = None if decoder is None else decoder.inputs
        return Pass(reading.inputs, at, outputs, final, features, layer_inputs, tapes, weights, read, masks)

    @property
    def readout(self) -> Readout:
        """What turns features into outputs; with tied weights it is the embedding, transposed."""
        weight = self.parameters[self.parts.top.embedding].T if self.model.tied else self.parameters["readout.weight"]
        return Readout(weight, self.parameters["readout.bias"])

    def _stack(self, part: Part) -> Stack:
        return Stack(part, self.parts, self.parameters, self.dtype, self.hooks, self._pool, self._dropping)

    def _check_states(self, states: States, inputs: Array | Integers, places: list[tuple[int, str]]) -> None:
        names = [f"layers.{layer}.{direction}" for layer, direction in places]
        check_states(states, names, len(self.model.cell.states), (inputs.shape[1], self.model.units))

    def _check_decoder(self, decoder: Reading | None, inputs: Array | Integers, at: str) -> None:
        decodes = self.signature.at == "decoded"
        if decodes != (at == "decoded"):
            raise GradvizError(f"the readout cannot be at {at!r}: this network {'has a' if decodes else 'has no'} decoder.")
        if decoder is None and not decodes:
            return
        if decoder is None:
            raise GradvizError("this network has a decoder, which needs inputs of its own: give Batch.decoder (see gradviz.shapes).")
        if not decodes:
            raise GradvizError("there are inputs for a decoder, but this network has none: its signature is not at 'decoded'.")
        check_inputs(decoder.inputs, self.signature.of_decoder, decoder.whose)
        if decoder.size != inputs.shape[1]:
            raise ShapeError(f"the decoder reads {decoder.size} sequences, the encoder {inputs.shape[1]}; every example has one for each.")

    # ------------------------------------------------------------------ loss

    def loss(self, run: Pass, batch: Batch, *, reduction: str = "mean") -> Loss:
        """The loss of a pass. reduction: whether `d_outputs` is the gradient of the "mean" per counted step or of the "sum"
        over time (mean over the batch)."""
        return self._asked(batch, run.at, reduction).of(run.outputs)

    def _asked(self, batch: Batch, at: str, reduction: str) -> Asked:
        if at != "last":
            return Asked(self.signature.loss, batch.targets, batch.answered.mask, reduction)
        targets = batch.targets[None] if self.signature.at == "last" else last_targets(batch)
        return Asked(self.signature.loss, targets, np.ones((1, batch.size), bool), reduction)

    def learn(self, batch: Batch, initial: States | None = None, *, reduction: str = "mean", truncation: int = 0) -> Learned:
        """Forward, loss, backward, in the buffers of the last batch: what `forward`, `loss` and `backward` do one after the other.

        Of many outputs, such as those of a large vocabulary, only some steps' are there at once, unless somebody observes
        `readout.logits`; then neither the pass has outputs nor the loss their gradient. Of the gradient of an embedding there are the
        rows of the tokens that occur, as `Gradients.rows` says, unless it is tied to the readout, which touches all.
        """
        wanted = Wanted(rows=not self.model.tied)
        at = self.signature.at
        many = math.prod(batch.targets.shape[:2]) * self.signature.outputs > MOST
        if at == "last" or not many or self.hooks.observed("readout.logits"):
            run = self.forward(batch.inputs, batch.lengths, initial, decoder=batch.decoder, reuse=True)
            loss = self.loss(run, batch, reduction=reduction)
            self._check_backward(run, loss.d_outputs, {}, truncation)
            self.hooks.show("readout.logits", lambda kind: loss.d_outputs, ("total",))
            gradients, arriving = self.readout.back(run.features, loss.d_outputs)
            return Learned(run, loss, self._backward(run, gradients, arriving, {}, truncation, wanted))
        check_inputs(batch.inputs, self.signature)
        self._check_decoder(batch.decoder, batch.inputs, at)
        self._check_states(initial or {}, batch.inputs, self.parts.bottom.places)
        run = self._unread(batch.reading, initial or {}, batch.decoder, at, reuse=True)
        loss, gradients, arriving = self.readout.in_pieces(run.features, self._asked(batch, at, reduction))
        self._check_backward(run, run.outputs, {}, truncation)
        return Learned(run, loss, self._backward(run, gradients, arriving, {}, truncation, wanted))

    # ------------------------------------------------------------------ backward

    def backward(
        self,
        run: Pass,
        d_outputs: Array,
        d_final: States | None = None,
        *,
        truncation: int = 0,
        parameters: bool = True,
        tokens: bool = False,
    ) -> Gradients:
        """Backpropagation through time: gradients of all parameters, of the inputs and of the initial states.

        d_outputs: gradient of the loss with respect to `run.outputs`; d_final: with respect to `run.final`, where it matters.
        parameters: false leaves the parameters' gradients out, for those who look at states alone; tokens: true gives the gradient with
        respect to the vectors of input tokens, as `Gradients.inputs`.
        """
        self._check_backward(run, d_outputs, d_final or {}, truncation)
        self.hooks.show("readout.logits", lambda kind: d_outputs, ("total",))
        gradients, arriving = self.readout.back(run.features, d_outputs)
        wanted = Wanted(parameters, tokens)
        return self._backward(run, gradients if parameters else {}, arriving, d_final or {}, truncation, wanted)

    def _backward(self, run: Pass, gradients: Parameters, arriving: Array, ends: States, truncation: int, wanted: Wanted) -> Gradients:
        """From the gradient that arrives at the features on. gradients: those of the readout, if they are wanted."""
        if run.at == "last":
            ends, arriving = self._with_readout(ends, arriving[0]), self._nothing(run.inputs)
        d_decoder: Array | None = None
        rows: Rows = {}
        if run.decoder_inputs is not None:
            later = self._stack(self.parts.top).backward(run, run.decoder_inputs, arriving, ends, wanted=wanted)
            gradients, rows = gradients | later.parameters, later.rows
            ends, arriving, d_decoder = handed_back(self.parts, ends, later.initial), self._nothing(run.inputs), later.inputs
        found = self._stack(self.parts.bottom).backward(run, run.inputs, arriving, ends, truncation=truncation, wanted=wanted)
        gradients |= found.parameters
        if wanted.parameters and self.model.tied:
            gradients[self.parts.top.embedding] += gradients.pop("readout.weight").T
        own = {name: gradients[name] for name in self.parameters if name in gradients}
        return Gradients(own, found.inputs, found.initial, d_decoder, rows | found.rows)

    def _check_backward(self, run: Pass, d_outputs: Array, d_final: States, truncation: int) -> None:
        if d_outputs.shape != run.outputs.shape:
            raise ShapeError(f"d_outputs have shape {d_outputs.shape}; the outputs of this pass have shape {run.outputs.shape}.")
        self._check_states(d_final, run.inputs, self.parts.places)
        if truncation and run.decoder_inputs is not None:
            raise GradvizError(UNCUT)

    def _nothing(self, inputs: Array | Integers) -> Array:
        """(time, batch, width) zeros: the gradient of outputs that nobody reads."""
        return np.zeros((*inputs.shape[:2], self.parts.width(self.parts.bottom)), self.dtype)

    def _with_readout(self, ends: States, d_features: Array) -> States:
        """Add what a readout of the last step sends back to the final states of the top layer."""
        top, names, states = self._stack(self.parts.top), self.parts.highest, len(self.model.cell.states)
        return ends | {name: plus(ends.get(name), [top.share(d_features, place)], states) for place, name in enumerate(names)}

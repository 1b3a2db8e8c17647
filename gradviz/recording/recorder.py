"""The recorder: watches a training, reduces at once what it sees, and hands rows to the store."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Protocol

import numpy as np

from gradviz.arrays import Array, Parameters, norm
from gradviz.batch import Batch
from gradviz.config import Recording
from gradviz.hooks import layer_of
from gradviz.network import Network
from gradviz.passes import Pass
from gradviz.quantities import QUANTITIES
from gradviz.recording import reach, trouble
from gradviz.recording.seen import Row, Seen, where
from gradviz.schedules import every


class Sink(Protocol):
    """Whatever takes rows: a `RunWriter`, or a list in a test."""

    def append(self, table: str, row: Row) -> None: ...


class Recorder:
    """Memory is bounded by one step's rows; the sink writes them in batches."""

    def __init__(self, network: Network, options: Recording, sink: Sink, held_out: Batch, updates: int) -> None:
        self.network, self.options, self.sink, self.held_out = network, options, sink, held_out
        self.exact = network.astype("float64")  # reach and probe are measured in double precision
        last = max(updates - 1, 0)
        self.details_due = every(options.every, last)
        self.reach_due, self.probe_due = every(options.reach_every, updates), every(options.probe_every, updates)
        self.loss_due = every(options.validate_every, updates)
        self.probed = held_out.some(slice(options.probe_examples), network.signature.at)
        self.start = {name: array.copy() for name, array in network.parameters.items()}
        self.quantities = [(name, QUANTITIES[name]()) for name in QUANTITIES]
        self.located = False

    # ------------------------------------------------------------------ while a batch passes through

    @contextmanager
    def watching(self, step: int, batch: Batch) -> Iterator[None]:
        """Observe this step's pass if it is due. Nothing is observed, and nothing costs anything, if it is not."""
        if not self.details_due(step):
            yield
            return
        seen = Seen(self.quantities, self._masks(batch))
        with ExitStack() as stack:
            stack.enter_context(self.network.observe("layers.*", seen.activations))
            for state in self.network.model.cell.states:
                stack.enter_context(self.network.observe(f"layers.*.{state}", seen.gradients, gradient=True))
            yield
        for table, row in seen.rows():
            self.sink.append(table, {"step": step, **row})

    def _masks(self, batch: Batch) -> dict[int, Array | None]:
        """By layer: the mask of the sequences that go through it."""
        parts = self.network.parts
        return {layer: parts.reading(batch, layer).padded for layer, _ in parts.places}

    # ------------------------------------------------------------------ around an update

    def locate(self, step: int, run: Pass) -> None:
        """Say where the numbers broke, once a run."""
        row = None if self.located else trouble.origin(self.network, run)
        if row is not None:
            self.located = True
            self.sink.append("trouble", {"step": step, **row})

    @contextmanager
    def updating(self, step: int, before: Parameters, after: Parameters) -> Iterator[None]:
        """Around the optimizer's step: norms of weights, gradients (before and after clipping) and change, gate by gate."""
        if not self.details_due(step):
            yield
            return
        old = {name: array.copy() for name, array in self.network.parameters.items()}
        yield
        blocks = self.network.parts.blocks()
        for name, new in self.network.parameters.items():
            gates = blocks.get(name, ("",))
            with np.errstate(all="ignore"):
                parts = (old[name], before[name], after[name], new - old[name], new - self.start[name])
                sizes = [norm(part.reshape(len(gates), -1), axis=-1) for part in parts]
                ratios = sizes[3] / sizes[0]
            for gate, *numbers in zip(gates, *sizes, ratios, strict=True):
                row = dict(
                    zip(("weight", "gradient_before", "gradient_after", "update", "distance", "ratio"), map(float, numbers), strict=True)
                )
                self.sink.append("parameters", {"step": step, "parameter": name, "gate": gate, **row})

    # ------------------------------------------------------------------ between updates

    def between(self, updates: int) -> float | None:
        """Held-out loss, reach and probe after so many updates. Returns the held-out loss if it was measured."""
        reach_due, probe_due = self.reach_due(updates), self.probe_due(updates)
        loss = self.loss_due(updates) and not reach_due
        if not (reach_due or probe_due or loss):
            return None
        self._take(self.network.parameters)
        found = reach.measure(self.exact, self.held_out) if reach_due else reach.score(self.exact, self.held_out) if loss else None
        if found is not None:
            self.sink.append("held_out", {"step": updates, "loss": found.loss, "accuracy": found.accuracy})
            self._reach(updates, found)
        if probe_due:
            self._probe(updates)
        return None if found is None else found.loss

    def closing(self, updates: int) -> None:
        """A training ends sooner than planned: what is always there at the end, unless `between` has just measured it."""
        self._take(self.network.parameters)
        if self.options.reach_every and not self.reach_due(updates):
            self._reach(updates, reach.measure(self.exact, self.held_out))
        if self.options.probe_every and not self.probe_due(updates):
            self._probe(updates)

    def score(self, parameters: Parameters, batch: Batch) -> float:
        """Mean loss per counted step of a network with these parameters, in double precision."""
        self._take(parameters)
        return reach.score(self.exact, batch).loss

    def _take(self, parameters: Parameters) -> None:
        for name, array in parameters.items():
            self.exact.parameters[name][...] = array

    def _reach(self, updates: int, found: reach.HeldOut) -> None:
        for row in found.reach:
            self.sink.append("reach", {"step": updates, **row})

    def _probe(self, updates: int) -> None:
        """Whole arrays of the first held-out sequences, each with the gradient of its own summed loss."""
        if not self.probed.size:
            return
        run = self.exact.forward(self.probed.inputs, self.probed.lengths, decoder=self.probed.decoder, reuse=True)
        loss = self.exact.loss(run, self.probed, reduction="sum")
        self.exact.backward(run, loss.d_outputs * self.probed.size, parameters=False)
        points = [point for _, made in self.exact.model.cell.stages for point in made]
        for name, tape in run.tapes.items():
            for point in points:
                self._keep(updates, f"{name}.{point}", tape.values(point), gradient=False)
            for point in self.exact.model.cell.states:
                self._keep(updates, f"{name}.{point}", tape.gradients(point), gradient=True)

    def _keep(self, updates: int, name: str, array: Array, *, gradient: bool) -> None:
        place = layer_of(name)
        assert place is not None
        for example, length in enumerate(self.network.parts.reading(self.probed, place[0]).ends):
            values = array[:length, example]
            row = {
                "step": updates,
                **where(place),
                "example": example,
                "gradient": gradient,
                "units": values.shape[1],
                "values": values.ravel(),
            }
            self.sink.append("probe", row)

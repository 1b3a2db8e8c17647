"""The recorder: watches a training, reduces at once what it sees, and hands rows to the store."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from fnmatch import fnmatchcase
from typing import Protocol

import numpy as np

from gradviz.arrays import Array, Parameters, norm
from gradviz.batch import Batch
from gradviz.config import Recording
from gradviz.hooks import layer_of
from gradviz.network import Network
from gradviz.passes import Pass
from gradviz.quantities import QUANTITIES
from gradviz.quantities._share import LEFT, RIGHT, share
from gradviz.recording import reach, trouble
from gradviz.recording.statistics import over_batch
from gradviz.schedules import every

Row = dict[str, object]


class Sink(Protocol):
    """Whatever takes rows: a `RunWriter`, or a list in a test."""

    def append(self, table: str, row: Row) -> None: ...


class Recorder:
    """Memory is bounded by one step's rows; the sink writes them in batches."""

    def __init__(self, network: Network, options: Recording, sink: Sink, held_out: Batch, updates: int) -> None:
        self.network, self.sink, self.held_out = network, sink, held_out
        self.exact = network.astype("float64")  # reach and probe are measured in double precision
        last = max(updates - 1, 0)
        self.details_due, self.reach_due, self.probe_due = (
            every(options.every, last), every(options.reach_every, updates), every(options.probe_every, updates),
        )  # fmt: skip
        self.probed = _first_examples(held_out, options.probe_examples, network.signature.at)
        self.start = {name: array.copy() for name, array in network.parameters.items()}
        self.quantities = [(name, QUANTITIES[name]()) for name in QUANTITIES]
        self.located = False

    # ------------------------------------------------------------------ while a batch passes through

    @contextmanager
    def watching(self, step: int, batch: Batch) -> Iterator[None]:
        """Observe this step's pass if it is due. Nothing is observed, and nothing costs anything, if it is not."""
        with ExitStack() as stack:
            if self.details_due(step):
                mask = self._masks(batch)
                stack.enter_context(self.network.observe("layers.*", lambda name, array: self._activations(step, name, array, mask(name))))
                for state in self.network.model.cell.states:
                    watch = lambda name, array: self._reduce(step, name, array, mask(name), gradient=True)  # noqa: E731
                    stack.enter_context(self.network.observe(f"layers.*.{state}", watch, gradient=True))
            yield

    def _masks(self, batch: Batch) -> Callable[[str], Array | None]:
        """The mask of the sequences that go through a layer, by the layer's hook points."""
        parts = self.network.parts
        masks = {layer: parts.reading(batch, layer).padded for layer, _ in parts.places}
        return lambda name: masks[int(name.split(".")[1])]

    def _activations(self, step: int, name: str, array: Array, mask: Array | None) -> None:
        self._reduce(step, name, array, mask, gradient=False)
        self._saturation(step, name, array, mask)

    def _reduce(self, step: int, name: str, array: Array, mask: Array | None, *, gradient: bool) -> None:
        place = layer_of(name)
        assert place is not None
        for quantity_name, quantity in self.quantities:
            if quantity.gradient == gradient and any(fnmatchcase(place[2], pattern) for pattern in quantity.points):
                row = {**_where(step, place), "quantity": quantity_name, **over_batch(quantity.reduce(array), mask)}
                self.sink.append("timesteps", row)

    def _saturation(self, step: int, name: str, array: Array, mask: Array | None) -> None:
        place = layer_of(name)
        assert place is not None
        low = LEFT if place[2].startswith("gate.") else -RIGHT
        units = array.reshape(-1, array.shape[2]).T if mask is None else array[mask].T
        with np.errstate(all="ignore"):
            shares = {
                "left": share(units < low, units), "right": share(units > RIGHT, units), "mean": units.mean(axis=1, dtype=np.float64),
            }  # fmt: skip
        self.sink.append("saturation", {**_where(step, place), **shares})

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
        for name, gate, view in self.network.named_gates():
            new = self.network.parameters[name]
            with np.errstate(all="ignore"):
                sizes = [norm(view(part)) for part in (old[name], before[name], after[name], new - old[name], new - self.start[name])]
                weight, gradient_before, gradient_after, update, distance = map(float, sizes)
                ratio = float(np.float64(update) / np.float64(weight))
            self.sink.append(
                "parameters",
                {
                    "step": step, "parameter": name, "gate": gate, "weight": weight, "gradient_before": gradient_before,
                    "gradient_after": gradient_after, "update": update, "ratio": ratio, "distance": distance,
                },
            )  # fmt: skip

    # ------------------------------------------------------------------ between updates

    def between(self, updates: int) -> None:
        """Held-out loss, reach and probe after so many updates."""
        if not (self.reach_due(updates) or self.probe_due(updates)):
            return
        for name, array in self.network.parameters.items():
            self.exact.parameters[name][...] = array
        if self.reach_due(updates):
            held_out = reach.measure(self.exact, self.held_out)
            self.sink.append("held_out", {"step": updates, "loss": held_out.loss, "accuracy": held_out.accuracy})
            for row in held_out.reach:
                self.sink.append("reach", {"step": updates, **row})
        if self.probe_due(updates) and self.probed.size:
            self._probe(updates)

    def _probe(self, updates: int) -> None:
        """Whole arrays of the first held-out sequences, each with the gradient of its own summed loss."""
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
            row = {**_where(updates, place), "example": example, "gradient": gradient, "units": values.shape[1], "values": values.ravel()}
            self.sink.append("probe", row)


def _where(step: int, place: tuple[int, str, str]) -> Row:
    return {"step": step, "layer": place[0], "direction": place[1], "point": place[2]}


def _first_examples(batch: Batch, count: int, at: str) -> Batch:
    """The first sequences of a batch; targets of the last step alone have no time axis."""
    targets, first = batch.targets[:count] if at == "last" else batch.targets[:, :count], batch.reading.first(count)
    return Batch(first.inputs, targets, first.lengths, None if batch.decoder is None else batch.decoder.first(count))

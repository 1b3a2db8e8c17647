"""How far back the gradient of the last step's loss reaches: measured in float64 on held-out sequences."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from gradviz.arrays import Array, norm
from gradviz.batch import Batch, Reading
from gradviz.dynamics.confidence import decay_of
from gradviz.dynamics.decay import decay_per_step
from gradviz.network import Network
from gradviz.passes import Pass, States
from gradviz.readout import MOST
from gradviz.recording.statistics import over_batch


@dataclass(frozen=True)
class HeldOut:
    """loss: mean per counted step; accuracy: share of right most-likely classes, or R²; reach: rows of that table."""

    loss: float
    accuracy: float
    reach: list[dict[str, object]]


def measure(network: Network, batch: Batch) -> HeldOut:
    """Passes forward over the held-out sequences, and one backward for each direction of the layers that are read out, from the last
    step it reads. To an encoder the gradient comes through its decoder."""
    return _held_out(network, batch, reach=True)


def score(network: Network, batch: Batch) -> HeldOut:
    """Loss and accuracy alone: nothing backward. The same numbers as those of `measure`."""
    return _held_out(network, batch, reach=False)


def _held_out(network: Network, batch: Batch, *, reach: bool) -> HeldOut:
    losses, counts, accuracies = [], [], []
    logs: dict[tuple[str, str], list[Array]] = {}
    for group in _groups(network, batch):
        run = network.forward(group.inputs, group.lengths, decoder=group.decoder, reuse=True)
        loss = network.loss(run, group, reduction="sum")
        losses.append(loss.mean)
        counts.append(loss.count)
        accuracies.append(_accuracy(network, run.outputs, group))
        own = loss.d_outputs * group.size  # each sequence's own loss
        for place, by_lag in _logs(network, group, run, own, {}) if reach else ():
            logs.setdefault(place, []).append(by_lag)
    rows = _rows(network, batch, logs)
    return HeldOut(float(np.average(losses, weights=counts)), float(np.average(accuracies, weights=counts)), rows)


def of_gradient(network: Network, batch: Batch, run: Pass, d_outputs: Array, d_final: States) -> list[dict[str, object]]:
    """Rows for a gradient that arrives from elsewhere. d_outputs: (time, batch, output), of which the last step that each sequence reads
    counts; d_final: of the final states, by name, those of each direction together with its last step."""
    logs: dict[tuple[str, str], list[Array]] = {}
    for place, by_lag in _logs(network, batch, run, d_outputs, d_final):
        logs.setdefault(place, []).append(by_lag)
    return _rows(network, batch, logs)


def _rows(network: Network, batch: Batch, logs: dict[tuple[str, str], list[Array]]) -> list[dict[str, object]]:
    return [_row(name, point, found, network.parts.reading(batch, int(name.split(".")[1]))) for (name, point), found in logs.items()]


def _groups(network: Network, batch: Batch) -> Iterator[Batch]:
    """All examples together, unless they have so many outputs that these would fill the memory."""
    each = batch.answered.steps * network.signature.outputs
    size = max(1, MOST // each) if network.signature.loss == "softmax" else batch.size
    for start in range(0, batch.size, size):
        yield batch if size >= batch.size else batch.some(slice(start, start + size), network.signature.at)


def _logs(network: Network, batch: Batch, run: Pass, d_outputs: Array, d_final: States) -> Iterator[tuple[tuple[str, str], Array]]:
    """By layer and state: log10 norms of the gradient of each sequence's last loss, by lag."""
    top = network.parts.top
    for direction in top.directions:
        ends = {name: states for name, states in d_final.items() if name.endswith(direction)}
        network.backward(run, _last_only(d_outputs, batch, run.at, direction), ends, parameters=False)
        for name, tape in run.tapes.items():
            _, layer, own = name.split(".")
            if own == direction or int(layer) not in top.layers:
                for point in network.model.cell.states:
                    yield (name, point), _by_lag(own, tape.gradients(point), network.parts.reading(batch, int(layer)))


def _last_only(d_outputs: Array, batch: Batch, at: str, direction: str) -> Array:
    """The gradient of the loss at the end of reading: the last valid step, or the first for a layer that reads backward."""
    if at == "last":
        return d_outputs
    only = np.zeros_like(d_outputs)
    ends = batch.answered.ends - 1 if direction == "forward" else np.zeros(batch.size, int)
    everyone = np.arange(batch.size)
    only[ends, everyone] = d_outputs[ends, everyone]
    return only


def _by_lag(direction: str, gradient: Array, reading: Reading) -> Array:
    """(lag, batch)."""
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log10(norm(gradient, axis=2))
    return logs if direction == "backward" else _from_the_end(logs, reading.ends)


def _row(name: str, point: str, found: list[Array], reading: Reading) -> dict[str, object]:
    """One row of the table: statistics over sequences."""
    _, layer, direction = name.split(".")
    logs = np.concatenate(found, axis=1)
    series = over_batch(logs, reading.padded)
    each = decay_of(np.where(reading.mask, logs, np.nan))  # what lies beyond the end of a sequence wraps around
    interval = {"decay_low": each.low, "decay_high": each.high, "sequences": float(each.sequences)}
    where = {"layer": int(layer), "direction": direction, "point": point}
    return {**where, **series, "decay": decay_per_step(series["mean"]), **interval}


def _from_the_end(values: Array, lengths: Array) -> Array:
    """Rows by lag instead of time: row k of column b is time step lengths[b] − 1 − k; wrapped values lie beyond the mask."""
    steps = (lengths[None, :] - 1 - np.arange(len(values))[:, None]) % len(values)
    return np.take_along_axis(values, steps, axis=0)


def _accuracy(network: Network, outputs: Array, batch: Batch) -> float:
    """Over the steps that count; NaN if an output there is NaN, which has no most likely class."""
    at_last = network.signature.at == "last"
    answers = outputs[0] if at_last else outputs[batch.answered.mask]
    targets = batch.targets if at_last else batch.targets[batch.answered.mask]
    if np.isnan(answers).any():
        return float("nan")
    if network.signature.loss == "softmax":
        return float((answers.argmax(axis=1) == targets).mean())
    if network.signature.loss == "logistic":
        return float(((answers > 0) == (targets > 0.5)).mean())
    with np.errstate(all="ignore"):
        return float(1 - np.mean(np.square(answers - targets)) / np.var(targets))

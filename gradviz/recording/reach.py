"""How far back the gradient of the last step's loss reaches: measured in float64 on held-out sequences."""

from dataclasses import dataclass

import numpy as np

from gradviz.arrays import Array, norm
from gradviz.batch import Batch, Reading
from gradviz.dynamics.decay import decay_per_step
from gradviz.network import Network
from gradviz.recording.statistics import over_batch


@dataclass(frozen=True)
class HeldOut:
    """loss: mean per counted step; accuracy: share of right most-likely classes, or R²; reach: rows of that table."""

    loss: float
    accuracy: float
    reach: list[dict[str, object]]


def measure(network: Network, batch: Batch) -> HeldOut:
    """One pass forward over the held-out sequences, and one backward for each direction of the layers that are read out, from the last
    step it reads. To an encoder the gradient comes through its decoder."""
    run, top = network.forward(batch.inputs, batch.lengths, decoder=batch.decoder, reuse=True), network.parts.top
    loss = network.loss(run, batch, reduction="sum")
    rows: list[dict[str, object]] = []
    for direction in top.directions:
        d_outputs = _last_only(loss.d_outputs, batch, run.at, direction) * batch.size  # each sequence's own loss
        network.backward(run, d_outputs, parameters=False)
        for name, tape in run.tapes.items():
            _, layer, own = name.split(".")
            if own == direction or int(layer) not in top.layers:
                reading = network.parts.reading(batch, int(layer))
                rows += [_row(name, point, tape.gradients(point), reading) for point in network.model.cell.states]
    return HeldOut(float(loss.mean), _accuracy(network, run.outputs, batch), rows)


def score(network: Network, batch: Batch) -> HeldOut:
    """Loss and accuracy alone: a pass forward and none backward. The same numbers as those of `measure`."""
    run = network.forward(batch.inputs, batch.lengths, decoder=batch.decoder, reuse=True)
    loss = network.loss(run, batch, reduction="sum")
    return HeldOut(float(loss.mean), _accuracy(network, run.outputs, batch), [])


def _last_only(d_outputs: Array, batch: Batch, at: str, direction: str) -> Array:
    """The gradient of the loss at the end of reading: the last valid step, or the first for a layer that reads backward."""
    if at == "last":
        return d_outputs
    only = np.zeros_like(d_outputs)
    ends = batch.answered.ends - 1 if direction == "forward" else np.zeros(batch.size, int)
    everyone = np.arange(batch.size)
    only[ends, everyone] = d_outputs[ends, everyone]
    return only


def _row(name: str, point: str, gradient: Array, reading: Reading) -> dict[str, object]:
    """One row of the table: log10 norms by lag, statistics over sequences."""
    _, layer, direction = name.split(".")
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log10(norm(gradient, axis=2))
    by_lag = logs if direction == "backward" else _from_the_end(logs, reading.ends)
    series = over_batch(by_lag, reading.padded)
    return {"layer": int(layer), "direction": direction, "point": point, **series, "decay": decay_per_step(series["mean"])}


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
    with np.errstate(all="ignore"):
        return float(1 - np.mean(np.square(answers - targets)) / np.var(targets))

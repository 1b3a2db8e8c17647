"""The gradient matrix: what the loss of every step feels of the state at every other one, ∂L_t/∂h_k.

A training sees only its sum over t. Here one example is put into a batch as often as there are losses, and each copy sends back the loss of
another step: one backward pass over a batch instead of as many passes as there are steps. With signs and stacked it is RNNbow's picture
(Cashman et al. 2018).
"""

from dataclasses import dataclass

import numpy as np

from gradviz.arrays import Array, norm
from gradviz.batch import Batch
from gradviz.errors import GradvizError
from gradviz.hooks import layer_of
from gradviz.network import Network
from gradviz.passes import Pass

COPIES = 64  # losses that go back side by side


@dataclass(frozen=True, eq=False)
class GradientMatrix:
    """losses: (loss,) the steps that have a loss; norms: (loss, time) ‖∂L_t/∂s_k‖, exactly zero where a loss cannot feel a state; shares:
    (loss, time) what each loss contributes to the total gradient ∂L/∂s_k, along its direction: with signs, and they sum to 1 over losses
    (NaN where the total is zero); total: (time,) ‖∂L/∂s_k‖ of the summed loss."""

    losses: Array
    norms: Array
    shares: Array
    total: Array


def gradient_matrix(network: Network, batch: Batch, where: str = "layers.0.forward.hidden", example: int = 0) -> GradientMatrix:
    """Of one example of a batch, in double precision. where: a hidden or cell state, by its hook point."""
    name, point = _place(network, where)
    if batch.decoder is not None:
        raise GradvizError("the gradient matrix of an encoder–decoder is two, and not made here; use a network without decoder.")
    if not 0 <= example < batch.size:
        raise GradvizError(f"there is no example {example}; the batch has {batch.size}, counted from 0.")
    exact, one = network.astype("float64", hooks=True), _alone(batch, example, network.signature.at)
    losses = np.array([one.steps - 1]) if network.signature.at == "last" else np.arange(one.steps)
    d_outputs = exact.loss(exact.forward(one.inputs), one, reduction="sum").d_outputs
    norms, found = np.zeros((len(losses), one.steps)), []
    for start in range(0, len(losses), COPIES):
        rows = np.arange(start, min(start + COPIES, len(losses)))
        tape = _backward(exact, one, rows, d_outputs).tapes[name]
        gradients = tape.gradients(point).copy()
        norms[start : start + COPIES] = norm(gradients, axis=2).T
        found.append(gradients)
    each = np.concatenate(found, axis=1)  # (time, loss, unit)
    total = each.sum(axis=1)
    size = norm(total, axis=1)
    with np.errstate(all="ignore"):
        unit = total / size[:, None]
        shares = (np.einsum("klu,ku->kl", each, unit) / size[:, None]).T
    return GradientMatrix(losses, norms, shares, size)


def _place(network: Network, where: str) -> tuple[str, str]:
    place = layer_of(where)
    states = [f"layers.{layer}.{way}.{state}" for layer, way in network.parts.places for state in network.model.cell.states]
    if place is None or where not in states:
        raise GradvizError(f"{where!r} is no state of this network; its states are {', '.join(states)}.")
    return where.rsplit(".", 1)[0], place[2]


def _alone(batch: Batch, example: int, at: str) -> Batch:
    """One example without its padding."""
    one = batch.some(slice(example, example + 1), at)
    steps = int(one.reading.ends[0])
    return Batch(one.inputs[:steps], one.targets if at == "last" else one.targets[:steps])


def _backward(network: Network, one: Batch, rows: Array, d_outputs: Array) -> Pass:
    """A pass over a copy of the example for each of these losses, which alone goes back in it. d_outputs: (loss, 1, output) of them all."""
    run = network.forward(np.repeat(one.inputs, len(rows), axis=1), reuse=True)
    alone = np.zeros_like(run.outputs)
    alone[rows, np.arange(len(rows))] = d_outputs[rows, 0]
    network.backward(run, alone, parameters=False)
    return run

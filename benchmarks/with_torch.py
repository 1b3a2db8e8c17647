"""The job in PyTorch: an explicit loop whose gates and states are kept, and the fused nn.LSTM, GRU or RNN, which shows nothing inside."""

from collections.abc import Callable

import numpy as np
import torch
from job import LEFT, RIGHT, Job
from torch import Tensor


def tensors(job: Job) -> dict[str, Tensor]:
    """Weights as gradviz has them, blocks side by side: (input, block · unit)."""
    wide = {
        name: np.concatenate(list(array), axis=-1) if name in ("weight_ih", "weight_hh", "bias") else array
        for name, array in job.weights.items()
    }
    return {name: torch.tensor(array, requires_grad=True) for name, array in wide.items()}


def recorded(job: Job) -> Callable[[], dict[str, object]]:
    weights, inputs, d_outputs = tensors(job), torch.tensor(job.batch.inputs, requires_grad=True), torch.tensor(job.d_outputs)
    step = {"rnn": rnn_step, "gru": gru_step, "lstm": lstm_step}[job.cell]

    def run() -> dict[str, object]:
        inputs.grad = None
        for tensor in weights.values():
            tensor.grad = None
        states: tuple[Tensor, ...] = (torch.zeros(job.size.batch, job.size.units),) * (2 if job.cell == "lstm" else 1)
        projected = (inputs @ weights["weight_ih"] + weights["bias"]).unbind(0)  # indexing would fill a whole gradient at each step
        kept: list[tuple[Tensor, ...]] = []
        gates: list[tuple[Tensor, ...]] = []
        for x in projected:
            states, made = step(x, states, weights)
            for state in states:
                state.retain_grad()
            kept.append(states)
            gates.append(made)
        hidden = torch.stack([states[0] for states in kept])
        outputs = hidden @ weights["readout.weight"] + weights["readout.bias"]
        outputs.backward(d_outputs)
        with torch.no_grad():
            return {
                "outputs": outputs,
                "inputs": inputs.grad,
                "weights": {name: tensor.grad for name, tensor in weights.items()},
                **observed(kept, gates, job),
            }

    return run


def observed(kept: list[tuple[Tensor, ...]], gates: list[tuple[Tensor, ...]], job: Job) -> dict[str, object]:
    """What is told of each step: norms, means and saturation, (time, batch) each."""
    states = [torch.stack(state) for state in zip(*kept, strict=True)]
    gradients = [torch.stack([state.grad for state in each]) for each in zip(*kept, strict=True)]  # type: ignore[arg-type]
    blocks = [torch.stack(block) for block in zip(*gates, strict=True)]
    flat = [states[0]] + ([] if job.cell == "rnn" else [blocks[-1]])  # hidden and candidate
    of_gates = blocks if job.cell == "rnn" else blocks[:-1]
    return {
        "states": states,
        "norms": [state.norm(dim=2) for state in states],
        "d_norms": [gradient.norm(dim=2) for gradient in gradients],
        "means": [gate.mean(dim=2) for gate in of_gates],
        "left": [(gate < LEFT).float().mean(dim=2) for gate in of_gates],
        "right": [(gate > RIGHT).float().mean(dim=2) for gate in of_gates],
        "flat": [(array.abs() > RIGHT).float().mean(dim=2) for array in flat],
    }


def rnn_step(x: Tensor, states: tuple[Tensor, ...], weights: dict[str, Tensor]) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
    return (torch.tanh(x + states[0] @ weights["weight_hh"]),), ()


def gru_step(x: Tensor, states: tuple[Tensor, ...], weights: dict[str, Tensor]) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
    (h,) = states
    x_r, x_z, x_n = x.chunk(3, 1)
    h_r, h_z, h_n = (h @ weights["weight_hh"]).chunk(3, 1)
    r, z = torch.sigmoid(x_r + h_r), torch.sigmoid(x_z + h_z)
    n = torch.tanh(x_n + r * (h_n + weights["bias_hh"]))
    return (n + z * (h - n),), (r.detach(), z.detach(), n.detach())


def lstm_step(x: Tensor, states: tuple[Tensor, ...], weights: dict[str, Tensor]) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
    h, c = states
    o, i, f, g = (x + h @ weights["weight_hh"]).chunk(4, 1)
    o, i, f, g = torch.sigmoid(o), torch.sigmoid(i), torch.sigmoid(f), torch.tanh(g)
    c = f * c + i * g
    return (o * torch.tanh(c), c), (o.detach(), i.detach(), f.detach(), g.detach())


def fused(job: Job) -> Callable[[], None]:
    """PyTorch's own layer, forward and backward, nothing recorded; its weights do not matter for the time it takes."""
    module = getattr(torch.nn, job.cell.upper())(job.size.inputs, job.size.units)
    readout = torch.nn.Linear(job.size.units, job.d_outputs.shape[2])
    inputs, d_outputs = torch.tensor(job.batch.inputs, requires_grad=True), torch.tensor(job.d_outputs)

    def run() -> None:
        inputs.grad = None
        module.zero_grad()
        readout.zero_grad()
        readout(module(inputs)[0]).backward(d_outputs)

    return run

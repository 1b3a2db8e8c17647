"""The core beside PyTorch: the same weights and inputs must give the same numbers, and so must every gradient.

PyTorch's fused modules show neither gates nor what happens between the steps, so there are two references: the module itself, and a
loop over time written out with retain_grad, which must agree with the module before it may judge gradviz.
"""

import copy
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pytest

from gradviz.batch import Signature
from gradviz.cells import CELLS
from gradviz.config import Model
from gradviz.network import Network

torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install torch")
torch.set_num_threads(1)  # small products: two threads on busy cores are a hundred times slower

STEPS, INPUTS, UNITS, OUTPUTS = 6, 2, 3, 2
GATES = {"rnn": ["state"], "lstm": ["input", "forget", "candidate", "output"], "gru": ["reset", "update", "candidate"]}
KINDS = [("rnn", "tanh"), ("rnn", "relu"), ("gru", "tanh"), ("lstm", "tanh")]
LENGTHS = {
    "full": [6, 6, 6],
    "ragged": [6, 1, 4],
    "all ones": [1, 1, 1],
    "one sequence": [4],
    "none reaches the end": [3, 5, 2],
}
EXACT = {"rtol": 1e-9, "atol": 1e-12}
Arrays = dict[str, np.ndarray]


@dataclass(frozen=True)
class Case:
    """What is compared. saturated: every other unit's pre-activations lie at ±300."""

    cell: str
    activation: str = "tanh"
    layers: int = 2
    direction: str = "both"
    biases: bool = True
    pattern: str = "ragged"
    dtype: str = "float64"
    saturated: bool = False

    @cached_property
    def lengths(self) -> np.ndarray:
        return np.array(LENGTHS[self.pattern])

    @cached_property
    def mask(self) -> np.ndarray:
        return np.arange(STEPS)[:, None] < self.lengths

    def network(self) -> Network:
        kind = CELLS[self.cell](activation=self.activation) if self.cell == "rnn" else CELLS[self.cell]()
        model = Model(cell=kind, units=UNITS, layers=self.layers, direction=self.direction, biases=self.biases)
        made, rng = Network(model, Signature(INPUTS, OUTPUTS, False, "squared"), dtype=self.dtype), np.random.default_rng(1)
        for name, array in made.parameters.items():
            array[...] = rng.normal(0, 0.6, array.shape)
            if self.saturated and name.endswith(".bias") and name.startswith("layers"):
                array[..., ::2] = 300 * rng.choice([-1, 1], array[..., ::2].shape)
        return made


@dataclass
class Question:
    """What goes in, and the gradients of a loss with respect to what comes out, zero in the padding."""

    inputs: np.ndarray
    initial: dict[str, tuple[np.ndarray, ...]]
    d_outputs: np.ndarray
    d_final: dict[str, tuple[np.ndarray, ...]]

    @classmethod
    def of(cls, case: Case, made: Network) -> "Question":
        rng, size, states = np.random.default_rng(2), len(case.lengths), made.model.cell.states
        places = [f"layers.{layer}.{direction}" for layer, direction in made.parts.places]

        def drawn() -> dict[str, tuple[np.ndarray, ...]]:
            return {place: tuple(rng.normal(size=(size, UNITS)).astype(case.dtype) for _ in states) for place in places}

        inputs = rng.normal(size=(STEPS, size, INPUTS)).astype(case.dtype)
        d_outputs = np.where(case.mask[..., None], rng.normal(size=(STEPS, size, OUTPUTS)), 0).astype(case.dtype)
        return cls(inputs, drawn(), d_outputs, drawn())


# ------------------------------------------------------------------ ours


def ours(case: Case, made: Network, question: Question) -> Arrays:
    """Everything there is to compare, by name. The padding holds NaN or large numbers, which must not matter."""
    given = question.inputs.copy()
    given[~case.mask] = np.nan if case.layers % 2 else 1e30
    lengths = None if case.pattern == "full" else case.lengths
    handed = [given, question.d_outputs, *sum((*question.initial.values(), *question.d_final.values()), ()), *made.parameters.values()]
    kept, seen = [array.copy() for array in handed], Arrays()
    with (
        made.observe("layers.*", lambda name, array: seen.__setitem__(name, array.copy())),
        made.observe("layers.*", lambda name, array: seen.__setitem__(f"d {name}", array.copy()), gradient=True),
    ):
        run = made.forward(given, lengths, question.initial)
        gradients = made.backward(run, question.d_outputs, question.d_final)
    assert all(np.array_equal(a, b, equal_nan=True) for a, b in zip(handed, kept, strict=True)), "arrays handed in were changed"
    seen |= {"outputs": np.where(case.mask[..., None], run.outputs, 0), "d inputs": gradients.inputs}
    seen |= {f"d {name}": array for name, array in gradients.parameters.items()}
    seen |= {f"final {place} {k}": state for place, states in run.final.items() for k, state in enumerate(states)}
    return seen | {f"d initial {place} {k}": state for place, states in gradients.initial.items() for k, state in enumerate(states)}


# ------------------------------------------------------------------ theirs


def module_of(case: Case, made: Network) -> Any:
    """The module with the network's weights. A network that only reads backward is a module that is fed flipped sequences."""
    options = {"nonlinearity": case.activation} if case.cell == "rnn" else {}
    kind = getattr(torch.nn, case.cell.upper())
    both = case.direction == "both"
    module = kind(INPUTS, UNITS, case.layers, bias=case.biases, bidirectional=both, dtype=getattr(torch, case.dtype), **options)
    state, order = {}, [made.model.cell.blocks.index(gate) for gate in GATES[case.cell]]
    for layer, direction in made.parts.places:
        part, end = f"layers.{layer}.{direction}.", ending(case, layer, direction)
        for name in ("weight_ih", "weight_hh"):
            state[name + end] = np.concatenate([made.parameters[part + name][k].T for k in order])
        if case.biases:
            state[f"bias_ih{end}"] = np.concatenate([made.parameters[f"{part}bias"][k] for k in order])
            state[f"bias_hh{end}"] = np.zeros(len(order) * UNITS)
        if f"{part}bias_hh" in made.parameters:
            state[f"bias_hh{end}"][-UNITS:] = made.parameters[f"{part}bias_hh"]
    module.load_state_dict({name: torch.tensor(array) for name, array in state.items()})
    return module


def ending(case: Case, layer: int, direction: str) -> str:
    return f"_l{layer}{'_reverse' if case.direction == 'both' and direction == 'backward' else ''}"


def flipped(x: Any, lengths: np.ndarray) -> Any:
    """Each sequence from its own last step to its first."""
    return torch.stack([torch.cat([x[:n, b].flip(0), x[n:, b]]) for b, n in enumerate(lengths)], dim=1)


def by_module(case: Case, module: Any, x: Any, first: list[Any]) -> tuple[Any, tuple[Any, ...]]:
    """Hidden states of the top layer and final states, (layers · directions, batch, unit) each, from the fused module."""
    x = flipped(x, case.lengths) if case.direction == "backward" else x
    state = tuple(first) if case.cell == "lstm" else first[0]
    packed = torch.nn.utils.rnn.pack_padded_sequence(x, torch.tensor(case.lengths), enforce_sorted=False)
    out, final = module(packed, state)
    out = torch.nn.utils.rnn.pad_packed_sequence(out, total_length=STEPS)[0]
    return flipped(out, case.lengths) if case.direction == "backward" else out, final if case.cell == "lstm" else (final,)


def by_loop(case: Case, module: Any, x: Any, first: list[Any], kept: dict[str, list[Any]]) -> tuple[Any, tuple[Any, ...]]:
    """The same, step by step; every state and gate goes into `kept`."""
    directions = ["forward", "backward"] if case.direction == "both" else [case.direction]
    finals = []
    for layer in range(case.layers):
        outs = []
        for direction in directions:
            states, out = tuple(state[len(finals)] for state in first), [None] * STEPS
            for t in range(STEPS) if direction == "forward" else reversed(range(STEPS)):
                points = step_of(case, module, ending(case, layer, direction), x[t], states)
                for point, tensor in points.items():
                    tensor.retain_grad()
                    kept.setdefault(f"layers.{layer}.{direction}.{point}", [None] * STEPS)[t] = tensor
                there = torch.tensor(case.mask[t])[:, None]
                states = tuple(torch.where(there, points[name], old) for name, old in zip(("hidden", "cell"), states, strict=False))
                out[t] = torch.where(there, points["hidden"], 0)
            finals.append(states)
            outs.append(torch.stack(out))
        x = torch.cat(outs, dim=2)
    return x, tuple(torch.stack(part) for part in zip(*finals, strict=True))


def step_of(case: Case, module: Any, end: str, x: Any, states: tuple[Any, ...]) -> dict[str, Any]:
    """One step from the equations of PyTorch's documentation."""
    h, zero = states[0], torch.zeros(1, dtype=x.dtype)
    bias = [getattr(module, f"bias_{part}{end}", zero) for part in ("ih", "hh")]
    count = len(GATES[case.cell])
    a = (x @ getattr(module, f"weight_ih{end}").T + bias[0]).chunk(count, 1)
    b = (h @ getattr(module, f"weight_hh{end}").T + bias[1]).chunk(count, 1)
    if case.cell == "rnn":
        return {"hidden": getattr(torch, case.activation)(a[0] + b[0])}
    if case.cell == "gru":
        r, z = torch.sigmoid(a[0] + b[0]), torch.sigmoid(a[1] + b[1])
        n = torch.tanh(a[2] + r * b[2])
        return {"gate.reset": r, "gate.update": z, "candidate": n, "hidden": (1 - z) * n + z * h}
    i, f, o = (torch.sigmoid(a[k] + b[k]) for k in (0, 1, 3))
    g = torch.tanh(a[2] + b[2])
    c = f * states[1] + i * g
    return {"gate.input": i, "gate.forget": f, "candidate": g, "gate.output": o, "cell": c, "hidden": o * torch.tanh(c)}


def theirs(case: Case, made: Network, question: Question, way: Any) -> Arrays:
    """What `ours` has, from one of the two references."""
    module = copy.deepcopy(module_of(case, made))
    x = torch.tensor(question.inputs, requires_grad=True)
    places, kept = list(question.initial), {}
    first = [torch.tensor(np.stack(part), requires_grad=True) for part in zip(*question.initial.values(), strict=True)]
    weight, bias = (torch.tensor(made.parameters[f"readout.{name}"], requires_grad=True) for name in ("weight", "bias"))
    out, final = way(case, module, x, first, kept) if way is by_loop else way(case, module, x, first)
    outputs = (out @ weight + bias) * torch.tensor(case.mask)[..., None]
    d_final = [torch.tensor(np.stack(part)) for part in zip(*question.d_final.values(), strict=True)]
    ((outputs * torch.tensor(question.d_outputs)).sum() + sum((a * b).sum() for a, b in zip(final, d_final, strict=True))).backward()

    found = {"outputs": outputs, "d inputs": x.grad, "d readout.weight": weight.grad, "d readout.bias": bias.grad}
    for k, place in enumerate(places):
        found |= {f"final {place} {j}": state[k] for j, state in enumerate(final)}
        found |= {f"d initial {place} {j}": state.grad[k] for j, state in enumerate(first)}
    for name, tensors in kept.items():
        found[name] = torch.stack(tensors) * torch.tensor(case.mask)[..., None]
        found[f"d {name}"] = torch.stack([torch.zeros_like(tensor) if tensor.grad is None else tensor.grad for tensor in tensors])
    plain = {name: tensor.detach().numpy() for name, tensor in found.items()}
    return plain | parameter_gradients(case, made, module)


def parameter_gradients(case: Case, made: Network, module: Any) -> Arrays:
    """In gradviz's layout: (gate, input, unit)."""
    found, gates = Arrays(), GATES[case.cell]
    for layer, direction in made.parts.places:
        part, end = f"d layers.{layer}.{direction}.", ending(case, layer, direction)
        grads = {name: getattr(module, name + end).grad.numpy().reshape(len(gates), UNITS, -1) for name in ("weight_ih", "weight_hh")}
        order = [gates.index(block) for block in made.model.cell.blocks]
        found |= {part + name: array.swapaxes(1, 2)[order] for name, array in grads.items()}
        if case.biases:
            found[f"{part}bias"] = getattr(module, f"bias_ih{end}").grad.numpy().reshape(len(gates), UNITS)[order]
        if case.biases and case.cell == "gru":
            found[f"{part}bias_hh"] = getattr(module, f"bias_hh{end}").grad.numpy()[-UNITS:]
    return found


# ------------------------------------------------------------------ the comparison


def compare(case: Case, tolerance: dict[str, float] = EXACT) -> None:
    """gradviz against both references, all of it."""
    made = case.network()
    question = Question.of(case, made)
    module, loop = (theirs(case, made, question, way) for way in (by_module, by_loop))
    agree(module, loop, tolerance)  # the loop may judge
    mine = ours(case, made, question)
    assert set(mine) == set(loop), set(mine) ^ set(loop)
    agree(module, mine, tolerance)
    agree(loop, mine, tolerance)


def agree(wanted: Arrays, found: Arrays, tolerance: dict[str, float]) -> None:
    for name, array in wanted.items():
        np.testing.assert_allclose(found[name], array, err_msg=name, **tolerance)

"""The core against PyTorch: the same weights and inputs give the same numbers, to rounding in double precision."""

from itertools import product

import numpy as np
import pytest

from gradviz.batch import Batch, Signature
from gradviz.cells import CELLS
from gradviz.config import Model
from gradviz.network import Network

torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install torch")
torch.set_num_threads(1)  # small products: two threads on busy cores are a hundred times slower

STEPS, SIZE, INPUTS, UNITS, OUTPUTS = 7, 4, 3, 5, 2
GATES = {"rnn": ["state"], "lstm": ["input", "forget", "candidate", "output"], "gru": ["reset", "update", "candidate"]}
LENGTHS = {"full": None, "ragged": np.array([7, 3, 1, 5]), "none reaches the end": np.array([2, 5, 6, 1])}
EXACT = {"rtol": 1e-9, "atol": 1e-11}


def network(cell: str, layers: int, direction: str, activation: str = "tanh") -> Network:
    kind = CELLS[cell](activation=activation) if cell == "rnn" else CELLS[cell]()
    model = Model(cell=kind, units=UNITS, layers=layers, direction=direction)
    made = Network(model, Signature(INPUTS, OUTPUTS, False, "squared"), dtype="float64")
    rng = np.random.default_rng(1)
    for array in made.parameters.values():
        array[...] = rng.normal(0, 0.6, array.shape)
    return made


def stacked(array: np.ndarray, made: Network, cell: str) -> np.ndarray:
    """(gate, input, unit) to PyTorch's (gates · unit, input) in its order of gates."""
    order = [made.model.cell.blocks.index(gate) for gate in GATES[cell]]
    return np.concatenate([array[k].T for k in order])


def torch_module(made: Network, cell: str, activation: str = "tanh"):  # type: ignore[no-untyped-def]
    options = {"nonlinearity": activation} if cell == "rnn" else {}
    kind = getattr(torch.nn, cell.upper())
    module = kind(INPUTS, UNITS, made.model.layers, bidirectional=made.model.direction == "both", dtype=torch.float64, **options)
    state = {}
    for layer, direction in made.parts.places:
        part, end = f"layers.{layer}.{direction}.", f"_l{layer}{'_reverse' if direction == 'backward' else ''}"
        for name in ("ih", "hh"):
            state[f"weight_{name}{end}"] = torch.tensor(stacked(made.parameters[f"{part}weight_{name}"], made, cell))
        bias = stacked(made.parameters[f"{part}bias"][:, None], made, cell)[:, 0]
        state[f"bias_ih{end}"], hidden = torch.tensor(bias), np.zeros_like(bias)
        if cell == "gru":
            hidden[-UNITS:] = made.parameters[f"{part}bias_hh"]
        state[f"bias_hh{end}"] = torch.tensor(hidden)
    module.load_state_dict(state)
    return module


@pytest.mark.torch
@pytest.mark.parametrize("pattern", list(LENGTHS))
@pytest.mark.parametrize(("layers", "direction"), list(product((1, 2, 3), ("forward", "both"))))
@pytest.mark.parametrize(("cell", "activation"), [("rnn", "tanh"), ("rnn", "relu"), ("gru", "tanh"), ("lstm", "tanh")])
def test_outputs_states_and_gradients(cell: str, activation: str, layers: int, direction: str, pattern: str) -> None:
    made, rng, lengths = network(cell, layers, direction, activation), np.random.default_rng(2), LENGTHS[pattern]
    module, names = torch_module(made, cell, activation), [f"layers.{layer}.{direction}" for layer, direction in made.parts.places]
    states = made.model.cell.states
    inputs, targets = rng.normal(size=(STEPS, SIZE, INPUTS)), rng.normal(size=(STEPS, SIZE, OUTPUTS))
    mask = np.ones((STEPS, SIZE), bool) if lengths is None else np.arange(STEPS)[:, None] < lengths
    initial = [rng.normal(size=(len(names), SIZE, UNITS)) for _ in states]
    d_final = [rng.normal(size=(len(names), SIZE, UNITS)) for _ in states]

    x = torch.tensor(inputs, requires_grad=True)
    first = [torch.tensor(state, requires_grad=True) for state in initial]
    out, final = run_torch(module, x, tuple(first) if cell == "lstm" else first[0], lengths)
    final = final if cell == "lstm" else (final,)
    weight, bias = (torch.tensor(made.parameters[f"readout.{name}"]) for name in ("weight", "bias"))
    errors = (out @ weight + bias - torch.tensor(targets[: len(out)])) ** 2
    loss = (errors.sum(2) * torch.tensor(mask[: len(out)])).sum() / mask.sum()
    (loss + sum((a * torch.tensor(b)).sum() for a, b in zip(final, d_final, strict=True))).backward()

    given = inputs.copy()
    given[~mask] = np.nan
    batch = Batch(given, targets, lengths)
    run = made.forward(given, lengths, {name: tuple(state[k] for state in initial) for k, name in enumerate(names)})
    ours = made.loss(run, batch)
    gradients = made.backward(run, ours.d_outputs, {name: tuple(g[k] for g in d_final) for k, name in enumerate(names)})

    assert ours.mean == pytest.approx(loss.item(), rel=1e-12)
    np.testing.assert_allclose(gradients.inputs, np.where(mask[..., None], x.grad.numpy(), 0), **EXACT)
    for k, name in enumerate(names):
        for place in range(len(states)):
            np.testing.assert_allclose(run.final[name][place], final[place].detach().numpy()[k], **EXACT)
            np.testing.assert_allclose(gradients.initial[name][place], first[place].grad.numpy()[k], **EXACT)
    compare_parameters(made, module, gradients.parameters, cell)


def run_torch(module, x, first, lengths):  # type: ignore[no-untyped-def]
    if lengths is None:
        return module(x, first)
    packed = torch.nn.utils.rnn.pack_padded_sequence(x, torch.tensor(lengths), enforce_sorted=False)
    out, final = module(packed, first)
    return torch.nn.utils.rnn.pad_packed_sequence(out)[0], final


def compare_parameters(made: Network, module, gradients: dict[str, np.ndarray], cell: str) -> None:  # type: ignore[no-untyped-def]
    for layer, direction in made.parts.places:
        part, end = f"layers.{layer}.{direction}.", f"_l{layer}{'_reverse' if direction == 'backward' else ''}"
        for name in ("ih", "hh"):
            theirs = getattr(module, f"weight_{name}{end}").grad.numpy()
            np.testing.assert_allclose(stacked(gradients[f"{part}weight_{name}"], made, cell), theirs, **EXACT)
        theirs = getattr(module, f"bias_ih{end}").grad.numpy()
        np.testing.assert_allclose(stacked(gradients[f"{part}bias"][:, None], made, cell)[:, 0], theirs, **EXACT)
        if cell == "gru":
            np.testing.assert_allclose(gradients[f"{part}bias_hh"], getattr(module, f"bias_hh{end}").grad.numpy()[-UNITS:], **EXACT)


@pytest.mark.torch
def test_gates_and_every_gradient_in_time_of_an_lstm() -> None:
    """PyTorch's fused LSTM shows neither gates nor inner gradients; a loop written out with retain_grad does."""
    made, rng = network("lstm", 1, "forward"), np.random.default_rng(3)
    inputs, targets = rng.normal(size=(STEPS, SIZE, INPUTS)), rng.normal(size=(STEPS, SIZE, OUTPUTS))
    batch, seen = Batch(inputs, targets), {}
    with (
        made.observe("layers.*", lambda name, array: seen.__setitem__(name.split(".", 3)[3], array.copy())),
        made.observe("layers.*", lambda name, array: seen.__setitem__("d " + name.split(".", 3)[3], array.copy()), gradient=True),
        made.observe("layers.*.hidden", lambda name, array: seen.__setitem__("direct", array.copy()), gradient="direct"),
        made.observe("layers.*.hidden", lambda name, array: seen.__setitem__("through", array.copy()), gradient="through_time"),
    ):
        run = made.forward(inputs)
        made.backward(run, made.loss(run, batch).d_outputs)

    weight = {name: torch.tensor(array) for name, array in made.parameters.items()}
    part, blocks = "layers.0.forward.", made.model.cell.blocks
    h, c = torch.zeros(SIZE, UNITS, dtype=torch.float64), torch.zeros(SIZE, UNITS, dtype=torch.float64)
    kept: dict[str, list[torch.Tensor]] = {}
    for t in range(STEPS):
        x = torch.tensor(inputs[t])
        pre = {
            b: x @ weight[part + "weight_ih"][k] + h @ weight[part + "weight_hh"][k] + weight[part + "bias"][k]
            for k, b in enumerate(blocks)
        }
        gates = {b: (torch.tanh(a) if b == "candidate" else torch.sigmoid(a)).requires_grad_() for b, a in pre.items()}
        c = gates["forget"] * c + gates["input"] * gates["candidate"]
        h = gates["output"] * torch.tanh(c)
        for name, tensor in {"hidden": h, "cell": c, **{made.model.cell.label(b): gates[b] for b in blocks}}.items():
            tensor.requires_grad_().retain_grad()
            kept.setdefault(name, []).append(tensor)
    out = torch.stack(kept["hidden"]) @ weight["readout.weight"] + weight["readout.bias"]
    (((out - torch.tensor(targets)) ** 2).sum() / (STEPS * SIZE)).backward()
    for name, tensors in kept.items():
        np.testing.assert_allclose(seen[name], np.stack([v.detach().numpy() for v in tensors]), **EXACT)
        np.testing.assert_allclose(seen["d " + name], np.stack([v.grad.numpy() for v in tensors]), **EXACT)
    np.testing.assert_allclose(seen["direct"] + seen["through"], seen["d hidden"], **EXACT)
    np.testing.assert_allclose(seen["direct"][-1], seen["d hidden"][-1], **EXACT)

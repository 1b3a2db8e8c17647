"""Encoder and decoder against two PyTorch modules: outputs, loss and every gradient, with teacher forcing and packed sequences."""

from itertools import product

import numpy as np
import pytest

from gradviz.batch import Batch, Signature
from gradviz.cells import CELLS
from gradviz.config import Model
from gradviz.network import Network
from gradviz.shapes import encoder_decoder

torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install torch")
torch.set_num_threads(1)  # small products: two threads on busy cores are a hundred times slower

UNITS, INPUTS, VALUES, CLASSES = 5, 3, 2, 4
GATES = {"rnn": ["state"], "lstm": ["input", "forget", "candidate", "output"], "gru": ["reset", "update", "candidate"]}
READ, SAID = [6, 2, 4, 1], [3, 5, 1, 4]
EXACT = {"rtol": 1e-9, "atol": 1e-11}


def network(cell: str, layers: int, bidirectional: bool, tokens: bool) -> Network:
    signature = (
        Signature(INPUTS, CLASSES, False, "softmax", "decoded", CLASSES)
        if tokens
        else Signature(INPUTS, VALUES, False, "squared", "decoded", VALUES)
    )
    made = Network(
        Model(cell=CELLS[cell](), units=UNITS, layers=layers, direction="both" if bidirectional else "forward"), signature, dtype="float64"
    )
    rng = np.random.default_rng(1)
    for array in made.parameters.values():
        array[...] = rng.normal(0, 0.6, array.shape)
    return made


def stacked(array: np.ndarray, made: Network, cell: str) -> np.ndarray:
    """(gate, input, unit) to PyTorch's (gates · unit, input) in its order of gates."""
    return np.concatenate([array[made.model.cell.blocks.index(gate)].T for gate in GATES[cell]])


def ends(made: Network, first: int, bidirectional: bool) -> list[tuple[str, str]]:
    """The beginning of our parameters' names and the end of PyTorch's, for the layers of one module."""
    ways = (("forward", ""), ("backward", "_reverse")) if bidirectional else (("forward", ""),)
    return [(f"layers.{first + k}.{way}.", f"_l{k}{end}") for k in range(made.model.layers) for way, end in ways]


def module(made: Network, cell: str, reads: int, first: int, bidirectional: bool):  # type: ignore[no-untyped-def]
    built = getattr(torch.nn, cell.upper())(reads, UNITS, made.model.layers, bidirectional=bidirectional, dtype=torch.float64)
    state = {}
    for part, end in ends(made, first, bidirectional):
        for name in ("ih", "hh"):
            state[f"weight_{name}{end}"] = torch.tensor(stacked(made.parameters[f"{part}weight_{name}"], made, cell))
        bias = stacked(made.parameters[f"{part}bias"][:, None], made, cell)[:, 0]
        hidden = np.zeros_like(bias)
        if cell == "gru":
            hidden[-UNITS:] = made.parameters[f"{part}bias_hh"]
        state[f"bias_ih{end}"], state[f"bias_hh{end}"] = torch.tensor(bias), torch.tensor(hidden)
    built.load_state_dict(state)
    return built


def packed(x, lengths):  # type: ignore[no-untyped-def]
    return torch.nn.utils.rnn.pack_padded_sequence(x, torch.tensor(lengths), enforce_sorted=False)


def compare(made: Network, built, gradients: dict[str, np.ndarray], cell: str, first: int, bidirectional: bool) -> None:  # type: ignore[no-untyped-def]
    for part, end in ends(made, first, bidirectional):
        for name in ("ih", "hh"):
            theirs = getattr(built, f"weight_{name}{end}").grad.numpy()
            np.testing.assert_allclose(stacked(gradients[f"{part}weight_{name}"], made, cell), theirs, **EXACT)
        theirs = getattr(built, f"bias_ih{end}").grad.numpy()
        np.testing.assert_allclose(stacked(gradients[f"{part}bias"][:, None], made, cell)[:, 0], theirs, **EXACT)


def batch(tokens: bool) -> Batch:
    """NaN in both paddings where values stand."""
    rng = np.random.default_rng(2)
    answers = [rng.integers(0, CLASSES, n) if tokens else rng.normal(size=(n, VALUES)) for n in SAID]
    made = encoder_decoder([rng.normal(size=(n, INPUTS)) for n in READ], answers, start=2 if tokens else 0)
    made.inputs[~made.mask] = np.nan
    if not tokens:
        made.targets[~made.answered.mask] = made.answered.inputs[~made.answered.mask] = np.nan
    return made


@pytest.mark.torch
@pytest.mark.parametrize(
    ("cell", "layers", "bidirectional", "tokens"), list(product(("rnn", "gru", "lstm"), (1, 2), (False, True), (False, True)))
)
def test_two_modules_with_teacher_forcing(cell: str, layers: int, bidirectional: bool, tokens: bool) -> None:
    made, given = network(cell, layers, bidirectional, tokens), batch(tokens)
    run = made.forward(given.inputs, given.lengths, decoder=given.decoder)
    ours = made.loss(run, given)
    gradients = made.backward(run, ours.d_outputs)

    encoder, decoder = module(made, cell, INPUTS, 0, bidirectional), module(made, cell, made.signature.decoder, layers, False)
    x = torch.tensor(np.nan_to_num(given.inputs), requires_grad=True)
    _, final = encoder(packed(x, READ))
    ways = 2 if bidirectional else 1
    start = [state.view(layers, ways, len(READ), UNITS).sum(1) for state in (final if cell == "lstm" else (final,))]
    read = given.answered.inputs
    said = torch.nn.functional.one_hot(torch.tensor(read), CLASSES).double() if tokens else torch.tensor(np.nan_to_num(read))
    said.requires_grad_()
    hidden = torch.nn.utils.rnn.pad_packed_sequence(decoder(packed(said, SAID), tuple(start) if cell == "lstm" else start[0])[0])[0]
    weight, bias = (torch.tensor(made.parameters[f"readout.{name}"], requires_grad=True) for name in ("weight", "bias"))
    outputs, mask = hidden @ weight + bias, torch.tensor(given.answered.mask)
    if tokens:
        loss = torch.nn.functional.cross_entropy(outputs[mask], torch.tensor(given.targets)[mask])
    else:
        loss = ((outputs - torch.tensor(given.targets))[mask] ** 2).sum() / mask.sum()
    loss.backward()

    assert ours.mean == pytest.approx(loss.item(), rel=1e-12)
    np.testing.assert_allclose(run.outputs[given.answered.mask], outputs.detach().numpy()[given.answered.mask], **EXACT)
    np.testing.assert_allclose(gradients.inputs, x.grad.numpy(), **EXACT)
    if not tokens:
        np.testing.assert_allclose(gradients.decoder_inputs, said.grad.numpy(), **EXACT)
    compare(made, encoder, gradients.parameters, cell, 0, bidirectional)
    compare(made, decoder, gradients.parameters, cell, layers, False)
    np.testing.assert_allclose(gradients.parameters["readout.weight"], weight.grad.numpy(), **EXACT)
    np.testing.assert_allclose(gradients.parameters["readout.bias"], bias.grad.numpy(), **EXACT)

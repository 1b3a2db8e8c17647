"""Weights go to PyTorch and come back: the same numbers in, the same numbers out, on either side."""

from itertools import product
from pathlib import Path

import numpy as np
import pytest

import gradviz
from gradviz.batch import Signature
from gradviz.bridges import Prefixes, from_torch, load_weights, save_weights, to_torch
from gradviz.cells import CELLS
from gradviz.config import Model
from gradviz.network import Network

torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install torch")
files = pytest.importorskip("safetensors.torch")
torch.set_num_threads(1)

pytestmark = pytest.mark.torch
KINDS = [("rnn", "tanh"), ("rnn", "relu"), ("gru", ""), ("lstm", "")]
BARE = Prefixes(rnn="", readout=None, embedding=None)
STEPS, SIZE, INPUTS, UNITS, OUTPUTS = 5, 3, 4, 6, 2


class Tagger(torch.nn.Module):
    """What a PyTorch user would write."""

    def __init__(self, kind: str, embedded: bool = False, **options: object) -> None:
        super().__init__()
        self.embed = torch.nn.Embedding(7, INPUTS) if embedded else torch.nn.Identity()
        self.lstm = getattr(torch.nn, kind.upper())(INPUTS, UNITS, **options)
        self.fc = torch.nn.Linear(UNITS * (2 if options.get("bidirectional") else 1), OUTPUTS)

    def forward(self, x):  # type: ignore[no-untyped-def]
        return self.fc(self.lstm(self.embed(x))[0])


def cell_of(kind: str, activation: str):  # type: ignore[no-untyped-def]
    return CELLS[kind](activation=activation) if activation else CELLS[kind]()


def arrays_of(module) -> dict[str, np.ndarray]:  # type: ignore[no-untyped-def]
    return {name: tensor.numpy() for name, tensor in module.state_dict().items()}


def tensors_of(arrays: dict[str, np.ndarray]):  # type: ignore[no-untyped-def]
    return {name: torch.from_numpy(array) for name, array in arrays.items()}


@pytest.mark.parametrize(("kind", "activation"), KINDS)
@pytest.mark.parametrize(("layers", "both", "bias"), list(product((1, 2, 3), (False, True), (False, True))))
def test_a_module_s_weights_give_a_network_with_its_outputs(kind: str, activation: str, layers: int, both: bool, bias: bool) -> None:
    torch.manual_seed(layers)
    options = {"nonlinearity": activation} if activation else {}
    module = getattr(torch.nn, kind.upper())(INPUTS, UNITS, layers, bias=bias, bidirectional=both, dtype=torch.float64, **options)
    given = arrays_of(module)
    kept = {name: array.copy() for name, array in given.items()}
    made = from_torch(given, cell=cell_of(kind, activation) if activation else None)

    assert (made.model.cell, made.model.layers, made.model.units) == (cell_of(kind, activation), layers, UNITS)
    assert (made.model.direction, made.model.biases, made.dtype) == ("both" if both else "forward", bias, np.float64)
    inputs = np.random.default_rng(1).normal(size=(STEPS, SIZE, INPUTS))
    out = module(torch.tensor(inputs))[0].detach().numpy()
    np.testing.assert_allclose(made.forward(inputs).outputs, out, rtol=1e-10, atol=1e-12)

    for array in from_torch(given, cell=made.model.cell).parameters.values():
        array += 1
    assert all(np.array_equal(given[name], kept[name]) for name in kept), "arrays handed in are neither changed nor aliased"
    back = to_torch(made, BARE)
    module.load_state_dict(tensors_of(back))  # strict: no name too many, none missing
    np.testing.assert_allclose(module(torch.tensor(inputs))[0].detach().numpy(), out, rtol=1e-10, atol=1e-12)
    again = from_torch(back, cell=made.model.cell)
    for name, array in made.parameters.items():
        np.testing.assert_array_equal(again.parameters[name], array)


@pytest.mark.parametrize(("kind", "embedded"), list(product(("rnn", "gru", "lstm"), (False, True))))
def test_a_whole_module_goes_both_ways_through_files(kind: str, embedded: bool, tmp_path: Path) -> None:
    module = Tagger(kind, embedded, num_layers=2, bidirectional=True)
    inputs = np.random.default_rng(1).integers(0, 7, (STEPS, SIZE)) if embedded else np.ones((STEPS, SIZE, INPUTS), np.float32)
    out = module(torch.tensor(inputs)).detach().numpy()
    files.save_file(module.state_dict(), tmp_path / "theirs.safetensors")
    made = gradviz.load_weights(tmp_path / "theirs.safetensors")
    assert (made.signature.tokens, made.model.embedding, made.signature.outputs) == (embedded, INPUTS if embedded else 0, OUTPUTS)
    np.testing.assert_allclose(made.forward(inputs).outputs, out, rtol=2e-5, atol=1e-6)

    for array in made.parameters.values():
        array *= np.float32(1.5)
    gradviz.save_weights(made, tmp_path / "ours.safetensors", Prefixes("lstm.", "fc.", "embed."))
    module.load_state_dict(files.load_file(tmp_path / "ours.safetensors"))
    np.testing.assert_allclose(module(torch.tensor(inputs)).detach().numpy(), made.forward(inputs).outputs, rtol=2e-5, atol=1e-6)


def test_a_state_dict_is_taken_as_it_is() -> None:
    module = Tagger("gru")
    made = from_torch(module.state_dict())
    inputs = np.ones((STEPS, SIZE, INPUTS), np.float32)
    np.testing.assert_allclose(made.forward(inputs).outputs, module(torch.tensor(inputs)).detach().numpy(), rtol=2e-5, atol=1e-6)


def test_weights_go_into_a_network_that_is_there() -> None:
    module = Tagger("lstm", num_layers=2)
    made = Network(Model(units=UNITS, layers=2), Signature(INPUTS, OUTPUTS, False, "squared", at="last"))
    same = {name: id(array) for name, array in made.parameters.items()}
    assert from_torch(arrays_of(module), made) is made
    assert {name: id(array) for name, array in made.parameters.items()} == same
    inputs = np.ones((STEPS, SIZE, INPUTS), np.float32)
    out = module(torch.tensor(inputs)).detach().numpy()[-1:]
    np.testing.assert_allclose(made.forward(inputs).outputs, out, rtol=2e-5, atol=1e-6)


def test_an_lstm_cell_has_names_without_a_layer() -> None:
    module = torch.nn.LSTMCell(INPUTS, UNITS, dtype=torch.float64)
    made, inputs = from_torch(module.state_dict()), np.random.default_rng(1).normal(size=(STEPS, SIZE, INPUTS))
    state = None
    for t in range(STEPS):
        state = module(torch.tensor(inputs[t]), state)
    np.testing.assert_allclose(made.forward(inputs).outputs[-1], state[0].detach().numpy(), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("kind", ["float16", "bfloat16"])
def test_half_precision_becomes_float32(kind: str, tmp_path: Path) -> None:
    module = torch.nn.GRU(INPUTS, UNITS).to(getattr(torch, kind))
    files.save_file(module.state_dict(), tmp_path / "half.safetensors")
    made = load_weights(tmp_path / "half.safetensors")
    assert made.dtype == np.float32
    exact = from_torch(module.to(torch.float32).state_dict())
    for name, array in exact.parameters.items():
        np.testing.assert_array_equal(made.parameters[name], array)


def test_projections_are_refused_by_name() -> None:
    with pytest.raises(gradviz.GradvizError, match="proj_size"):
        from_torch(torch.nn.LSTM(INPUTS, UNITS, proj_size=2).state_dict())


def test_what_torch_save_writes_is_refused_with_advice_that_works(tmp_path: Path) -> None:
    module = torch.nn.GRU(INPUTS, UNITS)
    torch.save(module.state_dict(), tmp_path / "weights.pt")
    torch.save(module.state_dict(), tmp_path / "old.pt", _use_new_zipfile_serialization=False)
    for name in ("weights.pt", "old.pt"):
        with pytest.raises(gradviz.GradvizError, match=r"is a pickle.*With PyTorch, convert it: safetensors\.torch\.save_file"):
            load_weights(tmp_path / name)
    files.save_file(torch.load(tmp_path / "weights.pt", weights_only=True), tmp_path / "weights.safetensors")
    assert load_weights(tmp_path / "weights.safetensors").model.units == UNITS


def test_a_network_of_gradviz_alone_is_not_mistaken_for_one_of_pytorch(tmp_path: Path) -> None:
    """A network that only reads backward has reverse weights alone, which no module of PyTorch takes."""
    made = Network(Model(units=UNITS, direction="backward"), Signature(INPUTS, OUTPUTS, False, "squared"))
    arrays = to_torch(made, BARE)
    with pytest.raises(RuntimeError, match="weight_ih_l0_reverse"):
        torch.nn.LSTM(INPUTS, UNITS).load_state_dict(tensors_of(arrays))
    save_weights(made, tmp_path / "backward.safetensors")
    again = load_weights(tmp_path / "backward.safetensors")
    assert again.model.direction == "backward"
    np.testing.assert_array_equal(again.parameters["layers.0.backward.weight_hh"], made.parameters["layers.0.backward.weight_hh"])

"""Tied weights and dropout between layers: derivatives of the forward pass alone, PyTorch with the same masks, statistics of the masks."""

import numpy as np
import pytest

import gradviz
from gradviz.batch import Batch, Signature
from gradviz.bridges import from_torch, to_torch
from gradviz.cells import CELLS
from gradviz.config import Experiment, Model, Recording, Training
from gradviz.errors import GradvizError
from gradviz.gradcheck import gradcheck, worst
from gradviz.network import Network
from gradviz.tasks import TASKS
from gradviz.trainer import Trainer

KINDS, STEPS, SIZE = 6, 7, 4
TOKENS = Signature(KINDS, KINDS, True, "softmax")


class Same:
    """A generator that always draws the same."""

    def random(self, shape: tuple[int, ...], dtype: type) -> np.ndarray:
        return np.random.default_rng(3).random(shape, dtype)


def batch() -> Batch:
    return Batch(*np.random.default_rng(0).integers(0, KINDS, (2, STEPS, SIZE)))


@pytest.mark.parametrize("direction", ["forward", "both"])
def test_gradients_of_tied_weights_are_those_of_the_loss(direction: str) -> None:
    model = Model(units=4, direction=direction, embedding=8 if direction == "both" else 4, tied=True)
    network = Network(model, TOKENS, dtype="float64")
    assert "readout.weight" not in network.parameters
    assert worst(gradcheck(network, batch())).passed


def test_a_decoder_reads_out_with_its_own_embedding() -> None:
    data = TASKS["numbers"]().open(seed=0)
    classes = data.signature.outputs
    assert data.signature.decoder == classes
    network = Network(Model(units=5, embedding=5, tied=True), data.signature, dtype="float64")
    assert worst(gradcheck(network, data.batch(3, np.random.default_rng(0)), most=40)).passed


def test_a_tied_network_equals_the_untied_one_whose_readout_is_its_embedding() -> None:
    tied = Network(Model(units=4, embedding=4, tied=True), TOKENS, dtype="float64")
    free = from_torch(to_torch(tied), signature=TOKENS)
    assert not free.model.tied
    given = batch()
    run, other = tied.forward(given.inputs), free.forward(given.inputs)
    np.testing.assert_allclose(run.outputs, other.outputs, rtol=1e-13)
    found, parts = (one.backward(ran, one.loss(ran, given).d_outputs).parameters for one, ran in ((tied, run), (free, other)))
    np.testing.assert_allclose(found["embedding.weight"], parts["embedding.weight"] + parts["readout.weight"].T, rtol=1e-12)


def test_tied_weights_come_back_and_untied_ones_are_refused() -> None:
    tied = Network(Model(units=4, embedding=4, tied=True), TOKENS, dtype="float64", seed=1)
    own = from_torch(tied.parameters, signature=TOKENS)
    assert own.model.tied
    fresh = Network(tied.model, TOKENS, dtype="float64", seed=2)
    from_torch(to_torch(tied), fresh)
    np.testing.assert_array_equal(fresh.parameters["embedding.weight"], tied.parameters["embedding.weight"])
    apart = to_torch(tied)
    apart["fc.weight"][0, 0] += 1
    with pytest.raises(GradvizError, match=r"fc\.weight and embedding\.weight differ; make it with tied=False"):
        from_torch(apart, fresh)


@pytest.mark.parametrize(
    ("model", "signature", "said"),
    [
        (
            Model(units=4, embedding=3, tied=True),
            TOKENS,
            "with 4 numbers each.*there is 6 kinds of tokens with embedding 3. Use embedding 4",
        ),
        (Model(units=4, tied=True), TOKENS, "there is no embedding"),
        (Model(units=4, embedding=4, tied=True), Signature(KINDS, 3, True, "softmax"), "must be of 3 tokens"),
    ],
)
def test_what_cannot_be_tied_is_said(model: Model, signature: Signature, said: str) -> None:
    with pytest.raises(GradvizError, match=said):
        Network(model, signature)


@pytest.mark.parametrize("cell", list(CELLS))
def test_gradients_with_dropout_are_those_of_the_loss_with_the_same_masks(cell: str) -> None:
    network = Network(Model(cell=CELLS[cell](), units=5, layers=3, dropout=0.4), TOKENS, dtype="float64")
    given, exact = batch(), network.astype("complex128")
    with network.dropping(Same()):
        run = network.forward(given.inputs)
    gradients = network.backward(run, network.loss(run, given).d_outputs).parameters
    assert not any(np.array_equal(mask, np.ones_like(mask)) for mask in run.masks.values())
    assert list(run.masks) == [0, 1]
    rng = np.random.default_rng(0)
    for name, array in exact.parameters.items():
        place = tuple(int(rng.integers(n)) for n in array.shape)
        kept = array[place]
        array[place] = kept + 1e-30j
        with exact.dropping(Same()):
            changed = exact.forward(given.inputs)
        slope = exact.loss(changed, given).mean.imag / 1e-30
        array[place] = kept
        assert gradients[name][place] == pytest.approx(slope, rel=1e-9, abs=1e-13), name


@pytest.mark.torch
def test_dropout_is_what_pytorch_does_with_the_same_masks() -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install torch==2.13.0")
    network = Network(Model(units=5, layers=2, direction="both", dropout=0.5), Signature(3, 2, False, "squared"), dtype="float64")
    inputs = np.random.default_rng(1).standard_normal((STEPS, SIZE, 3))
    with network.dropping(np.random.default_rng(2)):
        run = network.forward(inputs)
    d_outputs = np.random.default_rng(3).standard_normal(run.outputs.shape)
    found = network.backward(run, d_outputs)
    weights = {name: torch.tensor(array) for name, array in to_torch(network).items()}
    low, high = torch.nn.LSTM(3, 5, bidirectional=True, dtype=torch.float64), torch.nn.LSTM(10, 5, bidirectional=True, dtype=torch.float64)
    for layer, module in enumerate((low, high)):
        module.load_state_dict(
            {name.removeprefix("rnn.").replace(f"_l{layer}", "_l0"): w for name, w in weights.items() if f"_l{layer}" in name}
        )
    read = torch.tensor(inputs, requires_grad=True)
    top = high(low(read)[0] * torch.tensor(run.masks[0]))[0]
    outputs = top @ weights["fc.weight"].T + weights["fc.bias"]
    outputs.backward(torch.tensor(d_outputs))
    np.testing.assert_allclose(run.outputs, outputs.detach().numpy(), rtol=1e-10)
    np.testing.assert_allclose(found.inputs, read.grad.numpy(), rtol=1e-9, atol=1e-14)


def test_masks_keep_the_mean_and_are_drawn_only_while_training() -> None:
    network = Network(Model(units=64, layers=2, dropout=0.25), TOKENS)
    inputs = np.random.default_rng(0).integers(0, KINDS, (50, 40))
    assert network.forward(inputs).masks == {}
    with network.dropping(np.random.default_rng(0)):
        (mask,) = network.forward(inputs).masks.values()
    assert network.forward(inputs).masks == {}
    assert mask.dtype == np.float32
    np.testing.assert_allclose(np.unique(mask), [0, 1 / 0.75])
    assert abs(np.mean(mask == 0) - 0.25) < 4 * np.sqrt(0.25 * 0.75 / mask.size)
    with pytest.raises(GradvizError, match="dropout acts between layers, and there is 1"):
        Model(dropout=0.1)


def test_a_training_drops_and_its_seed_decides_what() -> None:
    def losses(dropout: float, seed: int) -> list[float]:
        model, training = Model(units=8, layers=2, dropout=dropout), Training(updates=3, batch=4, seed=seed)
        experiment = Experiment(TASKS["adding"](length=10), model, training, Recording(every=1, reach_every=0, probe_every=0))
        trainer = Trainer(experiment, experiment.task.open(0), Nowhere())
        return [float(trainer.update(step)["loss"]) for step in range(3)]

    assert losses(0.5, 0) == losses(0.5, 0)
    assert losses(0.5, 0)[0] != losses(0.0, 0)[0]


class Nowhere:
    def append(self, table: str, row: dict[str, object]) -> None:
        """Rows are not what is tested here."""


def test_the_door_knows_them() -> None:
    assert gradviz.Model(embedding=64, tied=True, layers=2, dropout=0.1).tied

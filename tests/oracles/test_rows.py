"""The gradient of an embedding as the rows of the tokens that occur: whatever is done with it, the result is that of the whole matrix."""

import numpy as np
import pytest

from gradviz.arrays import whole
from gradviz.batch import NOTHING, Batch, Signature
from gradviz.clipping import CLIPPING
from gradviz.config import Model
from gradviz.network import Network
from gradviz.optimizers import OPTIMIZERS
from gradviz.optimizers._base import Optimizer
from gradviz.tasks import TASKS

KINDS, STEPS = 50, 6
TRIED: dict[str, Optimizer] = {
    **{name: OPTIMIZERS[name]() for name in OPTIMIZERS},
    "sgd momentum": OPTIMIZERS["sgd"](momentum=0.9, nesterov=True),
    "sgd decay": OPTIMIZERS["sgd"](weight_decay=0.1),
    "rmsprop centered": OPTIMIZERS["rmsprop"](centered=True, momentum=0.5),
    "adam decay": OPTIMIZERS["adam"](weight_decay=0.1),
    "adam amsgrad": OPTIMIZERS["adam"](amsgrad=True),
}


def network(**options: object) -> Network:
    return Network(Model(units=5, **{"embedding": 5, **options}), Signature(KINDS, KINDS, True, "softmax"), dtype="float64")  # type: ignore[arg-type]


def batch(seed: int = 0) -> Batch:
    inputs, targets = np.random.default_rng(seed).integers(0, KINDS, (2, STEPS, 3))
    inputs[0] = NOTHING
    return Batch(inputs, targets)


def test_rows_are_those_of_the_whole_gradient_that_are_not_zero() -> None:
    net, given = network(layers=2), batch()
    learned = net.learn(given)
    (name,) = learned.gradients.rows
    rows, values = learned.gradients.rows[name], learned.gradients.parameters[name]
    assert name == "embedding.weight"
    np.testing.assert_array_equal(rows, np.unique(given.inputs[given.inputs != NOTHING]))
    run = net.forward(given.inputs)
    expected = net.backward(run, net.loss(run, given).d_outputs).parameters
    np.testing.assert_allclose(whole(values, rows, net.parameters[name]), expected[name], rtol=1e-13, atol=1e-18)
    for other in expected.keys() - {name}:
        np.testing.assert_array_equal(learned.gradients.parameters[other], expected[other])
    assert network(tied=True).learn(given).gradients.rows == {}
    assert network(embedding=0).learn(given).gradients.rows == {}


def test_both_embeddings_of_an_encoder_decoder_have_rows() -> None:
    data = TASKS["numbers"]().open(seed=0)
    net = Network(Model(units=5, embedding=4), data.signature)
    rows = net.learn(data.batch(3, np.random.default_rng(0))).gradients.rows
    assert sorted(rows) == ["decoder.embedding.weight", "embedding.weight"]


@pytest.mark.parametrize("clipping", CLIPPING.names())
@pytest.mark.parametrize("name", TRIED)
def test_updates_with_rows_are_those_with_the_whole_gradient(name: str, clipping: str) -> None:
    """Four updates: rows that occur once must go on fading, and moving, in the next ones."""
    optimizer, sparse, full = TRIED[name], network(), network()
    states = optimizer.start(sparse.parameters), optimizer.start(full.parameters)
    rule, kept = CLIPPING[clipping](), (CLIPPING[clipping]().start(), CLIPPING[clipping]().start())
    for seed in range(4):
        gradients = sparse.learn(batch(seed)).gradients
        run = full.forward(batch(seed).inputs)
        dense = full.backward(run, full.loss(run, batch(seed)).d_outputs).parameters
        few, all_ = rule.clip(gradients.parameters, sparse.parameters, kept[0]), rule.clip(dense, full.parameters, kept[1])
        assert (few.before, few.after, few.acted) == pytest.approx((all_.before, all_.after, all_.acted), rel=1e-12)
        optimizer.step_rows(sparse.parameters, few.gradients, states[0], 0.01, gradients.rows)
        optimizer.step(full.parameters, all_.gradients, states[1], 0.01)
        for parameter, array in full.parameters.items():
            np.testing.assert_allclose(sparse.parameters[parameter], array, rtol=1e-9, atol=1e-13, err_msg=parameter)


@pytest.mark.torch
@pytest.mark.parametrize("name", ["Adam", "AdamW"])
def test_rows_move_as_pytorchs_dense_optimizers_move_them(name: str) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install torch==2.13.0")
    rng = np.random.default_rng(0)
    ours, state = {"w": rng.standard_normal((6, 3))}, None
    theirs = torch.tensor(ours["w"], requires_grad=True)
    peer = getattr(torch.optim, name)([theirs], lr=0.01)
    optimizer = OPTIMIZERS[name.lower()]()
    state = optimizer.start(ours)
    for rows in ([0, 4], [1], [0, 1, 2, 5], []):
        places, values = np.array(rows, int), rng.standard_normal((len(rows), 3))
        theirs.grad = torch.tensor(whole(values, places, ours["w"]))
        peer.step()
        optimizer.step_rows(ours, {"w": values}, state, 0.01, {"w": places})
        np.testing.assert_allclose(ours["w"], theirs.detach().numpy(), rtol=1e-12)

"""Tokens are vectors: one-hot, the embedding's, or zero where there is no token. The same network that reads the vectors is the witness."""

import numpy as np
import pytest

from gradviz.batch import NOTHING, Batch, Signature
from gradviz.cells import CELLS
from gradviz.config import Model
from gradviz.errors import GradvizError
from gradviz.gradcheck import gradcheck, worst
from gradviz.network import Network

KINDS, STEPS, SIZE = 7, 9, 3
TOKENS = Signature(KINDS, KINDS, True, "softmax")


def batch(lengths: bool = False) -> Batch:
    rng = np.random.default_rng(1)
    inputs, targets = rng.integers(0, KINDS, (2, STEPS, SIZE))
    inputs[0], inputs[4, 1] = NOTHING, NOTHING
    return Batch(inputs, targets, np.array([STEPS, 5, 1]) if lengths else None)


def vectors(network: Network, inputs: np.ndarray) -> np.ndarray:
    table = network.parameters["embedding.weight"] if network.model.embedding else np.eye(KINDS)
    return np.where((inputs == NOTHING)[..., None], 0.0, table[inputs.clip(0)])


@pytest.mark.parametrize("embedding", [0, 4])
@pytest.mark.parametrize("direction", ["forward", "both"])
@pytest.mark.parametrize("cell", list(CELLS))
def test_a_network_that_reads_tokens_is_one_that_reads_their_vectors(cell: str, direction: str, embedding: int) -> None:
    given = batch(lengths=True)
    ours = Network(Model(cell=CELLS[cell](), units=5, layers=2, direction=direction, embedding=embedding), TOKENS, dtype="float64")
    read = vectors(ours, given.inputs)
    plain = Network(
        Model(cell=CELLS[cell](), units=5, layers=2, direction=direction),
        Signature(read.shape[2], KINDS, False, "softmax"),
        dtype="float64",
    )
    for name, array in plain.parameters.items():
        array[...] = ours.parameters[name]
    run, same = ours.forward(given.inputs, given.lengths), plain.forward(read, given.lengths)
    np.testing.assert_allclose(run.outputs, same.outputs, rtol=1e-12, atol=1e-14)
    d_outputs = ours.loss(run, given).d_outputs
    found, expected = ours.backward(run, d_outputs, tokens=True), plain.backward(same, d_outputs)
    np.testing.assert_allclose(found.inputs, expected.inputs, rtol=1e-10, atol=1e-15)
    for name, gradient in expected.parameters.items():
        np.testing.assert_allclose(found.parameters[name], gradient, rtol=1e-10, atol=1e-14, err_msg=name)
    if embedding:
        by_hand = np.zeros_like(ours.parameters["embedding.weight"])
        there = given.inputs != NOTHING
        np.add.at(by_hand, given.inputs[there], expected.inputs[there])
        np.testing.assert_allclose(found.parameters["embedding.weight"], by_hand, rtol=1e-10, atol=1e-15)
    assert ours.backward(run, d_outputs).inputs is None


@pytest.mark.parametrize("embedding", [0, 4])
def test_gradients_with_no_token_are_those_of_the_loss(embedding: int) -> None:
    network = Network(Model(units=5, embedding=embedding), TOKENS, dtype="float64")
    assert worst(gradcheck(network, batch())).passed


def test_no_token_is_no_target_and_less_is_no_token() -> None:
    network, given = Network(Model(units=5), TOKENS), batch()
    with pytest.raises(GradvizError, match="from -2 to 6; they must be between 0 and 6, or -1 for no token"):
        network.forward(np.where(given.inputs == NOTHING, -2, 6))
    with pytest.raises(GradvizError, match="the target at time step 0 of example 0 is -1"):
        network.loss(network.forward(given.inputs), Batch(given.inputs, given.inputs))

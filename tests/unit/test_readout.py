"""A large vocabulary's outputs are taken in pieces: the same numbers, in less memory."""

import tracemalloc

import numpy as np
import pytest

from gradviz import network as networks
from gradviz import readout
from gradviz.batch import Batch, Signature
from gradviz.config import Model
from gradviz.network import Network
from gradviz.passes import Learned
from gradviz.recording import reach
from gradviz.tasks import TASKS


def batch(kinds: int, steps: int, size: int, lengths: bool = False) -> Batch:
    inputs, targets = np.random.default_rng(0).integers(0, kinds, (2, steps, size))
    return Batch(inputs, targets, np.random.default_rng(1).integers(1, steps + 1, size) if lengths else None)


def compare(whole: Learned, pieces: Learned) -> None:
    assert pieces.run.outputs.shape[0] == pieces.loss.d_outputs.shape[0] == 0
    assert whole.run.outputs.shape[0] > 0
    assert pieces.loss.count == whole.loss.count
    assert (pieces.loss.mean, pieces.loss.sum) == pytest.approx((whole.loss.mean, whole.loss.sum), rel=1e-13)
    np.testing.assert_allclose(pieces.loss.per_step, whole.loss.per_step, rtol=1e-12)
    assert list(pieces.gradients.parameters) == list(whole.gradients.parameters)
    for name, gradient in whole.gradients.parameters.items():
        np.testing.assert_allclose(pieces.gradients.parameters[name], gradient, rtol=1e-10, atol=1e-15, err_msg=name)


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("lengths", [False, True])
def test_pieces_give_the_same_numbers(monkeypatch: pytest.MonkeyPatch, reduction: str, tied: bool, lengths: bool) -> None:
    network = Network(Model(units=6, layers=2, embedding=6, tied=tied), Signature(11, 11, True, "softmax"), dtype="float64")
    given = batch(11, 10, 4, lengths)
    whole = network.learn(given, reduction=reduction)
    monkeypatch.setattr(networks, "MOST", 100)
    monkeypatch.setattr(readout, "PIECE", 3 * 4 * 11)  # three steps, and one at the end
    compare(whole, network.learn(given, reduction=reduction))


def test_an_encoder_decoder_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    data = TASKS["numbers"]().open(seed=0)
    network = Network(Model(units=6), data.signature, dtype="float64")
    given = data.batch(5, np.random.default_rng(0))
    whole = network.learn(given)
    monkeypatch.setattr(networks, "MOST", 100)
    monkeypatch.setattr(readout, "PIECE", 500)
    compare(whole, network.learn(given))


def test_whoever_looks_at_the_outputs_sees_them_all(monkeypatch: pytest.MonkeyPatch) -> None:
    network, seen = Network(Model(units=6), Signature(11, 11, True, "softmax")), []
    monkeypatch.setattr(networks, "MOST", 100)
    with network.observe("readout.logits", lambda name, array: seen.append(array.shape), gradient=True):
        assert network.learn(batch(11, 10, 4)).run.outputs.shape == (10, 4, 11)
    assert seen == [(10, 4, 11)]


def test_memory_grows_with_the_piece_and_not_with_the_outputs() -> None:
    kinds, steps, size = 10_000, 35, 32
    network = Network(Model(units=16, embedding=16), Signature(kinds, kinds, True, "softmax"))
    given = batch(kinds, steps, size)
    network.learn(given)  # buffers
    tracemalloc.start()
    network.learn(given)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    outputs = 4 * kinds * steps * size
    parameters = sum(array.nbytes for array in network.parameters.values())
    assert peak < 4 * 4 * readout.PIECE + 4 * parameters < outputs


def test_held_out_sequences_are_measured_in_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    network = Network(Model(units=6, direction="both"), Signature(11, 11, True, "softmax"), dtype="float64")
    given = batch(11, 10, 7, lengths=True)
    whole = reach.measure(network, given)
    monkeypatch.setattr(reach, "MOST", 3 * 10 * 11)
    groups = reach.measure(network, given)
    assert (groups.loss, groups.accuracy) == pytest.approx((whole.loss, whole.accuracy), rel=1e-13)
    assert len(groups.reach) == len(whole.reach) == 4
    for row, same in zip(groups.reach, whole.reach, strict=True):
        for name, value in same.items():
            if isinstance(value, np.ndarray):
                np.testing.assert_allclose(row[name], value, rtol=1e-10, err_msg=name)
            else:
                assert row[name] == pytest.approx(value, rel=1e-9, nan_ok=True) if isinstance(value, float) else row[name] == value
    assert reach.score(network, given).loss == groups.loss

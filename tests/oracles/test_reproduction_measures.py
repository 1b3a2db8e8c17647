"""What reproductions measure, against plain loops and closed forms."""

from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradviz.config import Model
from gradviz.network import Network
from gradviz.reproductions import _exact, _gates
from gradviz.reproductions._beginnings import LAYER, STARTS, STEPS, UNITS, follow
from gradviz.reproductions._halves import Halves
from gradviz.tasks.adding import Adding


@pytest.mark.parametrize("name", ["glorot", "orthogonal", "identity", "small"])
def test_a_profile_is_that_of_a_plain_loop(name: str) -> None:
    start, seed = STARTS[name], 3
    data, rng = Adding(length=STEPS).open(seed), np.random.default_rng([0x9A0F, seed])
    network = Network(Model(start.cell, units=UNITS, initialization=start.begin), data.signature, dtype="float64", seed=seed)
    inputs, d_output = data.batch(1, rng).inputs[:, 0], rng.standard_normal((1, 1, 1))
    weights, recurrent = (network.parameters[f"{LAYER}.{part}"][0] for part in ("weight_ih", "weight_hh"))
    state, slopes = np.zeros(UNITS), []
    for step in inputs:
        before = step @ weights + state @ recurrent
        state = np.maximum(before, 0) if name == "identity" else np.tanh(before)
        slopes.append((before > 0).astype(float) if name == "identity" else 1 - state**2)
    gradient, norms = network.parameters["readout.weight"] @ d_output[0, 0], []
    for slope in reversed(slopes):
        gradient = recurrent @ (slope * gradient)
        norms.append(np.linalg.norm(gradient))
    profile = follow(start, seed, 1)
    np.testing.assert_allclose(profile.logs, np.log10(norms) - np.log10(norms[0]), rtol=1e-9, atol=1e-12)
    assert profile.bound == pytest.approx(np.log10(np.linalg.svd(recurrent)[1][0]))
    assert profile.above <= 1e-12


@pytest.mark.parametrize("spread", _gates.SPREADS)
def test_gates_are_counted_as_by_hand(spread: float) -> None:
    draws = np.random.default_rng([0x6A7E, 5]).standard_normal((20, _gates.DRAWS // 20, 1))
    gate = _gates.gaussian(spread, 5)
    assert gate.left[0] == np.mean(spread * draws < -np.log(9))
    assert gate.right[0] == np.mean(spread * draws > np.log(9))
    assert _gates.expected(spread) == pytest.approx(NormalDist().cdf(-np.log(9) / spread), rel=1e-12)


def test_units_that_are_always_open_or_shut_are_counted() -> None:
    gate = _gates.Gate(np.array([0.95, 0.9, 0.0]), np.array([0.0, 0.1, 1.0]), np.array([0.0, 0.5, 1.0]))
    assert (gate.always_shut, gate.always_open) == (1, 1)
    assert gate.spans.tolist() == [1, 2, np.inf]


@settings(max_examples=30, deadline=None)
@given(length=st.integers(2, 40), size=st.integers(1, 9), seed=st.integers(0, 99))
def test_each_half_has_one_mark_and_the_target_is_their_sum(length: int, size: int, seed: int) -> None:
    batch = Halves(length=length).open().batch(size, np.random.default_rng(seed))
    values, marks = batch.inputs[..., 0], batch.inputs[..., 1]
    assert (marks[: length // 2].sum(axis=0) == 1).all()
    assert (marks[length // 2 :].sum(axis=0) == 1).all()
    np.testing.assert_allclose(batch.targets[:, 0], (values * marks).sum(axis=0), rtol=1e-12)


def test_what_is_left_at_rest_is_what_calculation_says() -> None:
    assert [statement.agreement for statement in _exact.statements(7, 3)] == ["agrees"] * 3
    assert _exact.left_active(7) == pytest.approx(1, rel=1e-12)

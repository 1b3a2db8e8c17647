"""Values that theory or a publication states, for what no other file here asks: each is computed by gradviz."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradviz.batch import Signature
from gradviz.cells import CELLS
from gradviz.config import Model
from gradviz.dynamics.bifurcation import rests
from gradviz.dynamics.jacobians import follow, step_jacobians
from gradviz.initializers import Initialization
from gradviz.network import Network
from gradviz.tasks.adding import Adding
from gradviz.tasks.copying import Copying
from gradviz.tasks.temporal_order import TemporalOrder

RNG = np.random.default_rng


def plain(matrix: np.ndarray, activation: str = "tanh") -> Network:
    model = Model(cell=CELLS["rnn"](activation=activation), units=len(matrix))  # type: ignore[call-arg]
    network = Network(model, Signature(len(matrix), 1, False, "squared", at="last"), dtype="float64")
    for array in network.parameters.values():
        array[...] = 0
    network.parameters["layers.0.forward.weight_hh"][0] = matrix.T
    network.parameters["layers.0.forward.weight_ih"][0] = np.eye(len(matrix))
    return network


def test_a_linear_unit_has_derivatives_of_first_and_second_order() -> None:
    """x_t = w x_{t-1}: ∂x_t/∂w = t x₀ w^(t-1) and ∂²x_t/∂w² = t (t-1) x₀ w^(t-2)."""

    def slope(w: float) -> float:
        network = plain(np.array([[w]]), "relu")
        network.parameters["readout.weight"][...] = 1
        run = network.forward(np.zeros((50, 1, 1)), initial={"layers.0.forward": (np.full((1, 1), 0.5),)})
        return float(network.backward(run, np.ones((1, 1, 1))).parameters["layers.0.forward.weight_hh"][0, 0, 0])

    assert slope(1.1) == pytest.approx(2667.97393, rel=1e-8)
    assert (slope(1.1 + 1e-5) - slope(1.1 - 1e-5)) / 2e-5 == pytest.approx(118846.111, rel=1e-6)


@pytest.mark.parametrize(("longest", "mean"), [(100, 51), (784, 393)])
def test_chrono_spreads_memories_from_two_steps_to_the_longest(longest: int, mean: float) -> None:
    model = Model(units=4000, initialization=Initialization(chrono=longest, recurrent="identity"))
    bias = Network(model, Signature(1, 1, False, "squared"), dtype="float64").parameters["layers.0.forward.bias"]
    keep, write = (1 / (1 + np.exp(-bias[model.cell.blocks.index(gate)])) for gate in ("forget", "input"))
    assert ((keep > 0.5) & (keep < (longest - 1) / longest)).all()
    np.testing.assert_allclose(keep + write, 1, rtol=1e-12)
    memory = 1 / (1 - keep)
    assert memory.mean() == pytest.approx(mean, abs=4 * (longest - 2) / math.sqrt(12 * 4000))
    assert (memory.min(), memory.max()) == (pytest.approx(2, abs=0.5), pytest.approx(longest, rel=0.01))


def test_what_a_constant_scores_on_marked_values() -> None:
    """The adding problem in its versions, and multiplication: the values that the marks pick are uniform and independent."""
    batch = Adding(length=20).open().batch(200_000, RNG(0))
    values, marks = batch.inputs[..., 0], batch.inputs[..., 1] > 0
    first, second = values.T[marks.T].reshape(-1, 2).T
    error = 4 / math.sqrt(200_000)
    assert np.var(first + second) == pytest.approx(1 / 6, abs=error)
    assert np.var((first + second) / 2) == pytest.approx(1 / 24, abs=error)
    wide = 0.5 + ((2 * first - 1) + (2 * second - 1)) / 4  # Hochreiter and Schmidhuber: values from -1 to 1
    assert np.var(wide) == pytest.approx(1 / 24, abs=error)
    assert np.mean(((first + second) / 2 - 0.5) ** 2 > 0.04) == pytest.approx(0.36, abs=error)
    assert np.mean(np.abs(wide - 0.5) > 0.04) == pytest.approx(0.8464, abs=error)
    assert np.var(first * second) == pytest.approx(7 / 144, abs=error)


@pytest.mark.parametrize(("blanks", "expected"), [(100, 0.173287), (200, 0.094520), (300, 0.064983), (500, 0.039989)])
def test_copying_without_memory(blanks: int, expected: float) -> None:
    assert Copying(length=blanks + 20).open().baselines["without memory"] == pytest.approx(expected, abs=5e-7)


@pytest.mark.parametrize("length", [10, 20, 57, 100])
def test_temporal_order_marks_two_places_and_asks_for_both(length: int) -> None:
    data = TemporalOrder(length=length).open()
    batch = data.batch(4000, RNG(1))
    marked = batch.inputs < 2
    assert (marked.sum(axis=0) == 2).all()
    times = np.nonzero(marked.T)[1].reshape(-1, 2)
    tenth = length // 10
    assert set(times[:, 0]) == set(range(tenth, 2 * tenth))
    assert set(times[:, 1]) == set(range(length // 2, length // 2 + tenth))
    assert length - 1 - times[:, 1].max() == data.lag
    everyone = np.arange(batch.size)
    first, second = batch.inputs[times[:, 0], everyone], batch.inputs[times[:, 1], everyone]
    np.testing.assert_array_equal(batch.targets, first + 2 * second)
    assert data.baselines["chance"] == pytest.approx(1.386294, abs=1e-6)
    assert np.bincount(batch.targets) / batch.size == pytest.approx([0.25] * 4, abs=0.03)
    assert data.words(np.array([0, 1, 2, 5])) == ["A", "B", "c", "f"]


@pytest.mark.parametrize("seed", range(3))
def test_a_unitary_network_whose_activation_does_nothing_keeps_the_gradients_norm(seed: int) -> None:
    """At bias 0 modReLU is the identity, as relu is of states above zero: a permutation keeps them there."""
    network = plain(np.eye(6)[RNG(seed).permutation(6)], "relu")
    network.parameters["readout.weight"][...] = RNG(seed).standard_normal((6, 1))
    initial = {"layers.0.forward": (RNG(seed).random((1, 6)) + 0.1,)}
    seen: dict[str, np.ndarray] = {}
    with network.observe("layers.*.hidden", lambda name, array: seen.update({name: array.copy()}), gradient=True):
        run = network.forward(np.zeros((30, 1, 6)), initial=initial)
        network.backward(run, np.ones((1, 1, 1)))
    norms = np.linalg.norm(seen["layers.0.forward.hidden"][:, 0], axis=1)
    np.testing.assert_allclose(norms, norms[-1], rtol=1e-13)


@settings(deadline=None, max_examples=30)
@given(w=st.floats(-3.99, 3.99), b=st.floats(-8, 8))
def test_a_logistic_unit_below_four_always_forgets(w: float, b: float) -> None:
    assert np.nanmax(np.abs(rests(w, np.array([b])).slopes)) < 1


@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 10_000), units=st.integers(2, 5), largest=st.floats(0.05, 0.9))
def test_errors_of_logistic_networks_fade_as_the_bound_says(seed: int, units: int, largest: float) -> None:
    """|∂θ_v(t-q)/∂θ_u(t)| ≤ n τ^q with τ = n w_max/4 < 1 (Hochreiter 1991). A logistic network with weights W is a tanh network with W/4:
    σ(x) = (1 + tanh(x/2))/2. θ are the errors at the units' inputs."""
    weights = RNG(seed).uniform(-1, 1, (units, units))
    weights *= 4 * largest / units / np.abs(weights).max()
    path = follow(plain(weights / 4), 2 * RNG(seed).standard_normal((8, units)))
    inputs_to_inputs, product = [], np.eye(units)
    for jacobian, before, after in zip(step_jacobians(path), path.before, [*path.before[1:], path.final], strict=True):
        # jacobian = diag(1 - after²) W/4; of an error at the units' inputs the slope at the state before counts instead
        inputs_to_inputs.append(jacobian / (1 - after**2)[:, None] * (1 - before**2)[None])
    for q, step in enumerate(reversed(inputs_to_inputs), 1):
        product = product @ step
        assert np.abs(product).max() <= units * largest**q * (1 + 1e-12)

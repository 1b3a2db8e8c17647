"""Fixed points against closed forms, bisection, networks built by hand, and complex-step Jacobians."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradviz.batch import Signature
from gradviz.cells import CELLS
from gradviz.config import Model
from gradviz.dynamics.fixed_points import Search, fixed_points, visited
from gradviz.dynamics.jacobians import follow
from gradviz.dynamics.marquardt import minimise
from gradviz.dynamics.modes import modes
from gradviz.errors import GradvizError, NonFiniteError, ShapeError
from gradviz.network import Network

RNG = np.random.default_rng


def network(cell: str = "rnn", units: int = 1, size: float = 0.0, **options: object) -> Network:
    made = Network(Model(cell=CELLS[cell](), units=units, **options), Signature(1, 1, False, "squared"), dtype="float64")  # type: ignore[arg-type]
    for array in made.parameters.values():
        array[...] = size * RNG(3).standard_normal(array.shape)
    return made


def latches(weight: float, units: int) -> Network:
    made = network(units=units)
    made.parameters["layers.0.forward.weight_hh"][0] = weight * np.eye(units)
    return made


def after(made: Network, state: np.ndarray, value: float = 0.0) -> np.ndarray:
    """One step of the network in complex numbers, by its forward pass alone."""
    exact, names, kinds = made.astype("complex128"), [f"layers.{k}.forward" for k in range(made.model.layers)], made.model.cell.states
    parts = np.split(state.astype(complex), len(names) * len(kinds))
    initial = {name: tuple(parts[k * len(kinds) + i][None] for i in range(len(kinds))) for k, name in enumerate(names)}
    run = exact.forward(np.full((1, 1, 1), value, complex), initial=initial)
    return np.concatenate([run.final[name][i][0] for name in names for i in range(len(kinds))])


@pytest.mark.parametrize(("weight", "rest", "slope"), [(2.0, 0.957504, 0.166372), (1.5, 0.858560, 0.394313)])
def test_a_tanh_latch(weight: float, rest: float, slope: float) -> None:
    found = fixed_points(latches(weight, 1), np.zeros(1), np.linspace(-1, 1, 21)[:, None])
    assert (len(found.fixed), len(found.slow), found.failed) == (3, 0, 0)
    by_state = sorted(found.fixed, key=lambda point: point.state[0])
    np.testing.assert_allclose([point.state[0] for point in by_state], [-rest, 0, rest], atol=1e-6)
    np.testing.assert_allclose([point.modes.values[0].real for point in by_state], [slope, weight, slope], atol=1e-6)
    assert [point.stability for point in by_state] == ["stable", "unstable", "stable"]
    assert sum(point.starts for point in found.points) == 21
    assert found.said == "3 fixed points, 2 of them stable, and 0 slow points from 21 starts."


def test_a_linear_map_has_one() -> None:
    matrix, shift = np.array([[0.5, -0.4, 0.0], [0.4, 0.5, 0.1], [0.0, 0.2, 1.3]]), np.array([3.0, 2.0, -1.5])
    made = Network(Model(cell=CELLS["rnn"](activation="relu"), units=3), Signature(1, 1, False, "squared"), dtype="float64")
    for array in made.parameters.values():
        array[...] = 0
    made.parameters["layers.0.forward.weight_hh"][0] = matrix.T
    made.parameters["layers.0.forward.bias"][0] = shift
    (point,) = fixed_points(made, np.zeros(1), [[1.0, 2.0, 3.0]]).points
    np.testing.assert_allclose(point.state, np.linalg.solve(np.eye(3) - matrix, shift), rtol=1e-12)
    np.testing.assert_allclose(np.sort_complex(point.modes.values), np.sort_complex(np.linalg.eigvals(matrix)), rtol=1e-10)
    assert (point.kind, point.stability, point.modes.unstable) == ("fixed", "saddle", 1)
    np.testing.assert_allclose(point.modes.left @ point.modes.right, np.eye(3), atol=1e-12)
    np.testing.assert_allclose(point.modes.left @ matrix, point.modes.values[:, None] * point.modes.left, atol=1e-12)


@pytest.mark.parametrize("cell", list(CELLS))
def test_zero_weights_rest_at_zero(cell: str) -> None:
    (point,) = fixed_points(network(cell, units=2), np.ones(1), RNG(0).normal(0, 0.5, (9, 2 * len(CELLS[cell]().states)))).points
    np.testing.assert_allclose(point.state, 0, atol=1e-12)
    half = {"rnn": 0.0}.get(cell, 0.5)
    assert point.modes.sizes[0] == pytest.approx(half, abs=1e-12)
    assert point.modes.time_constants[0] == pytest.approx(1 / np.log(2) if half else 0, abs=1e-12)


@pytest.mark.parametrize("cell", list(CELLS))
def test_one_unit_against_bisection(cell: str) -> None:
    """Of a cell with one state. A gated cell's q fades for large states as well, without a fixed point; those are counted apart."""
    made = network(cell, size=0.8)
    states = len(made.model.cell.states)
    found = fixed_points(made, np.array([0.3]), RNG(0).normal(0, 0.5, (30, states)))
    assert found.fixed
    assert not found.failed
    for point in found.fixed:
        np.testing.assert_allclose(after(made, point.state, 0.3).real, point.state, atol=1e-12)
    if states == 1:
        grid = np.linspace(-1, 1, 401)
        values = [after(made, np.array([s]), 0.3).real[0] - s for s in grid]
        roots = []
        for k in np.flatnonzero(np.diff(np.sign(values))):
            low, high, sign = grid[k], grid[k + 1], np.sign(values[k])
            for _ in range(60):
                middle = (low + high) / 2
                low, high = (middle, high) if np.sign(after(made, np.array([middle]), 0.3).real[0] - middle) == sign else (low, middle)
            roots.append(low)
        np.testing.assert_allclose(sorted(point.state[0] for point in found.fixed), roots, atol=1e-12)
        assert sum(point.starts for point in found.points) + found.outside == 30
        assert (
            ("ran off to states that no step reaches" in found.said)
            == (found.outside > 0)
            == (cell in ("gru", "gru_simplified", "gru_reset_before"))
        )


@pytest.mark.parametrize("memory", [0.0, 2.0])
def test_an_lstm_of_one_unit_against_bisection(memory: float) -> None:
    """All weights zero but h → candidate: at rest c = i·tanh(w h)/(1 − f) and h = o·tanh(c), an equation of h alone."""
    made = network("lstm")
    cell = made.model.cell
    made.parameters["layers.0.forward.weight_hh"][cell.blocks.index("candidate")] = 4.0
    made.parameters["layers.0.forward.bias"][cell.blocks.index("forget")] = memory
    forget = 1 / (1 + np.exp(-memory))
    low, high = 1e-3, 1.0
    for _ in range(80):
        h = (low + high) / 2
        low, high = (h, high) if 0.5 * np.tanh(0.5 * np.tanh(4 * h) / (1 - forget)) > h else (low, h)
    found = fixed_points(made, np.zeros(1), RNG(0).uniform(-0.9, 0.9, (40, 2)))
    hidden = sorted({round(abs(point.state[0]), 9) for point in found.fixed})
    expected = [0.0, round(low, 9)] if low > 2e-3 else [0.0]
    np.testing.assert_allclose(hidden, expected, atol=2e-9)


def test_a_flip_flop_of_three_latches_has_27() -> None:
    starts = np.array(list(itertools.product([-0.9, 0.05, 0.8], repeat=3)))
    found = fixed_points(latches(2.0, 3), np.zeros(1), starts)
    kinds = [point.stability for point in found.fixed]
    assert (len(kinds), kinds.count("stable"), kinds.count("saddle"), kinds.count("unstable")) == (27, 8, 18, 1)
    expected = {tuple(row) for row in itertools.product([-1, 0, 1], repeat=3)}
    assert {tuple(np.sign(np.round(point.state, 6)).astype(int)) for point in found.fixed} == expected


def test_a_ghost_is_a_slow_point() -> None:
    """x = tanh(2x) + b just past its fold: q has a minimum there above zero, where the slope is 1."""
    made = latches(2.0, 1)
    fold = np.arctanh(np.sqrt(0.5)) - 2 * np.sqrt(0.5)
    made.parameters["layers.0.forward.bias"][0] = -fold + 1e-3
    found = fixed_points(made, np.zeros(1), np.linspace(-1, 1, 21)[:, None])
    (slow,), (fixed,) = found.slow, found.fixed
    assert slow.modes.values[0].real == pytest.approx(1, abs=1e-6)
    assert 1e-8 < slow.q < 1e-6
    assert slow.speed == pytest.approx(np.sqrt(2 * slow.q))
    assert fixed.state[0] > 0.9


@pytest.mark.parametrize("cell", list(CELLS))
def test_deep_networks_and_complex_step(cell: str) -> None:
    made = network(cell, units=2, size=0.7, layers=2)
    path = follow(made, RNG(0).standard_normal((30, 1)))
    found = fixed_points(made, np.array([0.2]), visited(path, 12, noise=0.1))
    assert found.fixed
    for point in found.fixed:
        check(made, point.state, point.modes.values, 0.2)


@settings(deadline=None, max_examples=25)
@given(st.integers(1, 4), st.integers(0, 10_000), st.floats(0.1, 2.5))
def test_what_is_called_fixed_is_fixed(units: int, seed: int, size: float) -> None:
    made = network(units=units)
    for array in made.parameters.values():
        array[...] = size * RNG(seed).standard_normal(array.shape)
    found = fixed_points(made, np.array([0.5]), RNG(seed).uniform(-1, 1, (10, units)))
    assert sum(point.starts for point in found.points) + found.failed + found.outside == 10
    for point in found.fixed:
        check(made, point.state, point.modes.values, 0.5)


def check(made: Network, state: np.ndarray, values: np.ndarray, value: float) -> None:
    np.testing.assert_allclose(after(made, state, value).real, state, atol=1e-9)
    columns = [after(made, state + 1e-30j * unit, value).imag / 1e-30 for unit in np.eye(len(state))]
    theirs = np.linalg.eigvals(np.stack(columns, axis=1))
    distance = np.abs(values[:, None] - theirs[None])
    assert max(distance.min(axis=0).max(), distance.min(axis=1).max()) < 1e-6


def test_modes_that_turn_and_matrices_without_a_basis() -> None:
    turning = modes(0.9 * np.array([[np.cos(0.3), -np.sin(0.3)], [np.sin(0.3), np.cos(0.3)]]))
    np.testing.assert_allclose(turning.angles, [0.3, -0.3], rtol=1e-12)
    np.testing.assert_allclose(turning.time_constants, -1 / np.log(0.9), rtol=1e-12)
    assert modes(np.eye(2)).stability == "marginal"
    assert np.isinf(modes(np.eye(2)).time_constants).all()
    assert np.isnan(modes(np.array([[0.5, 1.0], [0.0, 0.5]])).left).all()


def test_rosenbrock_s_valley() -> None:
    def residual(x: np.ndarray) -> np.ndarray:
        return np.stack([10 * (x[:, 1] - x[:, 0] ** 2), 1 - x[:, 0]], axis=1)

    def jacobian(x: np.ndarray) -> np.ndarray:
        one = np.ones(len(x))
        return np.stack([np.stack([-20 * x[:, 0], 10 * one], axis=1), np.stack([-one, 0 * one], axis=1)], axis=1)

    found = minimise(residual, jacobian, np.array([[-1.2, 1.0], [5.0, -3.0], [np.nan, 0.0]]), 200)
    np.testing.assert_allclose(found.x[:2], 1, rtol=1e-10)
    assert found.settled.tolist() == [True, True, False]


def test_what_cannot_be_searched_is_said() -> None:
    made = network("lstm", units=2)
    with pytest.raises(ShapeError, match=r"the starts have shape \(0, 4\); they must be \(start, 4\), and at least one"):
        fixed_points(made, np.zeros(1), np.zeros((0, 4)))
    with pytest.raises(ShapeError, match=r"the constant input has shape \(2,\); this network takes \(1,\) values"):
        fixed_points(made, np.zeros(2), np.zeros((1, 4)))
    with pytest.raises(NonFiniteError, match="start 1 holds NaN"):
        fixed_points(made, np.zeros(1), np.array([[0.0] * 4, [np.nan] * 4]))
    with pytest.raises(GradvizError, match="reads in both directions"):
        fixed_points(network(direction="both"), np.zeros(1), np.zeros((1, 1)))
    with pytest.raises(GradvizError, match=r"Search\.iterations is 0"):
        Search(iterations=0)
    with pytest.raises(GradvizError, match="count is 0"):
        visited(follow(made, np.zeros((3, 1))), 0)
    made.parameters["layers.0.forward.bias"][0, 0] = np.inf
    with pytest.raises(NonFiniteError, match=r"layers\.0\.forward\.bias holds NaN or infinity"):
        fixed_points(made, np.zeros(1), np.zeros((1, 4)))
    hasty = fixed_points(latches(2.0, 1), np.zeros(1), np.array([[0.5]]), Search(iterations=1))
    assert hasty.said.endswith("the search from 1 starts did not come to rest.")


def test_what_has_no_modes_is_said() -> None:
    with pytest.raises(ShapeError, match=r"shape \(2, 3\) has no modes"):
        modes(np.zeros((2, 3)))
    with pytest.raises(NonFiniteError, match="holds NaN or infinity"):
        modes(np.array([[np.nan]]))

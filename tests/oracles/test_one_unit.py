"""The network of one unit against closed forms, complex and finite differences, and plain loops."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradviz.dynamics.bifurcation import bistable, ends, folds, rests
from gradviz.dynamics.one_unit import Unit, beside_wall, descend, refined, surface, wall
from gradviz.errors import GradvizError, ShapeError

S = 1 / (1 + math.exp(-0.5))
SLOPE = S * (1 - S)


def on_wall(w: float) -> tuple[float, float]:
    """∂E/∂b and ‖∇E‖ in closed form."""
    a = w * SLOPE
    d_b = 2 * (S - 0.7) * SLOPE * (50.0 if a == 1 else (a**50 - 1) / (a - 1))
    return d_b, abs(d_b) * math.hypot(1, S)


def error(w: complex, b: complex) -> complex:
    x: complex = 0.5
    for _ in range(50):
        x = w / (1 + np.exp(-x)) + b
    return (1 / (1 + np.exp(-x)) - 0.7) ** 2


@pytest.mark.parametrize(("w", "d_b"), [(5.0, -661.6828), (6.0, -2571138.3), (4.25525193, -1.8222345)])
def test_on_the_wall_the_gradient_is_known(w: float, d_b: float) -> None:
    found = beside_wall(w, 0.0)
    assert float(found.last) == 0.5
    assert float(found.error) == pytest.approx(0.00601255532, rel=1e-8)
    assert float(found.d_b) == pytest.approx(d_b, rel=1e-7)
    assert float(found.d_w) == pytest.approx(S * d_b, rel=1e-7)
    assert float(found.norm) == pytest.approx(on_wall(w)[1], rel=1e-7)


@settings(deadline=None, max_examples=30)
@given(st.floats(-2, 5), st.floats(-6, 2))
def test_gradient_and_curvature_are_derivatives(w: float, b: float) -> None:
    found = surface(w, b)
    assert float(found.error) == pytest.approx(error(w, b).real, rel=1e-6, abs=1e-10)
    scale = float(found.norm) + 1e-12
    assert float(found.d_w) == pytest.approx(error(w + 1e-30j, b).imag / 1e-30, abs=1e-5 * scale)
    assert float(found.d_b) == pytest.approx(error(w, b + 1e-30j).imag / 1e-30, abs=1e-5 * scale)
    h = 1e-6
    up, down, right, left = surface(w, b + h), surface(w, b - h), surface(w + h, b), surface(w - h, b)
    rough = np.array([right.d_w - left.d_w, up.d_w - down.d_w, up.d_b - down.d_b]) / (2 * h)
    exact = np.array([found.d_ww, found.d_wb, found.d_bb])
    if np.abs(exact).max() < 1e3:  # where differences of 1e-6 can tell
        np.testing.assert_allclose(exact, rough, atol=2e-3 * np.abs(exact).max() + 1e-6)
    largest = np.abs(np.linalg.eigvalsh([[exact[0], exact[1]], [exact[1], exact[2]]])).max()
    assert float(found.curvature) == pytest.approx(largest, rel=1e-9, abs=1e-12)


def test_a_grid_misses_the_wall_and_refined_samples_do_not() -> None:
    w = np.arange(-2, 6.0001, 0.05)
    found = refined(w)
    middle = found.surface.norm[:, 200]
    np.testing.assert_allclose(middle, [on_wall(one)[1] for one in w], rtol=1e-9)
    assert middle.max() == pytest.approx(2571138.3 * math.hypot(1, S), rel=0.01)
    steepest = found.surface.norm[-1].max()
    assert steepest > middle.max()
    fine = beside_wall(6.0, np.linspace(-2e-7, 2e-7, 20_001)).norm.max()
    assert steepest == pytest.approx(fine, rel=0.02)
    grid = surface(np.arange(4, 6.0001, 0.01)[:, None], np.arange(-4, -1, 0.01)[None]).norm.max()
    assert grid < middle.max() / 1000


def test_beyond_the_digits_of_b_the_wall_is_still_there() -> None:
    assert float(beside_wall(10.0, 0.0).norm) == pytest.approx(on_wall(10.0)[1], rel=1e-9)
    far = surface(np.array([1e6, -1e6, 5.0]), np.array([0.0, 0.0, 1e6]))
    assert np.isfinite(far.error).all()


def test_a_clipped_descent_stays_and_a_plain_one_is_thrown() -> None:
    start = (5.5, float(wall(5.5)) + 1e-6)
    plain, clipped = descend(start, 0.01, 30), descend(start, 0.01, 30, threshold=1.0)
    assert np.linalg.norm(plain.path[1] - plain.path[0]) > 10
    moves = np.linalg.norm(np.diff(clipped.path, axis=0), axis=1)
    assert moves.max() <= 0.01 * (1 + 1e-12)
    np.testing.assert_allclose(moves, 0.01 * np.minimum(clipped.norm[:-1], 1), rtol=1e-6, atol=1e-12)
    assert clipped.path.shape == (31, 2)
    np.testing.assert_allclose(np.diff(plain.path, axis=0)[0] / -0.01, [surface(*start).d_w, surface(*start).d_b], rtol=1e-9)


def test_folds_and_cusp() -> None:
    np.testing.assert_allclose(folds(5.0)[0], [-2.344389661, -2.655610339], atol=1e-9)
    np.testing.assert_allclose(folds(4.0)[0], [-2, -2], atol=1e-12)
    assert np.isnan(folds(3.9)[0]).all()
    assert bistable(5.0, np.array([-2.7, -2.5, -2.3])).tolist() == [False, True, False]
    assert not bistable(4.0, -2.0)


@settings(deadline=None, max_examples=30)
@given(st.floats(-9, 12), st.floats(-9, 5))
def test_no_rest_is_missed(w: float, b: float) -> None:
    found = rests(w, np.array([b]))
    states = found.states[np.isfinite(found.states)]
    np.testing.assert_allclose(states, w / (1 + np.exp(-states)) + b, atol=1e-12 * (1 + abs(w)) * 10)
    grid = np.linspace(b - abs(w) - 1, b + abs(w) + 1, 5001)
    crossings = int((np.diff(np.sign(grid - w / (1 + np.exp(-grid)) - b)) != 0).sum())
    assert crossings <= len(states) or 0 in np.sign(grid - w / (1 + np.exp(-grid)) - b)
    assert len(states) == (3 if bistable(w, b) else 1) or np.isclose(np.abs(folds(w)[0] - b).min(), 0, atol=1e-9)


def test_trajectories_end_at_stable_rests() -> None:
    b = np.array([-3.0, -2.5, -2.0])
    found, last = rests(5.0, b), ends(5.0, b, np.array([-6.0, 6.0]))
    np.testing.assert_allclose(last[:, 1], found.states[[0, 2], 1], atol=1e-9)
    np.testing.assert_allclose(last[:, 0], found.states[0, 0], atol=1e-9)
    np.testing.assert_allclose(last[:, 2], found.states[2, 2], atol=1e-9)
    assert found.stable[:, 1].tolist() == [True, False, True]


def test_what_makes_no_sense_is_said() -> None:
    with pytest.raises(GradvizError, match="rate is -1"):
        descend((1, 1), -1, 3)
    with pytest.raises(GradvizError, match="steps is 0"):
        Unit(steps=0)
    with pytest.raises(ShapeError, match=r"w has shape \(\)"):
        refined(np.array(3.0))
    with pytest.raises(GradvizError, match="must be finite"):
        rests(5.0, np.array([np.nan]))
    with pytest.raises(GradvizError, match="steps is 0"):
        ends(5.0, np.zeros(1), np.zeros(1), 0)


def test_folds_of_huge_weights_have_digits() -> None:
    with np.errstate(all="raise"):
        b, x = folds(1e20)
    assert x[1] == pytest.approx(math.log(1e20), rel=1e-12)
    assert np.isfinite(b).all()

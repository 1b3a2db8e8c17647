"""Each quantity against plain NumPy, a person's arithmetic, and the numbers that break naive norms."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from gradviz.quantities import QUANTITIES, Observed

NORMS = ["gradient_norm", "activation_norm"]
RNG = np.random.default_rng(1)


def reduce(name: str, values: object, dtype: type = np.float32) -> np.ndarray:
    return QUANTITIES[name]().reduce(Observed(np.asarray(values, dtype).reshape(1, 1, -1)))[0, 0]


@pytest.mark.parametrize("name", NORMS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_norm_of_three_four_is_five(name: str, dtype: type) -> None:
    assert reduce(name, [3, 4], dtype) == 5.0


@pytest.mark.parametrize("name", NORMS)
@pytest.mark.parametrize(("dtype", "digits"), [(np.float32, 5e-7), (np.float64, 1e-14)])
def test_norm_beside_numpy(name: str, dtype: type, digits: float) -> None:
    """To the rounding of the array's own precision, for a thousand units as well."""
    for units in (1, 7, 64, 1000):
        values = RNG.normal(size=(20, 4, units)).astype(dtype)
        exact = np.linalg.norm(values.astype(np.longdouble), axis=-1).astype(float)
        np.testing.assert_allclose(QUANTITIES[name]().reduce(Observed(values)), exact, rtol=digits)


@pytest.mark.parametrize("name", NORMS)
def test_norm_of_rows_from_the_smallest_to_the_largest(name: str) -> None:
    """Float32 rows from 1e-42 to 1e37, where the plain sum of squares is zero, rounded or infinite."""
    scales = 10.0 ** np.arange(-42, 38)
    values = (scales[:, None, None] * RNG.uniform(0.5, 1, (80, 2, 16))).astype(np.float32)
    exact = np.linalg.norm(values.astype(np.longdouble), axis=-1).astype(float)
    np.testing.assert_allclose(QUANTITIES[name]().reduce(Observed(values)), exact, rtol=5e-7)


@pytest.mark.parametrize("name", NORMS)
@pytest.mark.parametrize(
    ("scale", "dtype"),
    [
        (1e-30, np.float32),
        (1e-44, np.float32),
        (1e38, np.float32),
        (1e-200, np.float64),
        (1e-305, np.float64),
        (1e200, np.float64),
        (1e307, np.float64),
    ],
)
def test_norm_neither_underflows_nor_overflows(name: str, scale: float, dtype: type) -> None:
    values = np.asarray([2 * scale, -1 * scale, 2 * scale], dtype)
    exact = float(np.sqrt(np.sum((values / values[0]).astype(float) ** 2))) * float(values[0])
    assert reduce(name, values, dtype) == pytest.approx(exact, rel=1e-12, abs=0)
    assert exact == pytest.approx(3 * scale, rel=0.3)


@pytest.mark.parametrize("name", NORMS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_norm_keeps_infinity_and_nan(name: str, dtype: type) -> None:
    assert reduce(name, [1, -np.inf], dtype) == math.inf
    assert math.isnan(reduce(name, [np.inf, np.nan], dtype))
    assert reduce(name, [0, 0], dtype) == 0


@given(arrays(np.float64, 6, elements=st.floats(-1e300, 1e300)))
def test_norm_is_the_hypotenuse(values: np.ndarray) -> None:
    assert float(reduce("gradient_norm", values, np.float64)) == pytest.approx(math.hypot(*values), rel=1e-12, abs=1e-320)


def test_norm_of_mixed_rows_scales_only_where_needed() -> None:
    values = RNG.normal(size=(3, 2, 4)) * np.array([1e-200, 1.0, 1e200])[:, None, None]
    expected = [[math.hypot(*row) for row in step] for step in values]
    np.testing.assert_allclose(QUANTITIES["gradient_norm"]().reduce(Observed(values)), expected, rtol=1e-14)


def test_gate_mean() -> None:
    assert reduce("gate_mean", [0.25, 0.75, 0.8, 0.2]) == pytest.approx(0.5)
    assert reduce("gate_mean", [0.9] * 1000) == pytest.approx(float(np.float32(0.9)), rel=5e-7)  # summed in its own precision
    assert reduce("gate_mean", [0.9] * 1000, np.float64) == pytest.approx(0.9, rel=1e-14)


@pytest.mark.parametrize(
    ("name", "values", "expected"),
    [
        ("saturation_left", [0.0, 0.05, 0.2, 0.95], 0.5),
        ("saturation_right", [0.0, 0.05, 0.2, 0.95], 0.25),
        ("saturation_left", [0.1, 0.1001, 0.5, 0.0999], 0.25),
        ("saturation_right", [0.9, 0.8999, 0.5, 0.9001], 0.25),
        ("saturation_tanh", [-1.0, -0.91, 0.0, 0.89, 0.91], 0.6),
        ("saturation_tanh", [0.05, 0.0, -0.05], 0.0),
    ],
)
def test_saturation_counts_units(name: str, values: list[float], expected: float) -> None:
    assert reduce(name, values, np.float64) == pytest.approx(expected)


@pytest.mark.parametrize("units", [1, 5, 8, 12, 64, 200])
def test_saturation_counts_any_number_of_units(units: int) -> None:
    values = RNG.random((7, 3, units)).astype(np.float32)
    np.testing.assert_allclose(QUANTITIES["saturation_left"]().reduce(Observed(values)), (values < 0.1).mean(axis=-1), rtol=1e-15)


@pytest.mark.parametrize(("spread", "share"), [(1.0, 0.014002), (2.0, 0.135969), (5.0, 0.330170)])
def test_saturation_of_a_random_gate(spread: float, share: float) -> None:
    """A gate whose pre-activation is N(0, s²) is left- and right-saturated with probability Φ(-ln 9 / s) each."""
    gate = 1 / (1 + np.exp(-np.random.default_rng(2).normal(0, spread, (1, 1, 400_000))))
    for name in ("saturation_left", "saturation_right"):
        assert QUANTITIES[name]().reduce(Observed(gate))[0, 0] == pytest.approx(share, abs=4 * math.sqrt(share / 400_000))


def test_gradient_norm_reads_gradients_and_activation_norm_states() -> None:
    assert QUANTITIES["gradient_norm"].gradient
    assert not QUANTITIES["activation_norm"].gradient

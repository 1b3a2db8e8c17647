"""What every entry of gradviz.quantities must do, whatever it measures."""

import warnings
from fnmatch import fnmatch

import numpy as np
import pytest

from gradviz.quantities import QUANTITIES, Observed

POINTS = ["hidden", "cell", "candidate", "gate.forget", "gate.input", "gate.output", "gate.update", "gate.reset"]
RNG = np.random.default_rng(0)
ARRAYS = {
    "plain": RNG.uniform(0, 1, (7, 3, 5)),
    "zero": np.zeros((7, 3, 5)),
    "tiny": RNG.normal(size=(7, 3, 5)) * 1e-30,
    "huge": RNG.normal(size=(7, 3, 5)) * 1e30,
    "infinite": np.full((7, 3, 5), -np.inf),
    "not a number": np.full((7, 3, 5), np.nan),
    "no step": np.zeros((0, 3, 5)),
}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("kind", list(ARRAYS))
@pytest.mark.parametrize("name", QUANTITIES.names())
def test_reduces_units_without_writing_or_warning(name: str, kind: str, dtype: type) -> None:
    values = ARRAYS[kind].astype(dtype)
    before = values.copy()
    values.flags.writeable = False
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = QUANTITIES[name]().reduce(Observed(values))
    assert result.shape == values.shape[:2]
    np.testing.assert_array_equal(values, before)


@pytest.mark.parametrize("name", QUANTITIES.names())
def test_not_a_number_is_kept_where_it_is(name: str) -> None:
    values = RNG.uniform(0, 1, (7, 3, 5)).astype(np.float32)
    values[4, 1, 2] = np.nan
    result = QUANTITIES[name]().reduce(Observed(values))
    assert np.argwhere(np.isnan(result)).tolist() == [[4, 1]]


@pytest.mark.parametrize("name", QUANTITIES.names())
def test_each_step_and_example_stands_alone(name: str) -> None:
    values = RNG.normal(size=(7, 3, 5))
    whole = QUANTITIES[name]().reduce(Observed(values))
    alone = [[QUANTITIES[name]().reduce(Observed(values[t : t + 1, b : b + 1]))[0, 0] for b in range(3)] for t in range(7)]
    np.testing.assert_allclose(whole, alone, rtol=1e-12)


@pytest.mark.parametrize("name", QUANTITIES.names())
def test_says_what_it_measures_and_where(name: str) -> None:
    quantity = QUANTITIES[name]
    assert quantity.meaning
    assert not quantity.meaning.endswith(".")
    assert any(fnmatch(point, pattern) for pattern in quantity.points for point in POINTS)

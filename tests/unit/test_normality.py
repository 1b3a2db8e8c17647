"""Growth before fading: matrices whose powers are known, against plain products."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradviz.dynamics.normality import transient
from gradviz.errors import NonFiniteError, ShapeError
from gradviz.initializers import orthogonal

RNG = np.random.default_rng


def test_a_jordan_like_matrix_grows_and_fades() -> None:
    """W^k = [[½^k, 20 k ½^k], [0, ½^k]]."""
    found = transient(np.array([[0.5, 10.0], [0.0, 0.5]]), 50)
    assert (found.radius, found.departure) == pytest.approx((0.5, 10.0))
    assert found.growth == pytest.approx((10 + math.sqrt(101)) / 2)  # 10 s − s² = −¼ for its singular value s
    assert found.growth == pytest.approx(found.stretch)
    assert found.lag == 1


def test_the_largest_power_may_come_late() -> None:
    """0.9^k (1 + 3 k / 0.9 on the corner): the peak is where k ≈ 1/ln(1/0.9) = 9.5."""
    found = transient(np.array([[0.9, 3.0], [0.0, 0.9]]), 50)
    powers = [np.linalg.norm(np.linalg.matrix_power(np.array([[0.9, 3.0], [0.0, 0.9]]), k), 2) for k in range(51)]
    assert found.lag == int(np.argmax(powers)) == 9
    assert found.growth == pytest.approx(max(powers), rel=1e-12)
    assert transient(np.array([[0.9, 3.0], [0.0, 0.9]]), 5).lag == 5


@pytest.mark.parametrize("matrix", [np.diag([0.5, -0.9]), 0.5 * orthogonal((6, 6), RNG(0)), np.zeros((3, 3))])
def test_a_normal_matrix_does_not_grow(matrix: np.ndarray) -> None:
    found = transient(matrix, 50)
    assert (found.growth, found.lag) == (1.0, 0)
    assert found.departure == pytest.approx(0, abs=1e-7)
    assert found.stretch == pytest.approx(found.radius)


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 2**32 - 1), st.integers(1, 12), st.floats(0.3, 0.99), st.floats(0.0, 5.0))
def test_against_all_powers(seed: int, size: int, radius: float, corner: float) -> None:
    rng = RNG(seed)
    matrix = rng.standard_normal((size, size)) / math.sqrt(size) + corner * np.triu(rng.standard_normal((size, size)), 1)
    matrix *= radius / np.abs(np.linalg.eigvals(matrix)).max()
    found = transient(matrix, 60)
    powers = [np.linalg.norm(np.linalg.matrix_power(matrix, k), 2) for k in range(61)]
    assert found.growth == pytest.approx(max(powers), rel=1e-3)
    assert powers[found.lag] == pytest.approx(found.growth, rel=1e-6)
    schur_rest = np.linalg.norm(matrix) ** 2 - np.sum(np.abs(np.linalg.eigvals(matrix)) ** 2)
    assert found.departure == pytest.approx(math.sqrt(max(0.0, schur_rest)), rel=1e-6, abs=1e-6)


def test_departure_is_what_a_schur_form_has_beside_its_diagonal() -> None:
    """A triangular matrix turned by any orthogonal one is its own Schur form."""
    upper = np.triu(RNG(1).standard_normal((5, 5)))
    turn = orthogonal((5, 5), RNG(2))
    assert transient(turn @ upper @ turn.T, 3).departure == pytest.approx(np.linalg.norm(np.triu(upper, 1)), rel=1e-6)


def test_what_has_no_powers_is_said() -> None:
    with pytest.raises(ShapeError, match="must be square"):
        transient(np.zeros((2, 3)), 5)
    with pytest.raises(NonFiniteError, match="NaN or infinity"):
        transient(np.array([[np.nan]]), 5)


def test_growth_in_a_subspace_of_its_own_is_found() -> None:
    """The block that stretches most at once dies at once; the other one grows for nine steps."""
    matrix = np.zeros((4, 4))
    matrix[0, 1] = 5.0
    matrix[2:, 2:] = [[0.9, 3.0], [0.0, 0.9]]
    found = transient(matrix, 50)
    powers = [np.linalg.norm(np.linalg.matrix_power(matrix, k), 2) for k in range(51)]
    assert (found.growth, found.lag) == (pytest.approx(max(powers), rel=1e-12), 9)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**32 - 1), st.integers(1, 4), st.integers(1, 4))
def test_blocks_that_do_not_know_of_each_other(seed: int, first: int, second: int) -> None:
    matrix, rng = np.zeros((first + second, first + second)), RNG(seed)
    for part in (slice(0, first), slice(first, first + second)):
        block = np.triu(rng.standard_normal((part.stop - part.start,) * 2) * 4, 1) + 0.8 * np.eye(part.stop - part.start)
        matrix[part, part] = block
    powers = [np.linalg.norm(np.linalg.matrix_power(matrix, k), 2) for k in range(41)]
    assert transient(matrix, 40).growth == pytest.approx(max(powers), rel=1e-9)

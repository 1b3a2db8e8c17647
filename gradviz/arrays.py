"""What an array is to gradviz, and norms that do not lie.

Gradient norms span hundreds of orders of magnitude, and squares underflow at 1e-19 in float32 already. So a sum of squares is trusted only
where it has kept its digits; the rest is taken again in float64 after dividing by the largest magnitude. Infinity and NaN are kept: they
are findings, not accidents.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]  # floating point; complex in a complex-step check
Integers = NDArray[np.integer[Any]]
Parameters = dict[str, Array]
Rows = dict[str, Integers]  # by name of a matrix: the rows that an array holds in its place


# Sums of squares outside have lost digits, or are zero, or not finite.
SAFE = {np.dtype(np.float32): (1e-30, 1e37), np.dtype(np.float64): (1e-280, 1e300)}


def norm(values: Array, axis: int | tuple[int, ...] | None = None) -> Array:
    """Euclidean norm along `axis` (of everything if None), float64, safe against under- and overflow.

    Squares are summed in the precision of `values`, those of a whole array in float64. A norm of values that include NaN is NaN;
    otherwise, if they include infinity, it is infinite.
    """
    if axis is None or values.ndim == 1:
        wide = values.reshape(1, -1).astype(np.result_type(values, np.float64), copy=False)
        return np.asarray(norm(wide, -1)[0])
    if values.dtype not in SAFE or axis not in (-1, values.ndim - 1):
        return _scaled(values, axis)
    low, high = SAFE[values.dtype]
    with np.errstate(all="ignore"):
        squares = np.vecdot(values, values).astype(np.float64, copy=False)
        unsafe = ~((squares > low) & (squares < high))
        lengths: Array = np.sqrt(squares)
    if unsafe.any():
        lengths[unsafe] = _scaled(values[unsafe], -1)
    return lengths


def _scaled(values: Array, axis: int | tuple[int, ...]) -> Array:
    """The norm with nothing lost, five times slower."""
    size = np.abs(values).astype(np.float64)
    largest = np.max(size, axis=axis, keepdims=True, initial=0.0)
    usable = np.where((largest > 0) & np.isfinite(largest), largest, 1.0)
    with np.errstate(over="ignore", under="ignore"):  # infinite entries give infinity, on purpose
        lengths: Array = np.sqrt(np.sum(np.square(size / usable), axis=axis, keepdims=True)) * usable
    return np.squeeze(lengths, axis=axis)


def whole(values: Array, rows: Integers, like: Array) -> Array:
    """A matrix like `like` that holds `values` in these rows and zeros in all others."""
    matrix = np.zeros_like(like)
    matrix[rows] = values
    return matrix


def global_norm(arrays: Iterable[Array]) -> float:
    """Norm of all arrays laid end to end."""
    return float(norm(np.array([norm(array) for array in arrays], dtype=np.float64)))


def cosine(left: dict[str, Array], right: dict[str, Array]) -> float:
    """Cosine of the angle between two sets of arrays laid end to end; NaN if either is zero or not finite."""
    lengths = global_norm(left.values()), global_norm(right.values())
    if not all(0 < length < np.inf for length in lengths):
        return float("nan")
    flat = ((left[name].ravel().astype(np.float64), right[name].ravel().astype(np.float64)) for name in left)
    unit = (one / lengths[0] @ (other / lengths[1]) for one, other in flat)
    return float(np.clip(sum(unit), -1.0, 1.0))

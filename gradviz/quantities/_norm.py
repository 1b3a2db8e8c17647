"""Norm over units, fast and safe: what a recorder takes of every array at every recorded step."""

import numpy as np

from gradviz.arrays import Array, norm

# Sums of squares outside have lost digits, or are zero, or not finite.
SAFE = {np.dtype(np.float32): (1e-30, 1e37), np.dtype(np.float64): (1e-280, 1e300)}


def unit_norm(values: Array) -> Array:
    """Euclidean norm over the last axis, float64, (time, batch, unit) to (time, batch).

    Squares are summed in the precision of `values`. Rows whose sum leaves its safe range are taken again, scaled and in float64, so that
    1e-25 in float32 does not vanish. NaN in a row gives NaN; otherwise infinity gives infinity.
    """
    low, high = SAFE[values.dtype]
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        squares = np.vecdot(values, values).astype(np.float64, copy=False)
        unsafe = ~((squares > low) & (squares < high))
        lengths: Array = np.sqrt(squares)
    if unsafe.any():
        lengths[unsafe] = norm(values[unsafe], axis=-1)
    return lengths

"""Norm over units, fast and safe: what a recorder takes of every array at every recorded step."""

import numpy as np

from gradviz.arrays import Array, norm

TINY, HUGE = 1e-280, 1e280  # sums of squares outside have lost digits, or are zero, or not finite


def unit_norm(values: Array) -> Array:
    """Euclidean norm over the last axis, float64, (time, batch, unit) to (time, batch).

    Squares of float32 numbers never leave the range of float64, so summing them there is exact enough. Rows of float64 whose squares do
    are taken again, scaled. NaN in a row gives NaN; otherwise infinity gives infinity.
    """
    with np.errstate(over="ignore", under="ignore"):
        squares = np.einsum("...i,...i->...", values, values, dtype=np.float64, casting="same_kind")
    lengths: Array = np.sqrt(squares)
    if values.dtype.itemsize > 4:
        unsafe = ~((squares > TINY) & (squares < HUGE))
        lengths[unsafe] = norm(values[unsafe], axis=-1)
    return lengths

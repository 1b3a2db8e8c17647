"""How an array is shortened: to the last digit, whatever its size."""

import numpy as np
from numpy.typing import NDArray

from gradviz.arrays import Array


def shorten(array: Array, limit: float | NDArray[np.float64], norm: float | NDArray[np.float64]) -> Array:
    """array · limit / norm in the array's own precision. `norm` is finite and above `limit`; both may be arrays that broadcast."""
    factor = np.asarray(limit) / norm
    if factor.min() >= np.finfo(array.dtype).smallest_normal or not np.any(limit):
        return np.asarray(array * factor.astype(array.dtype))
    return np.asarray(array.astype(np.float64) / norm * limit).astype(array.dtype)  # the factor alone would lose digits

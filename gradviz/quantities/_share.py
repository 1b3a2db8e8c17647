"""Share of units, per time step and example."""

import numpy as np

from gradviz.arrays import Array

LEFT, RIGHT = 0.1, 0.9  # Karpathy, Johnson & Li 2015: a gate below or above is saturated


def share(chosen: Array, values: Array) -> Array:
    """Share of the last axis that is `chosen`, float64; NaN where `values` holds NaN, which is neither saturated nor not."""
    shares: Array = np.count_nonzero(chosen, axis=-1) / values.shape[-1]
    unknown = np.isnan(values)
    return np.where(unknown.any(axis=-1), np.nan, shares) if unknown.any() else shares

"""What pictures of several reproductions share."""

import numpy as np

from gradviz.arrays import Array

POINTS = 300  # of a curve over training: more are thinned


def thinned(values: Array, points: int = POINTS) -> tuple[Array, Array]:
    """Updates, counted from 0, and the largest value of as many neighbours as it takes; NaN only where all of them are."""
    width = max(1, -(-len(values) // points))
    starts = np.arange(0, len(values), width)
    filled = np.where(np.isnan(values), -np.inf, values)
    top = np.maximum.reduceat(filled, starts) if len(values) else filled
    return starts.astype(float), np.where(np.isneginf(top) & np.isnan(values[starts]), np.nan, top)

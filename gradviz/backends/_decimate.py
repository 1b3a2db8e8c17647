"""Fewer points where more could not be seen: extremes, ends and special values stay."""

import numpy as np

from gradviz.arrays import Array

MOST_ON_A_LINE = 2000
MOST_IN_A_CLOUD = 4000
_BINS = 250  # of a line; each keeps at most its first, last, lowest, highest and the first of each special value


def envelope(y: Array) -> Array:
    """Indices of the points that draw the same line: (n,) -> (at most about MOST_ON_A_LINE,)."""
    if len(y) <= MOST_ON_A_LINE:
        return np.arange(len(y))
    y = np.asarray(y, dtype=np.float64)
    size, longer = divmod(len(y), _BINS)
    cut = longer * (size + 1)  # the first bins hold one point more
    return np.unique(np.concatenate([_corners(y[:cut].reshape(longer, size + 1), 0), _corners(y[cut:].reshape(_BINS - longer, size), cut)]))


def _corners(bins: Array, offset: int) -> Array:
    """Indices of what each bin keeps: (bin, point) -> (n,), counted from `offset`."""
    if not bins.size:
        return np.arange(0)
    finite = np.isfinite(bins)
    lowest, highest = np.where(finite, bins, np.inf).argmin(axis=1), np.where(finite, bins, -np.inf).argmax(axis=1)
    ends = np.zeros(len(bins), np.int64), np.full(len(bins), bins.shape[1] - 1)
    chosen = [(end, np.ones(len(bins), bool)) for end in ends] + [(at, finite.any(axis=1)) for at in (lowest, highest)]
    if not finite.all():
        chosen += [(which.argmax(axis=1), which.any(axis=1)) for which in (np.isnan(bins), np.isposinf(bins), np.isneginf(bins))]
    first = offset + np.arange(len(bins)) * bins.shape[1]
    return np.concatenate([(first + at)[there] for at, there in chosen])


def trail(x: Array, y: Array) -> Array:
    """Indices of the points that draw the same way through a plane: those that differ from the one before them, to be seen.

    `x` and `y` are places from 0 to 1. The first and the last point stay, and both ends of every gap.
    """
    if len(x) <= MOST_ON_A_LINE:
        return np.arange(len(x))
    known = np.isfinite(x) & np.isfinite(y)
    cells = np.stack([np.where(known, np.floor(2000 * values), -np.inf) for values in (x, y)])
    moved = np.concatenate([[True], (cells[:, 1:] != cells[:, :-1]).any(axis=0)])
    gap = ~known
    near = gap | np.concatenate([gap[1:], [True]]) | np.concatenate([[True], gap[:-1]])
    return np.flatnonzero(moved | (near & known))


def cloud(x: Array, y: Array) -> Array:
    """Indices of points that cover the same places: one of each cell of a grid, coarser until few enough are left.

    `x` and `y` are places from 0 to 1; points without a place are left out.
    """
    usable = np.flatnonzero(np.isfinite(x) & np.isfinite(y))
    if len(usable) <= MOST_IN_A_CLOUD:
        return usable
    cells = 400
    while True:
        grid = np.floor(x[usable] * cells) * 2 * cells + np.floor(y[usable] * cells)
        _, first = np.unique(grid, return_index=True)
        if len(first) <= MOST_IN_A_CLOUD:
            kept: Array = usable[np.sort(first)]
            return kept
        cells = int(cells * 0.8)

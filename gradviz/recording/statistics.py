"""From (time, batch) numbers to one number per time step, whatever they hold: padding is left out, infinity and NaN are kept."""

import numpy as np

from gradviz.arrays import Array
from gradviz.quantities import Observed

QUANTILES = {"low": 0.1, "median": 0.5, "high": 0.9}


def over_batch(values: Array, mask: Array | None) -> dict[str, Array]:
    """Mean, and 10th, 50th and 90th percentile over the batch: (…, time, batch) to (…, time) each.

    mask: (time, batch), false in the padding; a time step that no sequence reaches is NaN. Percentiles are values that occur, the closest
    observation (Hyndman and Fan 1996, definition 3) and never an average of two, so infinity is no trouble. NaN gives NaN.
    """
    with np.errstate(all="ignore"):
        if mask is None:
            there: int | Array = values.shape[-1]
            means = values.mean(axis=-1, dtype=np.float64)
        else:
            there = mask.sum(axis=-1)
            means = np.where(mask, values, 0).sum(axis=-1, dtype=np.float64) / there
            values = np.where(mask, values, np.nan)  # sorted to the end, behind all that counts
    ordered = np.sort(values, axis=-1)
    last = _of_rank(ordered, there)  # NaN, if there is one among those that count
    series = {name: np.where(np.isnan(last), np.nan, _of_rank(ordered, np.rint(share * there))) for name, share in QUANTILES.items()}
    return {"mean": means, **series}


def _of_rank(ordered: Array, rank: float | Array) -> Array:
    """The value of this rank, counted from 1, (…, time); rank 0 is 1. `rint` goes to the even one of two, as the definition does."""
    place = np.maximum(np.asarray(rank, int) - 1, 0)
    if place.ndim == 0:
        return np.asarray(ordered[..., place])
    return np.take_along_axis(ordered, np.broadcast_to(place[:, None], (*ordered.shape[:-1], 1)), axis=-1)[..., 0]


def over_steps(array: Observed, low: float, high: float, mask: Array | None) -> dict[str, Array]:
    """Of each unit: the share of time steps and examples below `low` and above `high`, and the mean; NaN where there is NaN.
    mask as above."""
    values, below, above = (each if mask is None else each[mask][:, None] for each in (array.values, array.below(low), array.above(high)))
    count = values.shape[0] * values.shape[1]
    with np.errstate(all="ignore"):
        mean = (np.ones(values.shape[1], values.dtype) @ values).sum(axis=0, dtype=np.float64) / count  # few are added in single precision
    shares = {"left": _count_by_unit(below) / count, "right": _count_by_unit(above) / count}
    return {**{side: np.where(np.isnan(mean), np.nan, share) for side, share in shares.items()}, "mean": mean}


def _count_by_unit(chosen: Array) -> Array:
    """How many of (time, batch, unit) are true, (unit,). They are summed as bytes, 255 steps at a time: an eighth of the traffic."""
    steps, size, units = chosen.shape
    rows = chosen.view(np.uint8).reshape(steps, size * units)
    parts = [np.add.reduce(rows[k : k + 255], axis=0, dtype=np.uint8).reshape(size, units) for k in range(0, steps, 255)]
    counts: Array = np.sum([part.sum(axis=0, dtype=np.int64) for part in parts], axis=0)
    return counts

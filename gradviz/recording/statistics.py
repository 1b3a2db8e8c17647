"""From (time, batch) numbers to one number per time step, whatever they hold: padding is left out, infinity and NaN are kept."""

import numpy as np

from gradviz.arrays import Array

QUANTILES = (0.1, 0.5, 0.9)


def over_batch(values: Array, mask: Array | None) -> dict[str, Array]:
    """Mean, and 10th, 50th and 90th percentile over the batch, (time,) each. mask: (time, batch), false in the padding; a time
    step that no sequence reaches is NaN. Percentiles are values that occur, never averages of two, so infinity is no trouble."""
    if mask is not None:
        return _ragged(values, mask)
    with np.errstate(all="ignore"):
        low, median, high = np.quantile(values, QUANTILES, axis=1, method="closest_observation")
        return {"mean": values.mean(axis=1, dtype=np.float64), "low": low, "median": median, "high": high}


def _ragged(values: Array, mask: Array) -> dict[str, Array]:
    out = {name: np.full(len(values), np.nan) for name in ("mean", "low", "median", "high")}
    for t in np.flatnonzero(mask.any(axis=1)):
        for name, series in over_batch(values[t, mask[t]][None], None).items():
            out[name][t] = series[0]
    return out

"""Medians of all that came before."""

import numpy as np
import pandas as pd

from gradviz.arrays import Array, Integers

FEW = 50  # medians that are taken one by one; a running median of a million values takes as long as so many of them


def before(values: Array, places: Integers, least: int) -> Array:
    """Median of the finite values before each of `places`; NaN where there are fewer than `least`. Shape (places,).

    A running median keeps all values sorted. Where few medians are asked for, as in most runs, sorting each time is faster.
    """
    known = np.where(np.isfinite(values), values, np.nan)
    if len(places) > FEW:
        return pd.Series(known).expanding(least).median().shift(1).to_numpy(float)[places]
    return np.array([_median(known[:place], least) for place in places])


def _median(values: Array, least: int) -> float:
    finite = values[~np.isnan(values)]
    return float(np.median(finite)) if len(finite) >= least else np.nan

"""How fast a gradient fades on its way back through time: decay per step, half-life, horizon.

A profile holds log10 of the norm of the last step's gradient at lag 0, 1, 2 … (steps back from the end of the sequence).
-inf is an exact zero. NaN at the end stands for lags that no sequence reaches, and is left out.
"""

import math
from collections.abc import Sequence

import numpy as np

from gradviz.arrays import Array

FITTED = 3  # a line through fewer points says nothing


def decay_per_step(log10_profile: Array | Sequence[float], first: int = 5) -> float:
    """Factor per step back: 10 to the slope of the least-squares line through lags `first` to the last one above zero.

    Above 1 the gradient grows on its way back, below 1 it fades. 0 if it is exactly zero before the line has three points; NaN if the
    profile is too short, holds NaN or infinity, or is zero at lag 0 already. The first lags are left out because the readout shapes them.
    """
    with np.errstate(over="ignore"):
        return float(np.power(10.0, slope(log10_profile, first)))


def slope(log10_profile: Array | Sequence[float], first: int = 5) -> float:
    """Decades per step back: log10 of `decay_per_step`, also where that is no float; -inf for 0."""
    profile = _trimmed(log10_profile)
    if len(profile) < first + FITTED or np.isnan(profile).any() or np.isposinf(profile).any() or np.isneginf(profile[0]):
        return math.nan
    zero = np.isneginf(profile)
    end = int(np.argmax(zero)) if zero.any() else len(profile)
    if end - first < FITTED:
        return -math.inf
    lags = np.arange(first, end, dtype=np.float64)
    lags -= lags.mean()
    return float(lags @ (profile[first:end] - profile[first:end].mean()) / (lags @ lags))


def half_life(decay: float) -> float:
    """Steps back after which half of the gradient is left; infinite if it does not fade, NaN for NaN."""
    if math.isnan(decay):
        return math.nan
    if decay <= 0:
        return 0.0
    return math.inf if decay >= 1 else math.log(0.5) / math.log(decay)


def horizon(log10_profile: Array | Sequence[float], share: float = 0.01) -> float:
    """First lag at which less than `share` of the gradient at lag 0 is left; infinite if there is none, NaN without a gradient at lag 0."""
    profile = _trimmed(log10_profile)
    if not len(profile) or not math.isfinite(profile[0]):
        return math.nan
    below = np.flatnonzero(profile < profile[0] + math.log10(share))
    return float(below[0]) if len(below) else math.inf


def _trimmed(log10_profile: Array | Sequence[float]) -> Array:
    """float64, without NaN at the end."""
    profile = np.asarray(log10_profile, dtype=np.float64)
    known = np.flatnonzero(~np.isnan(profile))
    return profile[: known[-1] + 1] if len(known) else profile[:0]

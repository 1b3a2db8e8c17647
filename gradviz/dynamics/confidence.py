"""How sure a decay per step is: the interval that other sequences of the same kind would most probably have given.

Each sequence has a line of its own through log10 of its gradient norms. The mean of their slopes is the decay; its interval is Student's
(1908), for slopes that scatter about normally from sequence to sequence. It speaks of other held-out sequences and the same weights, not
of another training.

Where all sequences are equally long and none of their gradients is exactly zero, the mean of the slopes is the slope of the mean profile,
since the least-squares line is linear in what it goes through: then this decay and `decay_per_step` of the mean profile are one number.
Where they end at different lags they differ: here each sequence counts once, there each lag, so that the far lags tell of the long ones.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from gradviz.arrays import Array
from gradviz.dynamics.decay import FITTED, half_life, slope
from gradviz.errors import GradvizError, ShapeError

LEVEL = 0.95
FEWEST = 3  # sequences: of two, the interval is wider than anything it could tell apart
FIRST = 5  # lags that the readout shapes, as in decay_per_step


@dataclass(frozen=True)
class Decay:
    """per_step: factor per step back, the geometric mean over sequences; low, high: its 95 % interval; sequences: how many lines it rests
    on; left_out: how many sequences have none; lags: through so many lags goes the longest line; said: why there is no interval, else
    empty. Without an interval all three factors are NaN."""

    per_step: float
    low: float
    high: float
    sequences: int
    left_out: int
    lags: int
    said: str = ""

    @property
    def half_life(self) -> float:
        """Steps; infinite where the gradient does not fade."""
        return half_life(self.per_step)

    @property
    def half_life_interval(self) -> tuple[float, float]:
        """That of the lower end and that of the upper end, which may be infinite."""
        return half_life(self.low), half_life(self.high)


def decay_of(log10_profiles: Array, level: float = LEVEL) -> Decay:
    """The decay of sequences (lag, sequence): log10 of gradient norms, NaN beyond the end of a sequence.

    A sequence is left out that is too short, holds NaN or infinity, or is exactly zero before its line has three points. Fewer than three
    lines, or lines for less than half of the sequences, are not enough data: those left would be the ones that fade least.
    """
    profiles = np.asarray(log10_profiles, np.float64)
    if profiles.ndim != 2:
        raise ShapeError(f"profiles have shape {profiles.shape}; they must be (lag, sequence).")
    slopes = np.array([slope(profile, FIRST) for profile in profiles.T])
    fits = np.isfinite(slopes)
    count, out = int(fits.sum()), int((~fits).sum())
    longest = max((_ends(profile) for profile in profiles.T[fits]), default=0)
    lags = max(0, longest - FIRST)
    if count < FEWEST or count < out:
        few = f"{count} of {count + out} sequences have a line through at least {FITTED} lags from lag {FIRST} on"
        why = f"not enough data: {few}; it takes {FEWEST}, and half of all"
        return Decay(math.nan, math.nan, math.nan, count, out, lags, why)
    middle, spread = float(slopes[fits].mean()), float(slopes[fits].std(ddof=1))
    width = t_quantile(count - 1, level) * spread / math.sqrt(count)
    with np.errstate(over="ignore"):
        per_step, low, high = (float(np.power(10.0, log)) for log in (middle, middle - width, middle + width))
    return Decay(per_step, low, high, count, out, lags)


def _ends(profile: Array) -> int:
    """How many lags stand before the first that is exactly zero or beyond the end."""
    over = ~np.isfinite(profile)
    return int(np.argmax(over)) if over.any() else len(profile)


@lru_cache(maxsize=1024)
def t_quantile(freedom: int, level: float = LEVEL) -> float:
    """t with P(|T| ≤ t) = level for Student's distribution with so many degrees of freedom (a whole number): 4.303 for 2, 1.960 for many.

    The distribution is a finite sum in θ = arctan(t/√ν) (Abramowitz and Stegun 1964, 26.7.3 and 26.7.4), which is halved into.
    """
    if freedom < 1 or not 0 < level < 1:
        raise GradvizError(f"{freedom} degrees of freedom and level {level}: there must be at least 1, and a level between 0 and 1.")
    low, high = 0.0, math.pi / 2
    for _ in range(60):  # to the last digit of a float
        middle = (low + high) / 2
        low, high = (middle, high) if _inside(middle, freedom) < level else (low, middle)
    return math.sqrt(freedom) * math.tan((low + high) / 2)


def _inside(angle: float, freedom: int) -> float:
    """P(|T| ≤ √ν tan θ)."""
    sine, cosine = math.sin(angle), math.cos(angle)
    odd = freedom % 2
    term = cosine if odd else 1.0
    total = term if freedom > 1 else 0.0
    for k in range(2 + odd, freedom - 1, 2):
        term *= cosine * cosine * (k - 1) / k
        total += term
    return 2 / math.pi * (angle + sine * total) if odd else sine * total

"""Where the network of one unit, x_t = w σ(x_{t−1}) + b, comes to rest, and where that changes (Doya 1993; Pascanu, Mikolov and Bengio
2013, figure 3, with w = 5).

A rest x belongs to b = x − w σ(x). For w > 4 this turns at two folds, where w σ'(x) = 1; between them there are three rests. Each branch
is monotone, so bisection misses none.
"""

from dataclasses import dataclass

import numpy as np

from gradviz.arrays import Array
from gradviz.dynamics.one_unit import logistic
from gradviz.errors import GradvizError, NonFiniteError


@dataclass(frozen=True)
class Rests:
    """b: (n,); states: (3, n), the lower, middle and upper branch, NaN where a branch has none; slopes: (3, n) w σ'(x), the factor by which
    a step moves a deviation. For w ≤ 4 the only branch is the first."""

    b: Array
    states: Array
    slopes: Array

    @property
    def stable(self) -> Array:
        """(3, n) true where deviations fade."""
        return np.asarray(np.abs(self.slopes) < 1)


def folds(w: float) -> tuple[Array, Array]:
    """b and x of the two folds, the lower branch's end first (its b is the larger); NaN for w < 4, where there are none. At w = 4 both are
    the cusp, b = −2."""
    if w < 4:
        return np.full(2, np.nan), np.full(2, np.nan)
    root = np.sqrt(1 - 4 / w)
    high = 2 * np.log1p(root) - np.log(4 / w)  # ln((1 + root)/(1 − root)), where 1 − root = (4/w)/(1 + root) has digits for any w
    x = np.array([-high, high])
    return x - w * np.array([(1 - root) / 2, (1 + root) / 2]), x


def bistable(w: float, b: Array | float) -> Array:
    """Whether there are two stable rests."""
    ends = folds(w)[0]
    return np.asarray((ends[1] < np.asarray(b)) & (np.asarray(b) < ends[0]))


def rests(w: float, b: Array) -> Rests:
    """All rests at each b (n,)."""
    values = np.atleast_1d(np.asarray(b, np.float64))
    if values.ndim != 1 or not np.isfinite(values).all() or not np.isfinite(w):
        raise NonFiniteError(f"w is {w} and b has shape {values.shape}; they must be finite, b (n,).")
    low, high = values + min(w, 0.0) - 1, values + max(w, 0.0) + 1
    states = np.full((3, len(values)), np.nan)
    if w <= 4:
        states[0] = _root(w, values, low, high, 1.0)
    else:
        (falls, rises), (left, right) = folds(w)
        for branch, (there, lower, upper, sign) in enumerate(
            [
                (values <= falls, np.minimum(low, left), np.full_like(low, left), 1.0),
                ((rises <= values) & (values <= falls), np.full_like(low, left), np.full_like(low, right), -1.0),
                (values >= rises, np.full_like(low, right), np.maximum(high, right), 1.0),
            ]
        ):
            states[branch] = np.where(there, _root(w, values, lower, upper, sign), np.nan)
    return Rests(values, states, w * logistic(states) * logistic(-states))


def ends(w: float, b: Array, starts: Array, steps: int = 1000) -> Array:
    """(start, n): where trajectories from `starts` (start,) are after so many steps, at each b (n,)."""
    if steps < 1:
        raise GradvizError(f"steps is {steps}; it must be at least 1.")
    x = np.repeat(np.asarray(starts, np.float64)[:, None], len(b), axis=1)
    for _ in range(steps):
        x = w * logistic(x) + b
    return x


def _root(w: float, b: Array, low: Array, high: Array, sign: float) -> Array:
    """The x between with x − w σ(x) = b; the left side rises (sign 1) or falls (−1) there. Halved until no float lies between."""
    for _ in range(200):
        middle = (low + high) / 2
        below = sign * (middle - w * logistic(middle) - b) < 0
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return (low + high) / 2

"""The network of one unit, x_t = w σ(x_{t−1}) + b, and its error E = (σ(x_T) − target)² over (w, b), with a wall in it (Pascanu, Mikolov
and Bengio 2013, section 2.3 and figure 6; σ the logistic function).

On the line b = x_0 − w σ(x_0) the state stays at x_0. Where w σ'(x_0) > 1 that rest is unstable, and the error changes across the line
within a width of about (w σ'(x_0))^−T: less than any even grid resolves, soon less than b has digits. So states are carried as
y_t = x_t − x_0, moved by the offset b − (x_0 − w σ(x_0)), which has digits however near the wall it is. Numbers beyond floats are infinity
or NaN.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gradviz.arrays import Array
from gradviz.errors import GradvizError, ShapeError


@dataclass(frozen=True)
class Unit:
    """steps: T; start: x_0; target: what σ(x_T) should be. The paper's."""

    steps: int = 50
    start: float = 0.5
    target: float = 0.7

    def __post_init__(self) -> None:
        if self.steps < 1 or not np.isfinite([self.start, self.target]).all():
            raise GradvizError(f"steps is {self.steps}, start {self.start}, target {self.target}; at least 1 step, and finite numbers.")


PAPER = Unit()


@dataclass(frozen=True)
class Surface:
    """Arrays of one shape. error: E; d_w, d_b: its gradient; d_ww, d_wb, d_bb: its second derivatives; last: x_T."""

    error: Array
    d_w: Array
    d_b: Array
    d_ww: Array
    d_wb: Array
    d_bb: Array
    last: Array

    @property
    def norm(self) -> Array:
        """‖∇E‖."""
        return np.hypot(self.d_w, self.d_b)

    @property
    def curvature(self) -> Array:
        """The largest eigenvalue of the second derivatives, by size."""
        with np.errstate(all="ignore"):
            return np.asarray(np.abs(self.d_ww + self.d_bb) / 2 + np.hypot((self.d_ww - self.d_bb) / 2, self.d_wb))


def logistic(x: Array) -> Array:
    """1/(1 + e^−x)."""
    with np.errstate(over="ignore"):
        return np.asarray(1 / (1 + np.exp(-np.asarray(x, np.float64))))


def wall(w: Array | float, unit: Unit = PAPER) -> Array:
    """The b at which the state never leaves x_0."""
    return np.asarray(unit.start - np.asarray(w, np.float64) * logistic(np.asarray(unit.start)))


def surface(w: Array | float, b: Array | float, unit: Unit = PAPER) -> Surface:
    """At each (w, b), which broadcast."""
    return beside_wall(w, np.asarray(b, np.float64) - wall(w, unit), unit)


def beside_wall(w: Array | float, offset: Array | float, unit: Unit = PAPER) -> Surface:
    """At each (w, wall(w) + offset), exact for any offset: at 0 it is on the wall, where b itself is rounded beside it."""
    w, offset = np.broadcast_arrays(np.asarray(w, np.float64), np.asarray(offset, np.float64))
    y, rest = np.zeros(w.shape), np.asarray(unit.start)
    of_w, of_b, ww, wb, bb = (np.zeros(w.shape) for _ in range(5))
    s0, s1, s2 = _slopes(unit.start + y)
    with np.errstate(all="ignore"):
        for _ in range(unit.steps):
            y = w * _difference(y, rest) + offset
            ww, wb, bb = (
                2 * s1 * of_w + w * (s2 * of_w * of_w + s1 * ww),
                s1 * of_b + w * (s2 * of_w * of_b + s1 * wb),
                w * (s2 * of_b * of_b + s1 * bb),
            )
            of_w, of_b = s0 + w * s1 * of_w, 1 + w * s1 * of_b
            s0, s1, s2 = _slopes(unit.start + y)
        off = s0 - unit.target
        one, two = 2 * off * s1, 2 * (s1 * s1 + off * s2)
        second = (two * of_w * of_w + one * ww, two * of_w * of_b + one * wb, two * of_b * of_b + one * bb)
        return Surface(off * off, one * of_w, one * of_b, *second, unit.start + y)


@dataclass(frozen=True)
class Refined:
    """Samples that crowd at the wall. w: (n, 1); offset, b: (n, sample), ascending, the wall in the middle; surface: (n, sample)."""

    w: Array
    offset: Array
    b: Array
    surface: Surface


def refined(w: Array, unit: Unit = PAPER, *, side: int = 200, reach: float = 1.0) -> Refined:
    """For each w (n,) the wall itself and `side` samples on either side, in even ratios from a thousandth of the wall's width, at which x_T
    moves by 1e-3, out to `reach`. The steepest place is beside the wall: on it the error itself is small still."""
    column = np.asarray(w, np.float64)
    if column.ndim != 1 or side < 2 or not reach > 0:
        raise ShapeError(f"w has shape {column.shape}, side is {side}, reach {reach}; they must be (n,), at least 2 and above 0.")
    rise = np.abs(_rise(column, unit))
    nearest = np.log(np.minimum(1e-3 / rise, 1e-3 * reach))[:, None]
    out = np.exp(nearest + (np.log(reach) - nearest) * np.linspace(0, 1, side))
    offset = np.concatenate([-out[:, ::-1], np.zeros((len(column), 1)), out], axis=1)
    return Refined(column[:, None], offset, wall(column[:, None], unit) + offset, beside_wall(column[:, None], offset, unit))


@dataclass(frozen=True)
class Descent:
    """path: (steps + 1, 2) of (w, b); error, norm: (steps + 1,) E and ‖∇E‖ there."""

    path: Array
    error: Array
    norm: Array


def descend(start: tuple[float, float], rate: float, steps: int, threshold: float | None = None, unit: Unit = PAPER) -> Descent:
    """Gradient descent from (w, b). With a threshold c a gradient whose norm is above c, and finite, is shortened to c (the paper's
    algorithm 1), so that no step is longer than rate · c."""
    return descents(start, rate, steps, (threshold,), unit)[0]


def descents(start: tuple[float, float], rate: float, steps: int, thresholds: Sequence[float | None], unit: Unit = PAPER) -> list[Descent]:
    """One with each threshold, step by step at once: a step of several costs what one costs."""
    if not 0 < rate < np.inf or steps < 1 or any(threshold is not None and not threshold > 0 for threshold in thresholds):
        raise GradvizError(f"rate is {rate}, steps {steps}, thresholds {list(thresholds)}; all must be above 0, and the rate finite.")
    limit = np.array([np.inf if threshold is None else threshold for threshold in thresholds])
    place, paths, errors, norms = np.tile(np.array(start, np.float64)[:, None], len(limit)), [], [], []
    for _ in range(steps + 1):
        here = surface(place[0], place[1], unit)
        gradient, size = np.stack([here.d_w, here.d_b]), here.norm
        paths.append(place)
        errors.append(here.error)
        norms.append(size)
        long = (limit < size) & (size < np.inf)
        with np.errstate(all="ignore"):
            place = place - rate * np.where(long, gradient / size * limit, gradient)
    path, error, norm = np.array(paths), np.array(errors), np.array(norms)
    return [Descent(path[:, :, at], error[:, at], norm[:, at]) for at in range(len(limit))]


def _rise(w: Array, unit: Unit) -> Array:
    """∂x_T/∂b on the wall: 1 + a + … + a^(T−1) with a = w σ'(x_0)."""
    slope, total = w * _slopes(np.asarray(unit.start))[1], np.zeros_like(w)
    for _ in range(unit.steps):
        total = 1 + slope * total
    return total


def _slopes(x: Array) -> tuple[Array, Array, Array]:
    """σ, σ', σ'', with digits at both ends."""
    up, down = logistic(x), logistic(-x)
    return up, up * down, up * down * (down - up)


def _difference(y: Array, rest: Array) -> Array:
    """σ(rest + y) − σ(rest), to the last digit however small y is."""
    with np.errstate(all="ignore"):
        above = -np.expm1(-y) * logistic(rest + y) * logistic(-rest)
        below = np.expm1(y) * logistic(rest) * logistic(-rest - y)
    return np.where(y >= 0, above, below)

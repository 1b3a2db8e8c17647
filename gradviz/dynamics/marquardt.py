"""Least squares from many starts at once: Levenberg's and Marquardt's damped Newton steps, with Nielsen's (1999) rule for the damping.

Each start has its own damping and stops by itself. It goes on to the last digit and does not stop at a tolerance, so that a minimum that is
nearly zero can be told from one that is.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gradviz.arrays import Array

SETTLED = 1e-12  # a step that is shorter, relative to 1 + ‖x‖, is the last
LEAST = 1e-14  # of the damping, relative to the largest square: keeps singular systems solvable


@dataclass(frozen=True)
class Minima:
    """x: (start, n); half: (start,) ½‖r‖² there; settled: (start,) whether it came to rest within the iterations."""

    x: Array
    half: Array
    settled: Array


def minimise(residual: Callable[[Array], Array], jacobian: Callable[[Array], Array], starts: Array, iterations: int) -> Minima:
    """Local minima of ½‖r(x)‖². residual: (m, n) points to (m, k); jacobian: to (m, k, n)."""
    x, rest = starts.astype(np.float64), np.zeros(len(starts), bool)
    with np.errstate(all="ignore"):
        r = residual(x)
        half = 0.5 * (r * r).sum(axis=1)
        damping, growth = np.full(len(x), np.nan), np.full(len(x), 2.0)
        square, slope = np.zeros((len(x), x.shape[1], x.shape[1])), np.zeros_like(x)
        moved = np.isfinite(half)
        alive = moved.copy()
        for _ in range(iterations):
            new = np.flatnonzero(moved & alive)
            if len(new):
                j = jacobian(x[new])
                square[new], slope[new] = np.swapaxes(j, 1, 2) @ j, np.einsum("mki,mk->mi", j, r[new])
                alive[new] &= np.isfinite(square[new]).all(axis=(1, 2)) & np.isfinite(slope[new]).all(axis=1)
            live = np.flatnonzero(alive & ~rest)
            if not len(live):
                break
            most = np.maximum(np.diagonal(square[live], axis1=1, axis2=2).max(axis=1), 1e-300)
            damping[live] = np.maximum(np.where(np.isnan(damping[live]), 1e-3 * most, damping[live]), LEAST * most)
            step = _steps(square[live], slope[live], damping[live])
            tried = x[live] + step
            found = residual(tried)
            value = 0.5 * (found * found).sum(axis=1)
            gain = (half[live] - value) / (0.5 * np.einsum("mi,mi->m", step, damping[live, None] * step - slope[live]))
            good = value < half[live]
            damping[live] *= np.where(good, np.maximum(1 / 3, 1 - (2 * gain - 1) ** 3), growth[live])
            growth[live] = np.where(good, 2.0, 2 * growth[live])
            short = np.linalg.norm(step, axis=1) <= SETTLED * (1 + np.linalg.norm(x[live], axis=1))
            better = live[good]
            x[better], r[better], half[better] = tried[good], found[good], value[good]
            moved[:] = False
            moved[better] = True
            rest[live] = short
    return Minima(x, half, rest & alive)


def _steps(square: Array, slope: Array, damping: Array) -> Array:
    """(m, n): −(JᵀJ + μ 1)⁻¹ Jᵀr."""
    damped = square + damping[:, None, None] * np.eye(square.shape[1])
    found: Array = -np.linalg.solve(damped, slope[..., None])[..., 0]
    return found

"""Transient growth: what a matrix whose powers fade in the end does before.

Powers of a normal matrix have the norm ρ^k. Those of any other may grow first, however small its eigenvalues are, since its
eigenvectors lean on one another (Trefethen and Embree 2005; in recurrent networks Kerg et al. 2019, Goldman 2009). How far it is from
normal says Henrici's departure (1962), √(‖W‖²_F − Σ|λ|²), 0 for a normal matrix: what is left beside the eigenvalues in a Schur form.
"""

from dataclasses import dataclass

import numpy as np

from gradviz.arrays import Array
from gradviz.errors import NonFiniteError, ShapeError


@dataclass(frozen=True)
class Transient:
    """radius ρ; stretch σ₁; departure: Henrici's, in the size of the matrix; growth: the largest ‖W^k‖ (spectral norm), 1 if no power is
    larger than the identity; lag: the k where it is."""

    radius: float
    stretch: float
    departure: float
    growth: float
    lag: int


def transient(matrix: Array, lags: int) -> Transient:
    """Of a square matrix and its powers up to `lags`."""
    matrix = np.asarray(matrix, np.float64)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise ShapeError(f"a matrix of shape {matrix.shape} has no powers; it must be square.")
    if not np.isfinite(matrix).all():
        raise NonFiniteError("the matrix holds NaN or infinity; its spectrum is not defined.")
    values = np.linalg.eigvals(matrix)
    left = np.sum(np.square(matrix)) - np.sum(np.abs(values) ** 2)
    stretch = float(np.linalg.norm(matrix, 2))
    growth, lag = _largest_power(matrix, lags) if stretch > 1 else (1.0, 0)
    return Transient(float(np.abs(values).max()), stretch, float(np.sqrt(max(0.0, left))), growth, lag)


def _largest_power(matrix: Array, lags: int) -> tuple[float, int]:
    """‖W^k‖ and k. A power below 1 ends the search: beyond it none is larger than the largest before it."""
    power, growth, at = np.eye(len(matrix)), 1.0, 0
    for lag in range(1, lags + 1):
        with np.errstate(over="ignore", invalid="ignore"):
            power = power @ matrix
            bound = float(np.linalg.norm(power))  # Frobenius: never below the spectral norm, and cheap
        if not 1 <= bound < np.inf:
            break
        if bound > growth and (size := float(np.linalg.norm(power, 2))) > growth:
            growth, at = size, lag
    return growth, at

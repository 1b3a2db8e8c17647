"""How well a unit's state tells a property of a text: by ranks, so that any monotone change of the state changes nothing.

Tokens are no independent draws: a quotation of a hundred characters is one observation of "inside quotes", not a hundred. So standard
errors count stretches. Each token's share in the deviation of the score (its influence) is summed over its stretch, and the variance is
that of these sums (for the AUC: Obuchowski 1997, which for stretches of one token is DeLong et al. 1988).
"""

from dataclasses import dataclass

import numpy as np

from gradviz.arrays import Array, Integers


@dataclass(frozen=True)
class Scores:
    """values: (unit,) the score of each; errors: (unit,) their standard errors. NaN for units with a state that is NaN or always the same
    in a correlation."""

    values: Array
    errors: Array


def midranks(column: Array) -> Array:
    """(n,) ranks from 1; equal values share the mean of theirs."""
    _, places, counts = np.unique(column, return_inverse=True, return_counts=True)
    middle = np.cumsum(counts) - (counts - 1) / 2
    return np.asarray(middle[places], np.float64)


def auc(states: Array, holds: Array, stretch: Integers) -> Scores:
    """The chance that the state is higher at a token where the property holds than at one where it does not, ties counted half (Mann and
    Whitney 1947): 0.5 says nothing, 1 and 0 say all. states: (n, unit); holds: (n,) bool; stretch: (n,) number of each token's stretch."""
    pairs = [_auc(column, holds, stretch) for column in states.T]
    return Scores(np.array([value for value, _ in pairs]), np.array([error for _, error in pairs]))


def _auc(column: Array, holds: Array, stretch: Integers) -> tuple[float, float]:
    if np.isnan(column).any():
        return float("nan"), float("nan")
    ranks, positives, negatives = midranks(column), int(holds.sum()), int((~holds).sum())
    share = np.empty(len(column))  # of the other kind that lies on the right side of it
    share[holds] = (ranks[holds] - midranks(column[holds])) / negatives
    share[~holds] = 1 - (ranks[~holds] - midranks(column[~holds])) / positives
    value = float(share[holds].mean())
    variance = _clustered(share[holds] - value, stretch[holds]) + _clustered(share[~holds] - value, stretch[~holds])
    return value, float(np.sqrt(variance))


def spearman(states: Array, numbers: Array, stretch: Integers) -> Scores:
    """Correlation of ranks, -1 to 1. The error is that of Pearson's correlation of the ranks."""
    right = _standard(midranks(numbers))
    pairs = [_correlation(column, right, stretch) for column in states.T]
    return Scores(np.array([value for value, _ in pairs]), np.array([error for _, error in pairs]))


def _correlation(column: Array, right: Array, stretch: Integers) -> tuple[float, float]:
    if np.isnan(column).any() or column.min() == column.max():
        return float("nan"), float("nan")
    left = _standard(midranks(column))
    value = float(np.clip((left * right).mean(), -1, 1))
    influence = left * right - value * (left**2 + right**2) / 2
    return value, float(np.sqrt(_clustered(influence, stretch)))


def _standard(ranks: Array) -> Array:
    """Mean 0, variance 1."""
    return np.asarray((ranks - ranks.mean()) / ranks.std())


def _clustered(influence: Array, stretch: Integers) -> float:
    """Variance of the mean of influences that are independent from stretch to stretch only; NaN for a single stretch."""
    _, places = np.unique(stretch, return_inverse=True)
    sums = np.bincount(places, influence)
    count = len(sums)
    return float(count / (count - 1) * np.square(sums).sum() / len(influence) ** 2) if count > 1 else float("nan")

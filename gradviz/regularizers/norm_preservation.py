"""Ω, which wants the gradient to stay as long as it is from step to step (Pascanu, Mikolov and Bengio 2013, section 3.3).

With r_t = ‖∂E/∂s_t · ∂s_t/∂s_{t-1}‖ / ‖∂E/∂s_t‖ it comes in three forms:

    plain      Ω = Σ_t (r_t − 1)²         eq. 9, mean over the batch
    squared    Ω = Σ_t (r_t² − 1)²        eq. 10, mean over the batch
    averaged   mean of (r_t² − 1)²        the authors' program: over all steps and examples whose gradient is not too small to count

As in the paper its gradient is the immediate one, of the recurrent weights alone: states, gates and the arriving gradient are constants.
"""

from dataclasses import dataclass

import numpy as np

from gradviz.arrays import Array
from gradviz.options import check, option
from gradviz.regularizers._base import Regularizer


@dataclass(frozen=True)
class NormPreservation(Regularizer):
    """strength is the paper's α; it is added to the gradient before clipping."""

    strength: float = option(1.0, "factor on the gradient of the penalty", low=0.0)
    form: str = option("averaged", "which of the three forms of the penalty", choices=("averaged", "squared", "plain"))
    least: float = option(1e-20, "squared norms of arriving gradients below this do not count", low=0.0)

    def __post_init__(self) -> None:
        check(self)

    def price(self, arriving: Array, leaving: Array, counts: Array) -> tuple[float, Array]:
        with np.errstate(all="ignore"):
            counted = counts & ~(arriving < self.least) & (arriving != 0)  # NaN counts: it must be seen
            safe = np.where(counted, arriving, 1)
            ratio = np.where(counted, leaving / safe, 1)
            total = max(1, int(counted.sum())) if self.form == "averaged" else counts.shape[1]
            if self.form == "plain":
                root = np.sqrt(ratio)
                terms, slopes = (root - 1) ** 2, np.where(root > 0, (root - 1) / np.where(root > 0, root, 1), 0)
            else:
                terms, slopes = (ratio - 1) ** 2, 2 * (ratio - 1)
            return float(terms.sum() / total), self.strength * np.where(counted, slopes / safe, 0) / total

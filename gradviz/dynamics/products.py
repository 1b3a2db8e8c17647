"""Products of many Jacobians, whose size is kept apart: a norm of 1e-3000 is a number like any other."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from gradviz.arrays import Array
from gradviz.errors import GradvizError


@dataclass(frozen=True)
class Scaled:
    """matrix · e^log. The largest entry of `matrix` has size 1, unless all are zero (then log is -inf) or one is no number."""

    matrix: Array
    log: float

    @classmethod
    def of(cls, matrix: Array, log: float = 0.0) -> "Scaled":
        largest = float(np.abs(matrix).max(initial=0.0))
        if largest == 0:
            return cls(matrix, -np.inf)
        return cls(matrix / largest, log + float(np.log(largest))) if np.isfinite(largest) else cls(matrix, log)

    def after(self, step: Array) -> "Scaled":
        """step @ self."""
        with np.errstate(all="ignore"):
            return Scaled.of(step @ self.matrix, self.log)

    @property
    def log_singular_values(self) -> Array:
        """Natural logarithms, the largest first. Of a long product only the first ones have digits: the others have been rounded away, and
        `lyapunov.spectrum` is how to get at them."""
        if not np.isfinite(self.matrix).all():
            return np.full(min(self.matrix.shape), np.nan)
        with np.errstate(divide="ignore"):
            logs: Array = np.log(np.linalg.svd(self.matrix, compute_uv=False)) + self.log
        return logs

    @property
    def log_norm(self) -> float:
        """Natural logarithm of the spectral norm."""
        return float(self.log_singular_values[0])


def span(jacobians: Array, first: int, last: int) -> Scaled:
    """∂s_last/∂s_first, the product of the Jacobians (time, state, state) of the steps after `first` up to `last`; the state before the
    first step is number 0, that after the last one number `time`. Of no step it is the identity."""
    if not 0 <= first <= last <= len(jacobians):
        raise GradvizError(f"the span from state {first} to state {last} is not in 0 … {len(jacobians)}, with its beginning first.")
    product = Scaled.of(np.eye(jacobians.shape[2]))
    for step in jacobians[first:last]:
        product = product.after(step)
    return product


def log_norms(pieces: Iterable[Array]) -> Array:
    """(time,) natural logarithm of ‖∂s_t/∂s_0‖ (spectral norm) after each step."""
    product, logs = None, []
    for jacobians in pieces:
        for step in jacobians:
            product = Scaled.of(np.eye(step.shape[1])) if product is None else product
            product = product.after(step)
            logs.append(product.log_norm)
    return np.array(logs)

"""Clipping by global norm (Pascanu, Mikolov and Bengio 2013, algorithm 1): shortens a long gradient and keeps its direction."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from gradviz.arrays import Array, Parameters
from gradviz.clipping._base import Clipping, State
from gradviz.clipping._shorten import shorten
from gradviz.options import check, option


@dataclass(frozen=True)
class Norm(Clipping):
    """g becomes g·c / (‖g‖ + eps) if ‖g‖ + eps > c, where ‖g‖ = (Σ|gᵢ|^order)^(1/order) over all gradients laid end to end;
    of order infinity it is the largest |gᵢ|.

    With eps 0 this is the paper's rule; with eps 1e-6 it is torch.nn.utils.clip_grad_norm_, which so shortens gradients just below c too.
    A norm that is not finite leaves the gradient alone: it has no direction to keep. PyTorch makes zeros and NaN of it.
    """

    dial: ClassVar = "limit"

    limit: float = option(1.0, "largest global norm that is left alone", low=0.0)
    order: float = option(2.0, "order of the norm: 1 the sum of magnitudes, 2 the Euclidean norm, inf the largest magnitude", low=1e-16)
    eps: float = option(0.0, "added to the norm; 1e-6 clips as PyTorch does", low=0.0, high=1.0)

    def __post_init__(self) -> None:
        check(self)

    def threshold(self, state: State) -> float:
        """What is measured before and after is the 2-norm. On it a rule of another order has no single threshold."""
        return max(self.limit - self.eps, 0.0) if self.order == 2 else float("nan")

    def rule(self, gradients: Parameters, parameters: Parameters, norm: float, state: State) -> Parameters:
        length = norm if self.order == 2 else norm_of_order(self.order, gradients.values())
        if not (length and self.limit < length + self.eps < np.inf):
            return gradients
        return {name: shorten(gradient, self.limit, length + self.eps) for name, gradient in gradients.items()}


def norm_of_order(order: float, arrays: Iterable[Array]) -> float:
    """(Σ|x|^order)^(1/order) over all arrays laid end to end, divided by the largest |x| before powers are taken. So of order
    infinity only the largest are left, each a 1, and their root of that order is 1.

    NaN if one is NaN; otherwise infinite if one is, or if the norm is larger than a float.
    """
    sizes = [np.abs(array).astype(np.float64) for array in arrays]
    largest = np.max([np.max(size, initial=0.0) for size in sizes], initial=0.0)
    if not 0 < largest < np.inf:
        return float(largest)
    with np.errstate(over="ignore", under="ignore"):
        total = np.sum([np.sum((size / largest) ** order) for size in sizes])
        return float(largest * total ** (1 / order))

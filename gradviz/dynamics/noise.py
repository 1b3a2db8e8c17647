"""How much of a batch's gradient is noise: the gradients of its two halves compared.

With n examples in a half, E‖g₁ − g₂‖² = 2 tr Σ/n and E g₁·g₂ = ‖G‖²; Σ is the covariance of one example's gradient, G the true gradient.
Both are the unbiased estimates of McCandlish et al. 2018 ("An empirical model of large-batch training", appendix A.1) for batches of n and
2n, and their quotient tr Σ/‖G‖² is the simple noise scale: the number of examples at which noise and gradient are of one size.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gradviz.arrays import Parameters, cosine, global_norm
from gradviz.batch import Batch
from gradviz.dynamics.gradients import gradient
from gradviz.errors import GradvizError, ShapeError
from gradviz.network import Network


@dataclass(frozen=True)
class Noise:
    """cosine: between the halves' gradients; relative: ‖g₁ − g₂‖/‖g₁ + g₂‖; trace: estimate of tr Σ; signal: of ‖G‖², which may come out
    negative; half: n, examples in a half."""

    cosine: float
    relative: float
    trace: float
    signal: float
    half: int

    @property
    def scale(self) -> float:
        """The noise scale in examples. Infinite where noise hides the gradient (signal not above zero), NaN where there is neither."""
        return _scale(self.trace, self.signal)


def noise(network: Network, batch: Batch) -> Noise:
    """Of the summed loss of a sequence, averaged over examples, so that every example counts alike. Halves are the first and the last
    examples as they lie, and an odd one in the middle is left out. The network is not changed, and its hooks are left out."""
    half = batch.size // 2
    if not half:
        raise GradvizError("the batch has 1 example; comparing two halves takes at least 2.")
    exact, at = network.astype("float64"), network.signature.at
    first, second = batch.some(slice(0, half), at), batch.some(slice(batch.size - half, batch.size), at)
    return between(gradient(exact, first, "sum"), gradient(exact, second, "sum"), half)


def between(first: Parameters, second: Parameters, half: int) -> Noise:
    """Of two gradients, by parameter, each the mean over `half` examples of its own."""
    if half < 1:
        raise GradvizError(f"half is {half}; each gradient must be of at least 1 example.")
    shapes = [{name: np.shape(array) for name, array in gradients.items()} for gradients in (first, second)]
    if shapes[0] != shapes[1]:
        raise ShapeError(f"the gradients are of {shapes[0]} and {shapes[1]}; they must have the same names and shapes.")
    wide = [{name: np.asarray(array, np.float64) for name, array in gradients.items()} for gradients in (first, second)]
    with np.errstate(all="ignore"):
        apart = np.float64(global_norm(wide[0][name] - wide[1][name] for name in first))
        together = np.float64(global_norm(wide[0][name] + wide[1][name] for name in first))
        signal = sum((np.vdot(wide[0][name], wide[1][name]) for name in first), np.float64(0))
        return Noise(cosine(*wide), float(apart / together), float(half / 2 * apart * apart), float(signal), half)


def pooled(several: Sequence[Noise]) -> float:
    """The noise scale of several batches: mean trace over mean signal, since a quotient of one batch is itself noisy and biased."""
    if not several:
        raise GradvizError("there is no batch to pool; give at least one.")
    return _scale(float(np.mean([one.trace for one in several])), float(np.mean([one.signal for one in several])))


def _scale(trace: float, signal: float) -> float:
    if not (np.isfinite(trace) and np.isfinite(signal)) or (trace == 0 and signal <= 0):
        return float("nan")
    return trace / signal if signal > 0 else float("inf")

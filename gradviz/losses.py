"""Losses: per step and example, with their gradient. Pure functions, safe for huge outputs and for a complex-step check.

Each takes outputs (time, batch, output), targets, and weights (time, batch), and returns
- losses (time, batch), unweighted; the loss of the batch is (weights · losses).sum();
- d_outputs (time, batch, output), the gradient of that weighted sum.
A step of weight 0 has loss 0 and gradient 0 whatever its outputs and targets hold, NaN included.
"""

from collections.abc import Callable

import numpy as np

from gradviz.arrays import Array, Integers
from gradviz.errors import GradvizError, ShapeError

Loss = Callable[[Array, Array | Integers, Array], tuple[Array, Array]]


def softmax(outputs: Array, targets: Integers, weights: Array) -> tuple[Array, Array]:
    """Cross-entropy -ln softmax(outputs)[target] in nats; targets (time, batch) are class ids. d = w · (softmax(outputs) - one-hot)."""
    used = _used(outputs, targets, weights, outputs.shape[:2])
    if not np.issubdtype(targets.dtype, np.integer):
        raise ShapeError(f"targets are {targets.dtype}; classes must be integers.")
    index = np.where(used, targets, 0)[..., None]
    _check_classes(index[..., 0], outputs.shape[-1])
    with np.errstate(over="ignore", invalid="ignore"):  # infinite outputs give NaN or infinity, which is recorded
        d_outputs = outputs - outputs.real.max(axis=-1, keepdims=True)  # constant shift: nothing overflows, the derivative stays
        d_outputs[~used] = 0
        correct = np.take_along_axis(d_outputs, index, -1)[..., 0]
        np.exp(d_outputs, out=d_outputs)
        total = d_outputs.sum(axis=-1)
        losses = np.where(used, np.log(total) - correct, 0)
        d_outputs *= (weights / total).astype(outputs.dtype)[..., None]
    at_target = np.take_along_axis(d_outputs, index, -1) - weights.astype(outputs.dtype)[..., None]
    np.put_along_axis(d_outputs, index, at_target, -1)
    return losses, d_outputs


def squared(outputs: Array, targets: Array, weights: Array) -> tuple[Array, Array]:
    """Squared error Σ (output - target)² over the values of a step; targets (time, batch, value). d = 2w · (output - target)."""
    used = _used(outputs, targets, weights, outputs.shape)
    with np.errstate(over="ignore", invalid="ignore"):
        error = (outputs - targets).astype(outputs.dtype, copy=False)
        error[~used] = 0
        losses = (error * error).sum(axis=-1)
        error *= 2 * weights.astype(outputs.dtype)[..., None]
    return losses, error


def logistic(outputs: Array, targets: Array, weights: Array) -> tuple[Array, Array]:
    """Cross-entropy of yes or no for each value of a step: Σ ln(1 + e^z) - y z in nats, with outputs z (log odds) and targets y
    (time, batch, value), 0, 1 or between. d = w · (1/(1 + e^-z) - y)."""
    used = _used(outputs, targets, weights, outputs.shape)
    _check_shares(np.where(used[..., None], targets, 0))
    with np.errstate(over="ignore", invalid="ignore"):
        z = np.where(used[..., None], outputs, 0).astype(outputs.dtype, copy=False)
        y = np.where(used[..., None], targets, 0).astype(z.real.dtype)
        up = z.real >= 0
        small = np.exp(np.where(up, -z, z))  # never above 1
        losses = (np.where(up, z, 0) + np.log1p(small) - y * z).sum(axis=-1)
        d_outputs = (np.where(up, 1, small) / (1 + small) - y) * weights.astype(outputs.dtype)[..., None]
    return np.where(used, losses, 0).astype(outputs.dtype, copy=False), d_outputs.astype(outputs.dtype, copy=False) * used[..., None]


LOSSES: dict[str, Loss] = {"softmax": softmax, "squared": squared, "logistic": logistic}


def _used(outputs: Array, targets: Array | Integers, weights: Array, expected: tuple[int, ...]) -> Array:
    """(time, batch) true where a step counts."""
    if np.shape(targets) != expected:
        raise ShapeError(f"targets have shape {np.shape(targets)}; outputs of shape {outputs.shape} need targets of shape {expected}.")
    if weights.shape != outputs.shape[:2]:
        raise ShapeError(f"weights have shape {weights.shape}; outputs of shape {outputs.shape} need weights of shape {outputs.shape[:2]}.")
    return np.asarray(weights != 0)


def _check_classes(targets: Integers, classes: int) -> None:
    if targets.size and (targets.min() < 0 or targets.max() >= classes):
        t, b = np.argwhere((targets < 0) | (targets >= classes))[0]
        raise GradvizError(f"the target at time step {t} of example {b} is {targets[t, b]}; classes go from 0 to {classes - 1}.")


def _check_shares(targets: Array) -> None:
    bad = ~((targets >= 0) & (targets <= 1))
    if bad.any():
        t, b, _ = np.argwhere(bad)[0]
        raise GradvizError(f"a target at time step {t} of example {b} is {targets[bad][0]}; yes or no is 1 or 0, or a share between them.")

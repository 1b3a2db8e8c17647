"""From features to outputs, their loss, and back; in pieces of the sequence where all outputs at once would fill the memory."""

from dataclasses import dataclass

import numpy as np

from gradviz.arrays import Array, Integers, Parameters
from gradviz.batch import Batch
from gradviz.errors import ShapeError, unknown
from gradviz.losses import LOSSES
from gradviz.passes import Loss

MOST = 4_000_000  # outputs of a batch that are there at once; of more than that, `PIECE` are
PIECE = 1_000_000


@dataclass(frozen=True)
class Asked:
    """What a loss is taken of. targets: (time, batch, …); mask: (time, batch), true where a step counts; reduction: whether the gradient is
    that of the "mean" per counted step or of the "sum" over time (mean over the batch)."""

    kind: str
    targets: Array | Integers
    mask: Array
    reduction: str

    def __post_init__(self) -> None:
        if self.kind not in LOSSES:
            raise unknown("loss", self.kind, LOSSES)
        if self.reduction not in ("mean", "sum"):
            raise unknown("reduction", self.reduction, ("mean", "sum"))

    def of(self, outputs: Array) -> Loss:
        """The loss of all outputs, with their gradient."""
        return self.summed(*self.per_step(outputs, slice(None)))

    def per_step(self, outputs: Array, part: slice) -> tuple[Array, Array]:
        """Unscaled losses of some steps and the gradient of the loss with respect to their outputs."""
        real = np.zeros((), outputs.dtype).real.dtype
        scale = self.mask.sum() if self.reduction == "mean" else self.mask.shape[1]
        per_step, d_outputs = LOSSES[self.kind](outputs, self.targets[part], self.mask[part].astype(real))
        np.divide(d_outputs, real.type(scale), out=d_outputs)
        return per_step, d_outputs

    def summed(self, per_step: Array, d_outputs: Array) -> Loss:
        """The loss of all steps."""
        count = int(self.mask.sum())
        total = per_step.sum(dtype=np.result_type(per_step.dtype, np.float64)).item()
        return Loss(total / count, total / self.mask.shape[1], per_step, d_outputs, count)


@dataclass(frozen=True)
class Readout:
    """weight: (width, output), bias: (output,)."""

    weight: Array
    bias: Array

    @np.errstate(all="ignore")
    def outputs(self, features: Array) -> Array:
        """(time, batch, width) to (time, batch, output)."""
        outputs: Array = features @ self.weight
        outputs += self.bias
        return outputs

    @np.errstate(all="ignore")
    def back(self, features: Array, d_outputs: Array) -> tuple[Parameters, Array]:
        """Gradients of weight and bias, and of the features."""
        flat = d_outputs.reshape(-1, d_outputs.shape[2])
        gradients = {"readout.weight": features.reshape(len(flat), -1).T @ flat, "readout.bias": flat.sum(axis=0)}
        return gradients, d_outputs @ self.weight.T

    def in_pieces(self, features: Array, asked: Asked) -> tuple[Loss, Parameters, Array]:
        """Loss, gradients of weight and bias, and gradient of the features. The loss keeps no `d_outputs`: they are gone by then."""
        steps, size, _ = features.shape
        long = max(1, PIECE // (size * len(self.bias)))
        per_step, d_features = np.empty((steps, size), features.dtype), np.empty_like(features)
        total: Parameters = {"readout.weight": np.zeros_like(self.weight, order="C"), "readout.bias": np.zeros_like(self.bias)}
        for start in range(0, steps, long):
            part = slice(start, start + long)
            per_step[part], d_outputs = asked.per_step(self.outputs(features[part]), part)
            gradients, d_features[part] = self.back(features[part], d_outputs)
            for name, gradient in gradients.items():
                total[name] += gradient
        loss = asked.summed(per_step, np.zeros((0, size, len(self.bias)), features.dtype))
        return loss, total, d_features


def last_targets(batch: Batch) -> Array | Integers:
    """(1, batch, …): of targets of every step, those of each sequence's last."""
    if batch.targets.shape[:2] != (batch.steps, batch.size):
        raise ShapeError(f"targets have shape {batch.targets.shape}; those of every step begin with {(batch.steps, batch.size)}.")
    ends: Array = batch.targets[batch.reading.ends - 1, np.arange(batch.size)]
    return ends[None]

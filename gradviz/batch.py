"""A batch of sequences, and what a network has to expect of them."""

from dataclasses import dataclass

import numpy as np

from gradviz.arrays import Array, Integers
from gradviz.errors import GradvizError, NonFiniteError, ShapeError, unknown


@dataclass(frozen=True)
class Signature:
    """What goes into a network and what it is asked for.

    inputs: number of token kinds (`tokens` true) or of features; outputs: number of classes or of predicted values;
    loss: an entry of `gradviz.losses`; at: whether "every" step has a loss or only the "last" of each sequence.
    """

    inputs: int
    outputs: int
    tokens: bool
    loss: str
    at: str = "every"

    def __post_init__(self) -> None:
        check_at(self.at)


@dataclass(frozen=True)
class Batch:
    """inputs: (time, batch) token ids, or (time, batch, feature); targets: (time, batch) class ids, or (time, batch, value);
    lengths: (batch,) valid steps of each sequence, T_x of the course notes, or None if all are full.

    With the loss at the last step only, targets are (batch,) or (batch, value).
    """

    inputs: Array | Integers
    targets: Array | Integers
    lengths: Integers | None = None

    def __post_init__(self) -> None:
        if self.inputs.ndim not in (2, 3):
            wanted = "(time, batch) token ids or (time, batch, feature) values"
            raise ShapeError(f"inputs have shape {self.inputs.shape}; they must be {wanted}.")
        steps, size = self.inputs.shape[:2]
        if self.lengths is not None:
            check_lengths(np.asarray(self.lengths), steps, size)
        if self.inputs.ndim == 3 and not np.isfinite(self.inputs[self.mask]).all():
            t, b = np.argwhere(self.mask & ~np.isfinite(self.inputs).all(axis=2))[0]
            raise NonFiniteError(f"the inputs hold NaN or infinity, first at time step {t} of example {b}; remove or replace it.")

    @property
    def steps(self) -> int:
        return int(self.inputs.shape[0])

    @property
    def size(self) -> int:
        return int(self.inputs.shape[1])

    @property
    def mask(self) -> Array:
        """(time, batch) true where a step belongs to its sequence, false in the padding."""
        if self.lengths is None:
            return np.ones((self.steps, self.size), bool)
        return np.arange(self.steps)[:, None] < np.asarray(self.lengths)[None, :]


def check_at(at: str) -> None:
    if at not in ("every", "last"):
        raise unknown("place of the readout", at, ("every", "last"))


def check_inputs(inputs: Array | Integers, signature: Signature) -> None:
    """Inputs must be what the network was made for."""
    wanted = "(time, batch) token ids" if signature.tokens else f"(time, batch, {signature.inputs}) values"
    fits = inputs.ndim == 2 if signature.tokens else inputs.ndim == 3 and inputs.shape[2] == signature.inputs
    if not fits or not inputs.size or (signature.tokens and not np.issubdtype(inputs.dtype, np.integer)):
        raise ShapeError(
            f"inputs are {inputs.dtype} of shape {inputs.shape}; this network takes {wanted}, at least one step of one example."
        )
    if signature.tokens and not (inputs.min() >= 0 and inputs.max() < signature.inputs):
        raise GradvizError(f"token ids run from {inputs.min()} to {inputs.max()}; they must be between 0 and {signature.inputs - 1}.")


def check_lengths(lengths: Integers, steps: int, size: int) -> None:
    """Lengths must be (size,) whole numbers from 1 to `steps`."""
    if lengths.shape != (size,) or not np.issubdtype(lengths.dtype, np.integer):
        raise ShapeError(
            f"lengths are {lengths.dtype} of shape {lengths.shape}; for a batch of {size} they must be integers of shape ({size},)."
        )
    wrong = np.flatnonzero((lengths < 1) | (lengths > steps))
    if len(wrong):
        raise GradvizError(
            f"example {wrong[0]} has length {lengths[wrong[0]]}; lengths must be between 1 and {steps}, the number of time steps."
        )


def padding_of(inputs: Array | Integers, lengths: Integers | None) -> Array | None:
    """(time, batch, 1) true where a sequence has ended; None if all are full."""
    if lengths is None:
        return None
    check_lengths(np.asarray(lengths), inputs.shape[0], inputs.shape[1])
    if np.all(np.asarray(lengths) == len(inputs)):
        return None
    return np.asarray(np.arange(len(inputs))[:, None] >= np.asarray(lengths)[None, :])[..., None]

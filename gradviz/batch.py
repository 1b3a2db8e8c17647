"""A batch of sequences, and what a network has to expect of them."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gradviz.arrays import Array, Integers
from gradviz.errors import GradvizError, NonFiniteError, ShapeError, unknown

AT = ("every", "last", "decoded")
NOTHING = -1  # the token id of no token: its input vector is zero


@dataclass(frozen=True)
class Signature:
    """What goes into a network and what it is asked for.

    inputs: number of token kinds (`tokens` true) or of features; outputs: number of classes or of predicted values;
    loss: an entry of `gradviz.losses`; at: whether "every" step has a loss, only the "last" of each sequence, or every step
    "decoded": then an encoder reads the inputs, and a decoder that starts from its final states is read out at steps of its own;
    decoder: what the decoder reads, number of token kinds (loss softmax: it reads the classes it has written) or of features.
    """

    inputs: int
    outputs: int
    tokens: bool
    loss: str
    at: str = "every"
    decoder: int = 0

    def __post_init__(self) -> None:
        check_at(self.at)
        if (self.at == "decoded") != (self.decoder > 0):
            raise GradvizError(
                f"the decoder reads {self.decoder} token kinds or features and the readout is at {self.at!r}; a network with the readout "
                "at 'decoded' has a decoder, which reads at least 1, and no other has one."
            )

    @property
    def of_decoder(self) -> "Signature":
        """The decoder's side of it, as if it were a network by itself."""
        return Signature(self.decoder, self.outputs, self.loss == "softmax", self.loss)


@dataclass(frozen=True)
class Reading:
    """Sequences that layers read together: inputs (time, batch) token ids, or (time, batch, feature); lengths: (batch,) valid steps
    of each sequence, or None if all are full; whose: what they are called in errors."""

    inputs: Array | Integers
    lengths: Integers | None = None
    whose: str = "inputs"

    def __post_init__(self) -> None:
        if self.inputs.ndim not in (2, 3):
            wanted = "(time, batch) token ids or (time, batch, feature) values"
            raise ShapeError(f"{self.whose} have shape {self.inputs.shape}; they must be {wanted}.")
        if self.lengths is not None:
            check_lengths(np.asarray(self.lengths), self.steps, self.size)
        if self.inputs.ndim == 3 and not np.isfinite(self.inputs[self.mask]).all():
            t, b = np.argwhere(self.mask & ~np.isfinite(self.inputs).all(axis=2))[0]
            raise NonFiniteError(f"the {self.whose} hold NaN or infinity, first at time step {t} of example {b}; remove or replace it.")

    @property
    def steps(self) -> int:
        return int(self.inputs.shape[0])

    @property
    def size(self) -> int:
        return int(self.inputs.shape[1])

    @property
    def ends(self) -> Integers:
        """(batch,) the length of each sequence."""
        return ends_of(self.inputs, self.lengths)

    @property
    def mask(self) -> Array:
        """(time, batch) true where a step belongs to its sequence, false in the padding."""
        return np.arange(self.steps)[:, None] < self.ends[None, :]

    @property
    def padded(self) -> Array | None:
        """The mask if sequences have lengths of their own, else None."""
        return None if self.lengths is None else self.mask

    def some(self, chosen: slice) -> "Reading":
        """Some of the sequences."""
        return Reading(self.inputs[:, chosen], None if self.lengths is None else self.ends[chosen], self.whose)


def ends_of(array: Array | Integers, lengths: Integers | None) -> Integers:
    """(batch,) where each sequence of an array (time, batch, …) ends; lengths: None if all are full."""
    return np.full(array.shape[1], array.shape[0]) if lengths is None else np.asarray(lengths)


@dataclass(frozen=True)
class Batch:
    """inputs: (time, batch) token ids, or (time, batch, feature); targets: (time, batch) class ids, or (time, batch, value);
    lengths: (batch,) valid steps of each sequence, T_x of the course notes, or None if all are full.

    With the loss at the last step only, targets are (batch,) or (batch, value). decoder: what the decoder of an encoder–decoder network
    reads, with lengths of its own, T_y, which are those of the targets.
    """

    inputs: Array | Integers
    targets: Array | Integers
    lengths: Integers | None = None
    decoder: Reading | None = None

    def __post_init__(self) -> None:
        size = self.reading.size
        if self.decoder is not None and self.decoder.size != size:
            raise ShapeError(f"the decoder reads {self.decoder.size} sequences, the encoder {size}; every example has one for each.")

    @cached_property
    def reading(self) -> Reading:
        """Inputs and lengths."""
        return Reading(self.inputs, self.lengths)

    @property
    def answered(self) -> Reading:
        """The sequences along which the targets lie, unless they are those of the last step alone."""
        return self.reading if self.decoder is None else self.decoder

    @property
    def steps(self) -> int:
        return self.reading.steps

    @property
    def size(self) -> int:
        return self.reading.size

    @property
    def mask(self) -> Array:
        """(time, batch) true where a step belongs to its sequence, false in the padding."""
        return self.reading.mask

    def some(self, chosen: slice, at: str) -> "Batch":
        """Some of the examples; targets of the last step alone have no time axis."""
        targets, reading = self.targets[chosen] if at == "last" else self.targets[:, chosen], self.reading.some(chosen)
        return Batch(reading.inputs, targets, reading.lengths, None if self.decoder is None else self.decoder.some(chosen))


def check_at(at: str) -> None:
    if at not in AT:
        raise unknown("place of the readout", at, AT)


def check_inputs(inputs: Array | Integers, signature: Signature, whose: str = "inputs") -> None:
    """Inputs must be what the network was made for."""
    wanted = "(time, batch) token ids" if signature.tokens else f"(time, batch, {signature.inputs}) values"
    fits = inputs.ndim == 2 if signature.tokens else inputs.ndim == 3 and inputs.shape[2] == signature.inputs
    if not fits or not inputs.size or (signature.tokens and not np.issubdtype(inputs.dtype, np.integer)):
        raise ShapeError(
            f"{whose} are {inputs.dtype} of shape {inputs.shape}; this network takes {wanted}, at least one step of one example."
        )
    if signature.tokens and not (inputs.min() >= NOTHING and inputs.max() < signature.inputs):
        raise GradvizError(
            f"token ids run from {inputs.min()} to {inputs.max()}; they must be between 0 and {signature.inputs - 1}, or {NOTHING} for no "
            "token."
        )


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

"""Batches of the course notes' shapes, out of sequences of any lengths: T_x⁽ⁱ⁾ steps of x⁽ⁱ⁾ go in, T_y⁽ⁱ⁾ steps of y⁽ⁱ⁾ are asked for.

A sequence is an array (time,) of token ids or (time, value); a list of them becomes (time, batch) or (time, batch, value) with zeros
in the padding, at least `steps` long. Where a step reads the answer before it, that is the right one: teacher forcing (Williams and
Zipser 1989). `gradviz.generate` lets the network read its own.
"""

from collections.abc import Sequence

import numpy as np

from gradviz.arrays import Array, Integers
from gradviz.batch import Batch, Reading
from gradviz.errors import GradvizError, ShapeError

Sequences = Sequence[Array | Integers]


def many_to_many(inputs: Sequences, targets: Sequences, *, steps: int = 0) -> Batch:
    """The picture with an answer ŷ⟨t⟩ above every x⟨t⟩, T_x = T_y: naming, tagging, predicting what comes next."""
    _check_pairs(inputs, targets)
    for k, (x, y) in enumerate(zip(inputs, targets, strict=True)):
        if len(x) != len(y):
            raise ShapeError(f"example {k} has {len(x)} inputs and {len(y)} targets; many-to-many needs as many of both, T_x = T_y.")
    return Batch(padded(inputs, steps), padded(targets, steps), lengths(inputs))


def many_to_one(inputs: Sequences, targets: Array | Integers, *, steps: int = 0) -> Batch:
    """The picture with one answer ŷ above the last of T_x steps, T_y = 1: the mood of a review. targets: (batch,) class ids or
    (batch, value); for a network whose signature is at "last"."""
    _check_pairs(inputs, targets)
    return Batch(padded(inputs, steps), np.asarray(targets), lengths(inputs))


def one_to_many(inputs: Array | Integers, targets: Sequences, *, steps: int = 0) -> Batch:
    """The picture with x below the first step alone, T_x = 1, and ŷ⟨1⟩ … ŷ⟨T_y⟩ above: music from a genre. Step t reads y⟨t-1⟩.

    inputs (batch, feature) and targets (time, value): steps read [x, 0] at first and [0, y⟨t-1⟩] afterwards. inputs (batch,) of token
    ids, of the same kinds as the targets (time,): steps read x at first and y⟨t-1⟩ afterwards.
    """
    _check_pairs(inputs, targets)
    answers, first = padded(targets, steps), np.asarray(inputs)
    if first.ndim != answers.ndim - 1:
        raise ShapeError(f"inputs of shape {first.shape} and targets of shape {answers.shape} do not go together: tokens, or values.")
    before = shifted(answers)
    if first.ndim == 1:
        before[0] = first
        return Batch(before, answers, lengths(targets))
    given: Array = np.zeros((len(answers), *first.shape), first.dtype)
    given[0] = first
    return Batch(np.concatenate([given, before], axis=2), answers, lengths(targets))


def encoder_decoder(inputs: Sequences, targets: Sequences, start: int = 0, *, steps: tuple[int, int] = (0, 0)) -> Batch:
    """The picture of two networks, one that reads x⟨1⟩ … x⟨T_x⟩ and one that then says ŷ⟨1⟩ … ŷ⟨T_y⟩: translation. For a network
    whose signature is at "decoded". The decoder reads y⟨t-1⟩; at first the token `start`, the end-of-sentence token of the targets
    (Sutskever, Vinyals and Le 2014), or zeros where targets are values.
    """
    _check_pairs(inputs, targets)
    answers = padded(targets, steps[1])
    read = Reading(shifted(answers, start), lengths(targets), "decoder's inputs")
    return Batch(padded(inputs, steps[0]), answers, lengths(inputs), read)


def padded(sequences: Sequences, steps: int = 0) -> Array | Integers:
    """(time, batch, …): the sequences side by side, zeros behind their ends, at least `steps` long."""
    parts = [np.asarray(sequence) for sequence in sequences]
    shapes = {part.shape[1:] for part in parts}
    if len(shapes) != 1 or not all(part.ndim in (1, 2) for part in parts):
        raise ShapeError(f"sequences have shapes {[part.shape for part in parts]}; each must be (time,), or each (time, value).")
    if not all(map(len, parts)):
        raise GradvizError(f"sequence {[len(part) for part in parts].index(0)} is empty; each needs at least one step.")
    whole = np.zeros((max(steps, *map(len, parts)), len(parts), *shapes.pop()), np.result_type(*parts))
    for k, part in enumerate(parts):
        whole[: len(part), k] = part
    return whole


def shifted(targets: Array | Integers, start: int = 0) -> Array | Integers:
    """The same one step later: y⟨t-1⟩ at step t, and `start` at the first."""
    before = np.roll(targets, 1, axis=0)
    before[0] = start
    return before


def lengths(sequences: Sequences) -> Integers:
    """(batch,) the number of steps of each."""
    return np.array([len(sequence) for sequence in sequences])


def _check_pairs(inputs: Sequences | Array, targets: Sequences | Array) -> None:
    if not len(inputs) or len(inputs) != len(targets):
        raise GradvizError(f"there are {len(inputs)} inputs and {len(targets)} targets; every example has one of both, at least one.")

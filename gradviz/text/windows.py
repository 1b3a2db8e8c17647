"""From token ids to batches: pieces from anywhere, pieces that follow one another, or sentences.

The first input of a sequence is no token, each other one the target before (x⟨1⟩ = 0, x⟨t⟩ = y⟨t−1⟩ in the course notes).
"""

from abc import ABC, abstractmethod

import numpy as np

from gradviz.arrays import Integers
from gradviz.batch import NOTHING, Batch
from gradviz.errors import GradvizError


class Reader(ABC):
    """Reads one part of a text in sequences of `length` tokens. ids: (n,), may be mapped from a file; eos: the id that ends a sentence."""

    def __init__(self, ids: Integers, length: int, eos: int | None) -> None:
        self.ids, self.length, self.eos = ids, length, eos

    @staticmethod
    def fewest(length: int) -> int:
        """How many tokens a part must have."""
        return length

    @abstractmethod
    def batch(self, size: int, rng: np.random.Generator) -> Batch:
        """Sequences to learn from."""

    def spread(self, size: int) -> Batch:
        """Sequences spread evenly over the part, the same at every call."""
        return self._from(np.linspace(0, len(self.ids) - self.length, size).astype(int))

    def position(self) -> dict[str, int]:
        """Where it stands; empty if every batch is drawn anew."""
        return {}

    def restore(self, position: dict[str, int]) -> None:
        """Go on from there."""
        return

    def _from(self, starts: Integers) -> Batch:
        """Sequences that begin at these places, as if nothing came before."""
        targets = self._at(np.arange(self.length)[:, None] + starts)
        return Batch(shifted(targets), targets)

    def _at(self, places: Integers) -> Integers:
        return np.asarray(self.ids[places], np.int64)


class Windows(Reader):
    """Pieces from anywhere."""

    def batch(self, size: int, rng: np.random.Generator) -> Batch:
        return self._from(rng.integers(0, len(self.ids) - self.length + 1, size))


class Contiguous(Reader):
    """Row b of a batch reads the b-th of `size` equal parts of the text from its beginning; at its end it begins again. Where it begins,
    its first input is no token; later on it is the one before."""

    def __init__(self, ids: Integers, length: int, eos: int | None) -> None:
        super().__init__(ids, length, eos)
        self._next, self._rows = 0, 0

    def batch(self, size: int, rng: np.random.Generator) -> Batch:
        part = len(self.ids) // size
        if part < self.length:
            raise GradvizError(
                f"in contiguous order each of {size} rows gets {part} tokens of the training text, fewer than the {self.length} of one "
                "sequence; use a smaller batch, a smaller length or a longer text."
            )
        if size != self._rows or self._next + self.length > part:
            self._rows, self._next = size, 0
        starts = np.arange(size) * part + self._next
        batch = self._from(starts)
        if self._next:
            batch.inputs[0] = self._at(starts - 1)
        self._next += self.length
        return batch

    def position(self) -> dict[str, int]:
        return {"next": self._next, "rows": self._rows}

    def restore(self, position: dict[str, int]) -> None:
        self._next, self._rows = position["next"], position["rows"]


class Sentences(Reader):
    """Each sequence is a sentence with the EOS at its end, padded; of a longer one the first `length` tokens."""

    def __init__(self, ids: Integers, length: int, eos: int | None) -> None:
        super().__init__(ids, length, eos)
        self._ends = np.flatnonzero(ids == eos) + 1
        self._starts = np.concatenate([[0], self._ends[:-1]])

    @staticmethod
    def fewest(length: int) -> int:
        return 1

    def batch(self, size: int, rng: np.random.Generator) -> Batch:
        return self._sentences(rng.integers(0, len(self._ends), size))

    def spread(self, size: int) -> Batch:
        return self._sentences(np.linspace(0, len(self._ends) - 1, size).astype(int))

    def _sentences(self, chosen: Integers) -> Batch:
        starts = self._starts[chosen]
        lengths = np.minimum(self._ends[chosen] - starts, self.length)
        steps = np.arange(self.length)[:, None]
        targets = self._at(np.minimum(starts + steps, len(self.ids) - 1))
        inputs = np.where(steps < lengths, shifted(targets), NOTHING)
        return Batch(inputs, targets, lengths)


def shifted(targets: Integers) -> Integers:
    """(time, batch) what is read to predict them: no token, then the one before."""
    return np.concatenate([np.full((1, targets.shape[1]), NOTHING), targets[:-1]])

"""The temporal order problem (Hochreiter and Schmidhuber 1997, experiment 6a) in the form of Pascanu, Mikolov and Bengio 2013, 4.1.1."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from gradviz.batch import Batch, Signature
from gradviz.options import check, option
from gradviz.tasks._base import Data, Task, held_out_generator

SYMBOLS = "ABcdef"
MARKS = 2  # the first two symbols ask to be remembered, the others are noise


@dataclass(frozen=True)
class TemporalOrder(Task):
    """A or B stands once in the second tenth of the sequence and once in the sixth; noise of four other symbols everywhere else.
    Asked at the end: which of AA, BA, AB, BB it was."""

    length: int = option(50, "time steps of a sequence", low=10)

    def __post_init__(self) -> None:
        check(self)

    def open(self, seed: int = 0) -> Data:
        return TemporalOrderData(self.length, seed)


class TemporalOrderData(Data):
    """Fresh sequences without end. Chance is one in four, ln 4."""

    signature = Signature(inputs=len(SYMBOLS), outputs=MARKS**2, tokens=True, loss="softmax", at="last")

    def __init__(self, length: int, seed: int) -> None:
        self.length, self.seed = length, seed
        self.starts, self.room = (length // 10, length // 2), length // 10
        self.lag = length - length // 2 - self.room
        self.baselines = {"chance": float(np.log(MARKS**2))}
        self.facts: dict[str, Any] = {}

    def batch(self, size: int, rng: np.random.Generator) -> Batch:
        inputs, everyone = rng.integers(MARKS, len(SYMBOLS), (self.length, size)), np.arange(size)
        marks = rng.integers(0, MARKS, (2, size))
        for start, mark in zip(self.starts, marks, strict=True):
            inputs[start + rng.integers(0, self.room, size), everyone] = mark
        return Batch(inputs, marks[0] + MARKS * marks[1])

    def held_out(self, size: int) -> Batch:
        return self.batch(size, held_out_generator(self.seed))

    def words(self, inputs: Any) -> list[str] | None:
        return [SYMBOLS[token] for token in inputs]

"""The adding problem (Hochreiter and Schmidhuber 1997, experiment 4).

The marks' ranges are those of Pascanu, Mikolov and Bengio 2013, the target is that of Arjovsky, Shah and Bengio 2016.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from gradviz.arrays import Array
from gradviz.batch import Batch, Signature
from gradviz.options import check, option
from gradviz.tasks._base import Data, Task, held_out_generator

MARKED = "▲"


@dataclass(frozen=True)
class Adding(Task):
    """Each step has a value from U(0, 1) and a mark, 1 at two steps and 0 elsewhere. Asked at the end: the sum of the two marked values.

    The first mark lies in the first tenth, the second after it in the first half, so both must be kept over half the sequence.
    """

    length: int = option(150, "time steps of a sequence", low=10)

    def __post_init__(self) -> None:
        check(self)

    def open(self, seed: int = 0) -> Data:
        return AddingData(self.length, seed)


class AddingData(Data):
    """Fresh sequences without end. Always to answer 1 scores the variance of the sum of two uniform values, 1/6."""

    signature = Signature(inputs=2, outputs=1, tokens=False, loss="squared", at="last")

    def __init__(self, length: int, seed: int) -> None:
        self.length, self.seed = length, seed
        self.lag = length - length // 2
        self.baselines = {"constant": 1 / 6}
        self.facts: dict[str, Any] = {}

    def batch(self, size: int, rng: np.random.Generator) -> Batch:
        rows, tenth, half = np.arange(size), self.length // 10, self.length // 2
        values = rng.random((self.length, size))
        first, second = rng.integers(0, tenth, size), rng.integers(tenth, half, size)
        marks: Array = np.zeros_like(values)
        marks[first, rows] = marks[second, rows] = 1
        return Batch(np.stack([values, marks], axis=-1), (values[first, rows] + values[second, rows])[:, None])

    def held_out(self, size: int) -> Batch:
        return self.batch(size, held_out_generator(self.seed))

    def words(self, inputs: Any) -> list[str] | None:
        return [f"{value:.2f}{MARKED if mark else ''}" for value, mark in inputs]

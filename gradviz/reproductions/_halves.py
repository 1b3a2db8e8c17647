"""The adding problem as Arjovsky, Shah and Bengio 2016 pose it: one mark in each half."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from gradviz.arrays import Array
from gradviz.batch import Batch, Signature
from gradviz.options import check, option
from gradviz.tasks import Data, Task


@dataclass(frozen=True)
class Halves(Task):
    """Values from U(0, 1), one marked in each half of the sequence. Asked at the end: the sum of the two marked values."""

    length: int = option(100, "time steps of a sequence", low=2)

    def __post_init__(self) -> None:
        check(self)

    def open(self, seed: int = 0) -> Data:
        return HalvesData(self.length, seed)


class HalvesData(Data):
    """Fresh sequences without end."""

    signature = Signature(inputs=2, outputs=1, tokens=False, loss="squared", at="last")

    def __init__(self, length: int, seed: int) -> None:
        self.length, self.seed, self.lag = length, seed, None
        self.baselines = {"constant": 1 / 6}
        self.facts: dict[str, Any] = {}

    def batch(self, size: int, rng: np.random.Generator) -> Batch:
        rows, half = np.arange(size), self.length // 2
        values = rng.random((self.length, size))
        first, second = rng.integers(0, half, size), rng.integers(half, self.length, size)
        marks: Array = np.zeros_like(values)
        marks[first, rows] = marks[second, rows] = 1
        return Batch(np.stack([values, marks], axis=-1), (values[first, rows] + values[second, rows])[:, None])

    def held_out(self, size: int) -> Batch:
        return self.batch(size, np.random.default_rng([0xADD, self.seed]))

"""The first bit: what a sequence began with, asked for at its end, after noise that says nothing about it.

The latching problem of Bengio, Simard and Frasconi 1994 (section II) in its simplest form.
"""

from dataclasses import dataclass
from math import log
from typing import Any

import numpy as np

from gradviz.arrays import Array
from gradviz.batch import Batch, Signature
from gradviz.options import check, option
from gradviz.tasks._base import Data, Task, held_out_generator


@dataclass(frozen=True)
class FirstBit(Task):
    """The first value is ±1, all later ones are normal noise. Asked at the end: which of the two it was."""

    length: int = option(30, "time steps of a sequence", low=2)
    noise: float = option(0.5, "standard deviation of the values after the first", low=0.0, high=10.0)

    def __post_init__(self) -> None:
        check(self)

    def open(self, seed: int = 0) -> Data:
        return FirstBitData(self, seed)


class FirstBitData(Data):
    """Fresh sequences without end. Who knows nothing scores ln 2 = 0.693 nats."""

    signature = Signature(inputs=1, outputs=1, tokens=False, loss="logistic", at="last")

    def __init__(self, task: FirstBit, seed: int) -> None:
        self.task, self.seed = task, seed
        self.lag = task.length - 1
        self.baselines = {"coin": log(2)}
        self.facts: dict[str, Any] = {}

    def batch(self, size: int, rng: np.random.Generator) -> Batch:
        values: Array = self.task.noise * rng.standard_normal((self.task.length, size))
        bits = rng.integers(0, 2, size)
        values[0] = 2 * bits - 1
        return Batch(values[..., None], bits[:, None].astype(np.float64))

    def held_out(self, size: int) -> Batch:
        return self.batch(size, held_out_generator(self.seed))

    def words(self, inputs: Any) -> list[str] | None:
        return [f"{float(value[0]):.1f}".replace("-", "−") for value in inputs]

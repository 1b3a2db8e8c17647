"""Sine waves out of one number: a sequence from a single input, one-to-many."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradviz.arrays import Array
from gradviz.batch import Batch, Signature
from gradviz.options import check, option
from gradviz.shapes import one_to_many
from gradviz.tasks._base import Data, Task, held_out_generator

SLOWEST, FASTEST = 0.2, 0.8  # radians per step: periods of 31 and of 8 steps


@dataclass(frozen=True)
class Sine(Task):
    """The first step reads a frequency ω from U(0.2, 0.8), in radians per step; asked for at steps t = 1 … T_y is sin ωt. Later steps
    read the right answer to the step before. T_y is drawn from half of `length` to `length`."""

    length: int = option(40, "most time steps of a wave", low=4)

    def __post_init__(self) -> None:
        check(self)

    def open(self, seed: int = 0) -> Data:
        return SineData(self.length, seed)


class SineData(Data):
    """Fresh waves without end. Baselines: the expected squared error of a step if the answer is always 0, or the value just read. No lag
    is stated: the last few values tell the frequency as well as the first step does."""

    signature = Signature(inputs=2, outputs=1, tokens=False, loss="squared")
    lag = None

    def __init__(self, length: int, seed: int) -> None:
        self.length, self.seed = length, seed
        self.baselines = {"always 0": self._expected(_of_zero), "the value before": self._expected(_of_the_value_before)}
        self.facts: dict[str, Any] = {}

    def batch(self, size: int, rng: np.random.Generator) -> Batch:
        omega, lengths = rng.uniform(SLOWEST, FASTEST, size), rng.integers(self.length // 2, self.length + 1, size)
        waves = [np.sin(each * np.arange(1, steps + 1))[:, None] for each, steps in zip(omega, lengths, strict=True)]
        return one_to_many(omega[:, None], waves, steps=self.length)

    def held_out(self, size: int) -> Batch:
        return self.batch(size, held_out_generator(self.seed))

    def words(self, inputs: Any) -> list[str] | None:
        first, *later = inputs
        return [f"ω = {first[0]:.2f}", *(f"{value:.2f}" for _, value in later)]

    def _expected(self, error: Callable[[Array], Array]) -> float:
        """Mean over the steps that count; step t does in the waves with T_y ≥ t."""
        t, shortest = np.arange(1, self.length + 1), self.length // 2
        share = np.minimum(1.0, (self.length + 1 - t) / (self.length + 1 - shortest))
        return float(share @ error(t) / share.sum())


def _cosine(k: Array) -> Array:
    """E cos kω over the frequencies."""
    return np.asarray((np.sin(k * FASTEST) - np.sin(k * SLOWEST)) / (np.maximum(k, 1) * (FASTEST - SLOWEST)) + (k == 0))


def _of_zero(t: Array) -> Array:
    """E sin² ωt = (1 - E cos 2ωt) / 2."""
    return np.asarray((1 - _cosine(2 * t)) / 2)


def _of_the_value_before(t: Array) -> Array:
    """E (sin ωt - sin ω(t-1))², squares as above, and 2 sin ωt sin ω(t-1) = cos ω - cos ω(2t-1)."""
    return np.asarray(_of_zero(t) + _of_zero(t - 1) - _cosine(np.ones(1)) + _cosine(2 * t - 1))

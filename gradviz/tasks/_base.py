"""What a task is: options that open into data. The data deals out batches and knows what ignorance scores."""

from abc import ABC, abstractmethod
from typing import Any

import numpy as np

from gradviz.batch import Batch, Signature


class Data(ABC):
    """An opened task.

    Attributes: signature; baselines, losses in nats (or squared error) that need no network, by name, e.g. {"letter pairs": 3.57};
    facts, what a run stores about the data (JSON values: a text's SHA-256, its vocabulary …);
    lag, the fewest steps back that the task makes a network remember, or None if it states none;
    digest, the SHA-256 of what is read, empty if everything is made from a seed.
    """

    signature: Signature
    baselines: dict[str, float]
    facts: dict[str, Any]
    lag: int | None
    digest: str = ""

    @abstractmethod
    def batch(self, size: int, rng: np.random.Generator) -> Batch:
        """Fresh training sequences."""

    @abstractmethod
    def held_out(self, size: int) -> Batch:
        """Sequences never trained on, the same at every call."""

    def test(self, size: int) -> Batch | None:
        """Sequences that neither training nor any choice made in it has seen, the same at every call; None if there are none."""
        return None

    def position(self) -> dict[str, int]:
        """Where a reader that goes on from batch to batch stands; empty if every batch is drawn anew."""
        return {}

    def restore(self, position: dict[str, int]) -> None:
        """Go on from a `position`."""
        return

    def words(self, inputs: Any) -> list[str] | None:
        """What each step of one example's inputs (time,) or (time, feature) is called in pictures; None if it has no names."""
        return None

    def decoder_words(self, inputs: Any) -> list[str] | None:
        """The same for what the decoder of an encoder–decoder network reads."""
        return None


class Task(ABC):
    """Base of all tasks. A task is a frozen dataclass of options (`length`: time steps of a sequence)."""

    length: int

    @property
    def continues(self) -> bool:
        """Whether each row of a batch goes on where the same row of the last batch ended, so that states can be carried over."""
        return False

    @abstractmethod
    def open(self, seed: int = 0) -> Data:
        """Read or prepare the data; `seed` makes the held-out sequences."""


def held_out_generator(seed: int) -> np.random.Generator:
    """For tasks that make their sequences: a stream of its own, so that a training stream of the same seed does not repeat it."""
    return np.random.default_rng([seed, 0x48454C44])

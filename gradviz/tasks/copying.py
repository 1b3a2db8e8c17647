"""The copying problem (Arjovsky, Shah and Bengio 2016, section 4.1)."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from gradviz.batch import Batch, Signature
from gradviz.options import check, option
from gradviz.tasks._base import Data, Task, held_out_generator

SYMBOLS, COPIED = 8, 10
BLANK, DELIMITER = 0, 9  # symbols are 1 … 8


@dataclass(frozen=True)
class Copying(Task):
    """Ten symbols, then blanks, a delimiter, and ten steps in which to repeat the symbols. Everywhere else the answer is blank.

    The paper's T is length - 20: T - 1 blanks and the delimiter lie between the symbols and their repetition.
    """

    length: int = option(120, "time steps of a sequence; 20 of them are the symbols and their repetition", low=21)

    def __post_init__(self) -> None:
        check(self)

    def open(self, seed: int = 0) -> Data:
        return CopyingData(self.length, seed)


class CopyingData(Data):
    """Fresh sequences without end. Without memory: sure of every blank, guessing each of ten symbols among eight."""

    signature = Signature(inputs=SYMBOLS + 2, outputs=SYMBOLS + 1, tokens=True, loss="softmax")

    def __init__(self, length: int, seed: int) -> None:
        self.length, self.seed = length, seed
        self.lag = length - COPIED
        self.baselines = {"without memory": COPIED * float(np.log(SYMBOLS)) / length}
        self.facts: dict[str, Any] = {}

    def batch(self, size: int, rng: np.random.Generator) -> Batch:
        symbols = rng.integers(1, SYMBOLS + 1, (COPIED, size))
        inputs, targets = np.full((2, self.length, size), BLANK)
        inputs[:COPIED] = targets[-COPIED:] = symbols
        inputs[-COPIED - 1] = DELIMITER
        return Batch(inputs, targets)

    def held_out(self, size: int) -> Batch:
        return self.batch(size, held_out_generator(self.seed))

    def words(self, inputs: Any) -> list[str] | None:
        return ["·" if token == BLANK else "|" if token == DELIMITER else str(token) for token in inputs]

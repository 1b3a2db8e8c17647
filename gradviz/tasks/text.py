"""Language modelling: at each character, predict the next one."""

import platform
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradviz.arrays import Integers
from gradviz.batch import Batch, Signature
from gradviz.errors import GradvizError
from gradviz.options import check, option
from gradviz.tasks._base import Data, Task
from gradviz.text.baselines import letter_frequencies, letter_pairs
from gradviz.text.corpus import Corpus, built_in, read
from gradviz.text.tokenizer import Characters


@dataclass(frozen=True)
class Text(Task):
    """Characters of a text, one-hot; the target of each is its successor. The last share of the text is held out."""

    length: int = option(100, "characters in a sequence", low=1)
    file: str = option("", "path of a UTF-8 text; empty takes the help texts that come with Python")
    held_out: float = option(0.05, "share of the text, at its end, that is never trained on", low=0.0, high=0.9)
    order: str = option(
        "random",
        "where sequences begin: anywhere, or contiguous, where each row of a batch continues its row of the last one",
        choices=("random", "contiguous"),
    )

    def __post_init__(self) -> None:
        check(self)

    @property
    def continues(self) -> bool:
        return self.order == "contiguous"

    def open(self, seed: int = 0) -> Data:
        return TextData(self, read(self.file) if self.file else built_in())


class TextData(Data):
    """A text, encoded and divided. Held-out sequences are spread evenly over their part, whatever the seed."""

    lag = None

    def __init__(self, task: Text, corpus: Corpus) -> None:
        self.task = task
        self.tokenizer = Characters.of(corpus.text)
        ids, tokens = self.tokenizer.encode(corpus.text), len(self.tokenizer)
        cut = len(ids) - round(task.held_out * len(ids))
        self.train, self.kept = ids[:cut], ids[cut:]
        for part, there in (("training", self.train), ("held-out", self.kept)):
            if len(there) <= task.length:
                raise GradvizError(
                    f"the {part} part of the text ({corpus.source}) has {len(there)} characters; a sequence of {task.length} and its "
                    f"last target need {task.length + 1}. Use a longer text, a smaller length, or another held_out."
                )
        self.signature = Signature(inputs=tokens, outputs=tokens, tokens=True, loss="softmax")
        self.baselines = {
            "letter frequencies": letter_frequencies(self.train, self.kept, tokens),
            "letter pairs": letter_pairs(self.train, self.kept, tokens),
        }
        self.facts = {
            "source": corpus.source,
            "python": platform.python_version(),
            "sha256": corpus.sha256,
            "characters": len(corpus.text),
            "vocabulary": "".join(self.tokenizer.vocabulary),
        }
        self.digest = corpus.sha256
        self._next, self._rows = 0, 0

    def position(self) -> dict[str, int]:
        return {"next": self._next, "rows": self._rows}

    def restore(self, position: dict[str, int]) -> None:
        self._next, self._rows = position["next"], position["rows"]

    def batch(self, size: int, rng: np.random.Generator) -> Batch:
        if self.task.order == "contiguous":
            return self._windows(self.train, self._continued(size))
        return self._windows(self.train, rng.integers(0, len(self.train) - self.task.length, size))

    def held_out(self, size: int) -> Batch:
        starts = np.linspace(0, len(self.kept) - self.task.length - 1, size).astype(int)
        return self._windows(self.kept, self._prose_first(starts))

    def _prose_first(self, starts: Integers) -> Integers:
        """The same windows, those with most letters first: a run keeps whole arrays of the first ones, and they should be worth reading."""
        letters = np.array([character.isalpha() for character in self.tokenizer.vocabulary])
        share = letters[self.kept[np.arange(self.task.length)[:, None] + starts]].mean(axis=0)
        return starts[np.argsort(-share, kind="stable")]

    def words(self, inputs: Any) -> list[str] | None:
        return self.tokenizer.visible(inputs)

    def _windows(self, ids: Integers, starts: Integers) -> Batch:
        windows = ids[np.arange(self.task.length + 1)[:, None] + starts]
        return Batch(windows[:-1], windows[1:])

    def _continued(self, size: int) -> Integers:
        """Row b reads the b-th of `size` equal parts of the training text, from its beginning; at its end it begins again."""
        part = len(self.train) // size
        if part <= self.task.length:
            raise GradvizError(
                f"in contiguous order each of {size} rows gets {part} characters of the training text, fewer than the "
                f"{self.task.length + 1} of one sequence; use a smaller batch, a smaller length or a longer text."
            )
        if size != self._rows or self._next + self.task.length >= part:
            self._rows, self._next = size, 0
        starts = np.arange(size) * part + self._next
        self._next += self.task.length
        return starts

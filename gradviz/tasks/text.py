"""Language modelling: from the tokens so far, predict the next one."""

import platform
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradviz.batch import Batch, Signature
from gradviz.errors import GradvizError
from gradviz.options import check, option
from gradviz.tasks._base import Data, Task
from gradviz.text import progress
from gradviz.text.baselines import frequencies, pairs, trigrams
from gradviz.text.corpus import at, built_in
from gradviz.text.encoding import Limits, encode
from gradviz.text.parts import divide
from gradviz.text.vocabulary import LEVELS, Rules
from gradviz.text.windows import Contiguous, Reader, Sentences, Windows

ENDS = {"character": "none", "word": "sentence"}  # of sentences, if it is left to the level
READERS: dict[str, type[Reader]] = {"random": Windows, "contiguous": Contiguous, "sentences": Sentences}


@dataclass(frozen=True)
class Text(Task):
    """Characters or words. The first input of a sequence is no token, each other one the target before: x⟨1⟩ = 0, x⟨t⟩ = y⟨t−1⟩."""

    length: int = option(100, "tokens in a sequence; of a sentence, the most that are read", low=1)
    file: str = option("", "path of a UTF-8 text, or of a folder of such; empty takes the help texts that come with Python")
    level: str = option("character", "what a token is", choices=LEVELS)
    vocabulary: int = option(0, "most tokens in the vocabulary, the most frequent ones, others are UNK; 0 takes all", low=0)
    minimum: int = option(1, "how often a token must occur in the training text to be in the vocabulary", low=1)
    ends: str = option(
        "auto",
        "where a sentence ends, with the token EOS; auto is none for characters, sentence for words",
        choices=("auto", "none", "line", "sentence"),
    )
    lower: bool = option(False, "read capitals as small letters")
    held_out: float = option(0.05, "share of the text, at its end, that is never trained on", low=0.0, high=0.9)
    test: float = option(0.05, "share of the text before that, for a last test after training", low=0.0, high=0.9)
    order: str = option(
        "random",
        "what a sequence is: a piece from anywhere; contiguous, where each row of a batch continues its row of the last one; or a sentence",
        choices=tuple(READERS),
    )

    def __post_init__(self) -> None:
        check(self)
        if self.held_out + self.test > 0.9:
            raise GradvizError(
                f"held_out {self.held_out:g} and test {self.test:g} leave less than a tenth of the text to learn from; use smaller shares."
            )
        if self.order == "sentences" and self.rules.ends == "none":
            raise GradvizError("order sentences needs sentences that end; use ends line or ends sentence.")

    @property
    def continues(self) -> bool:
        return self.order == "contiguous"

    @property
    def rules(self) -> Rules:
        return Rules(self.level, ENDS[self.level] if self.ends == "auto" else self.ends, self.lower)

    def open(self, seed: int = 0) -> Data:
        return TextData(self)


class TextData(Data):
    """A text, encoded and divided. Held-out sequences are spread evenly over their part, whatever the seed."""

    lag = None

    def __init__(self, task: Text) -> None:
        watch, corpus = progress.watch(), at(task.file) if task.file else built_in()
        parts = divide(corpus, task.test, task.held_out, watch, words=task.rules != Rules())
        encoded = encode(parts, task.rules, Limits(task.vocabulary, task.minimum), watch)
        self.task, self.vocabulary, self.ids = task, encoded.vocabulary, encoded.ids
        self.readers = {name: self._reader(name, corpus.source) for name in self.ids if name != "test" or task.test}
        tokens = len(self.vocabulary)
        self.signature = Signature(inputs=tokens, outputs=tokens, tokens=True, loss="softmax")
        train, held_out = self.ids["training"], self.ids["validation"]
        kind = "letter" if task.level == "character" else "word"
        counted = {f"{kind} frequencies": frequencies, f"{kind} pairs": pairs}
        self.baselines = {name: count(train, held_out, tokens) for name, count in counted.items()}
        self.digest = parts.sha256
        self.facts = {
            "source": corpus.source,
            "python": platform.python_version(),
            "sha256": parts.sha256,
            "characters": parts.characters,
            "tokens": sum(map(len, self.ids.values())),
            "splits": {name: len(ids) for name, ids in self.ids.items()},
            "trigrams": trigrams(train, held_out, tokens),  # nats a token: no ignorance, but what a good network leaves behind
            "unknown": float(np.mean(held_out == self.vocabulary.unk)),
            **self.vocabulary.to_facts(),
        }

    def _reader(self, part: str, source: str) -> Reader:
        kind, ids = READERS[self.task.order], self.ids[part]
        if len(ids) < kind.fewest(self.task.length):
            raise GradvizError(
                f"the {'held-out' if part == 'validation' else part} part of the text ({source}) has {len(ids)} tokens; a sequence of "
                f"{self.task.length} needs as many. Use a longer text, a smaller length, or another held_out or test."
            )
        return kind(ids, self.task.length, self.vocabulary.eos)

    def batch(self, size: int, rng: np.random.Generator) -> Batch:
        return self.readers["training"].batch(size, rng)

    def held_out(self, size: int) -> Batch:
        return self._prose_first(self.readers["validation"].spread(size))

    def test(self, size: int) -> Batch | None:
        return self.readers["test"].spread(size) if "test" in self.readers else None

    def _prose_first(self, batch: Batch) -> Batch:
        """The same sequences, those with most letters first: a run keeps whole arrays of the first ones, which should be worth reading."""
        letters = np.array([*(token[0].isalpha() for token in self.vocabulary.tokens), False])  # NOTHING picks the last
        share = np.where(batch.mask, letters[batch.inputs], False).mean(axis=0)
        order = np.argsort(-share, kind="stable")
        lengths = None if batch.lengths is None else np.asarray(batch.lengths)[order]
        return Batch(batch.inputs[:, order], batch.targets[:, order], lengths)

    def words(self, inputs: Any) -> list[str] | None:
        return self.vocabulary.visible(inputs)

    def position(self) -> dict[str, int]:
        return self.readers["training"].position()

    def restore(self, position: dict[str, int]) -> None:
        self.readers["training"].restore(position)

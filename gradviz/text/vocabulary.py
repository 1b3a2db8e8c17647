"""A vocabulary: the tokens of a text, which are its characters or its words, and their ids.

UNK, id 0, stands for whatever is not in the vocabulary. EOS, id 1 where sentences have ends, ends a sentence (see `sentences`). Both are
known by their ids: a text that spells them out does not contain them.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import repeat
from typing import Any

import numpy as np

from gradviz.arrays import Integers
from gradviz.batch import NOTHING
from gradviz.errors import GradvizError
from gradviz.options import check, option
from gradviz.text.sentences import ENDS, MARK, marked
from gradviz.text.tokenizer import code_points, visible

LEVELS = ("character", "word")
UNK, EOS = "<UNK>", "<EOS>"
EMPTY = "∅"  # what stands where there is no token
# Letters and digits, with apostrophes and hyphens inside; anything else that is not white space by itself.
WORDS = re.compile(rf"{MARK}|[^\W_]+(?:['’-][^\W_]+)*|\S")
NO_SPACE_BEFORE, NO_SPACE_AFTER = set(".,;:!?…)]}”’»%"), set("([{“‘«$")


@dataclass(frozen=True)
class Rules:
    """How a text falls into tokens. lower: capitals become small letters, at the level of words."""

    level: str = option("character", "what a token is", choices=LEVELS)
    ends: str = option("none", "where a sentence ends", choices=ENDS)
    lower: bool = option(False, "small letters only")

    def __post_init__(self) -> None:
        check(self)

    def tokens(self, text: str) -> list[str] | str:
        """The tokens of a text, ends of sentences marked; a string is the list of its characters."""
        text = text.replace(MARK, "\ufffd")
        text = marked(text.lower() if self.lower else text, self.ends)
        return WORDS.findall(text) if self.level == "word" else text


@dataclass(frozen=True)
class Vocabulary:
    """tokens: by id, UNK first, then EOS if sentences have ends, then the others."""

    level: str
    tokens: tuple[str, ...]
    ends: str
    lower: bool = False

    @classmethod
    def of(cls, counts: Counter[str], rules: Rules, size: int = 0, minimum: int = 1) -> "Vocabulary":
        """The tokens that occur at least `minimum` times, of these the `size` most frequent (0: all), of equally frequent ones the first in
        the order of code points. Characters are numbered in that order, words from the most frequent one on."""
        ranked = sorted(((-count, token) for token, count in counts.items() if token != MARK and count >= minimum))
        kept = [token for _, token in ranked[: size or None]]
        special = [UNK] if rules.ends == "none" else [UNK, EOS]
        return cls(rules.level, (*special, *(sorted(kept) if rules.level == "character" else kept)), rules.ends, rules.lower)

    def __len__(self) -> int:
        return len(self.tokens)

    @property
    def unk(self) -> int:
        return 0

    @property
    def eos(self) -> int | None:
        return None if self.ends == "none" else 1

    @property
    def rules(self) -> Rules:
        return Rules(self.level, self.ends, self.lower)

    # ------------------------------------------------------------------ from text to ids

    def encode(self, text: str, *, final: bool = True) -> Integers:
        """(n,) token ids. final: the end of the text ends a sentence, as it does unless the text is to be continued."""
        ids = self.encode_piece(text)
        if final and self.eos is not None and len(ids) and ids[-1] != self.eos:
            ids = np.append(ids, self.eos)
        return ids

    def encode_piece(self, text: str) -> Integers:
        """The ids of a piece that goes on (cut as `sentences.whole` cuts)."""
        tokens = self.rules.tokens(text)
        if isinstance(tokens, str):
            points = code_points(tokens)
            found: Integers = self._by_point[np.minimum(points, len(self._by_point) - 1)]
            return found
        return np.fromiter(map(self._ids.get, tokens, repeat(self.unk)), np.int64, len(tokens))

    @cached_property
    def _ids(self) -> dict[str, int]:
        special = 1 if self.eos is None else 2
        ids = {token: special + k for k, token in enumerate(self.tokens[special:])}
        return ids if self.eos is None else {**ids, MARK: self.eos}

    @cached_property
    def _by_point(self) -> Integers:
        """The id of every code point up to one beyond the last known."""
        table = np.zeros(max(map(ord, self._ids), default=0) + 2, np.int64)
        for token, number in self._ids.items():
            table[ord(token)] = number
        return table

    def unknown(self, text: str) -> list[str]:
        """The distinct tokens of a text that are not known, in the order in which they come."""
        return [token for token in dict.fromkeys(self.rules.tokens(text)) if token not in self._ids]

    # ------------------------------------------------------------------ from ids to text

    def decode(self, ids: Iterable[int], *, specials: bool = True) -> str:
        """Readable text. specials: UNK and EOS are spelled out; without, UNK is left out and EOS is a line break or a space."""
        words = list(self._spelled(ids, specials))
        if self.level == "character":
            return "".join(words)
        parts: list[str] = []
        for before, word in zip(["", *words], words, strict=False):
            tight = not before or before.isspace() or word.isspace() or word in NO_SPACE_BEFORE or before in NO_SPACE_AFTER
            parts.append(word if tight else f" {word}")
        return "".join(parts)

    def _spelled(self, ids: Iterable[int], specials: bool) -> Iterator[str]:
        for number in ids:
            if number == self.eos and not specials:
                yield "\n" if self.ends == "line" or self.level == "word" else " "
            elif number != NOTHING and (specials or number != self.unk):
                yield self.tokens[number]

    def visible(self, ids: Iterable[int]) -> list[str]:
        """A label for every token: itself, a sign for blanks, the code point of what does not print."""
        return [EMPTY if number == NOTHING else self._labels[number] for number in ids]

    @cached_property
    def _labels(self) -> list[str]:
        return [token if self.level == "word" or len(token) > 1 else visible(token) for token in self.tokens]

    # ------------------------------------------------------------------ in a run

    def to_facts(self) -> dict[str, Any]:
        """What a run stores: plain values, for JSON."""
        return {"level": self.level, "ends": self.ends, "lower": self.lower, "vocabulary": list(self.tokens)}

    @classmethod
    def from_facts(cls, facts: dict[str, Any]) -> "Vocabulary":
        """The vocabulary that a run stored."""
        tokens, level, ends = (facts.get(name) for name in ("vocabulary", "level", "ends"))
        if not (isinstance(tokens, list) and tokens[:1] == [UNK] and all(isinstance(token, str) for token in tokens)):
            raise GradvizError("this run stores no vocabulary: it did not learn a text, or an older gradviz recorded it; train it again.")
        rules = Rules(str(level), str(ends), bool(facts.get("lower", False)))
        special = 1 if rules.ends == "none" else 2
        if rules.level == "character" and (strange := [token for token in tokens[special:] if len(token) != 1]):
            raise GradvizError(f"this run's vocabulary of characters holds {strange[0]!r}, which is none; train it again.")
        return cls(rules.level, tuple(tokens), rules.ends, rules.lower)

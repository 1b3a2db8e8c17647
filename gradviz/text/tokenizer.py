"""From text to token ids and back, character by character."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from gradviz.arrays import Integers
from gradviz.errors import GradvizError

VISIBLE = {" ": "␣", "\n": "↵", "\t": "⇥"}


@dataclass(frozen=True)
class Characters:
    """Each character is a token; its id is its place in `vocabulary`, which is sorted."""

    vocabulary: tuple[str, ...]

    @classmethod
    def of(cls, text: str) -> "Characters":
        return cls(tuple(sorted(set(text))))

    def __len__(self) -> int:
        return len(self.vocabulary)

    def encode(self, text: str) -> Integers:
        """(len(text),) token ids. A character that is not in the vocabulary is an error that names it."""
        known = code_points("".join(self.vocabulary))
        points = code_points(text)
        ids = np.searchsorted(known, points).clip(max=len(known) - 1)
        strange = np.flatnonzero(known[ids] != points)
        if len(strange):
            at = int(strange[0])
            raise GradvizError(f"the character {text[at]!r} at position {at} is not among the {len(self)} of the text that was learned.")
        return ids

    def decode(self, ids: Iterable[int]) -> str:
        return "".join(self.vocabulary[token] for token in ids)

    def visible(self, ids: Iterable[int]) -> list[str]:
        """A label for every token: the character itself, a sign for blanks, the code point of what does not print."""
        return [visible(self.vocabulary[token]) for token in ids]


def code_points(text: str) -> Integers:
    """(len(text),) one number a character; the half surrogates that mark sentences included."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)


def visible(character: str) -> str:
    """The character itself, a sign for a blank, or the code point of what does not print."""
    return VISIBLE.get(character) or (character if character.isprintable() else f"U+{ord(character):04X}")

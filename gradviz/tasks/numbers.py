"""Numbers into words: an encoder reads digits, a decoder spells their name. A translation whose two lengths differ, in the manner of
Sutskever, Vinyals and Le 2014 and Cho et al. 2014."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from gradviz.arrays import Array, Integers
from gradviz.batch import Batch, Signature
from gradviz.options import check, option
from gradviz.shapes import encoder_decoder
from gradviz.tasks._base import Data, Task, held_out_generator
from gradviz.text.tokenizer import Characters

ONES = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen", "fourteen",
    "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)  # fmt: skip
TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
END = "∎"  # ends a name; the decoder reads it at its first step
LETTERS = Characters.of(" -hundred thousand" + "".join(ONES + TENS) + END)
SEVENTH = 3  # numbers from 100 on that leave this when divided by 7 are held out; every word occurs in others


@dataclass(frozen=True)
class Numbers(Task):
    """A number of 1 to `length` digits, a token each; then its English name, a letter at a time, and an end sign: 42, forty-two.

    Both lengths differ from example to example. How many digits a number has is drawn first, each count as often.
    """

    length: int = option(3, "most digits of a number", low=3, high=5)

    def __post_init__(self) -> None:
        check(self)

    def open(self, seed: int = 0) -> Data:
        return NumbersData(self.length, seed)


class NumbersData(Data):
    """Baselines: the expected cross-entropy of a letter of a held-out name, guessed by how often it occurs in the names trained on, or
    follows the letter before it. No lag is stated: steps back are counted among digits or among letters, and one is asked for the other."""

    signature = Signature(10, len(LETTERS), tokens=True, loss="softmax", at="decoded", decoder=len(LETTERS))
    lag = None

    def __init__(self, length: int, seed: int) -> None:
        self.length, self.seed = length, seed
        groups = [np.arange(10**digits // 10 if digits > 1 else 0, 10**digits) for digits in range(1, length + 1)]
        self.trained = [group[~_apart(group)] for group in groups]
        self.kept = [group[_apart(group)] for group in groups[2:]]
        self.longest = max(len(name(number) + END) for number in np.concatenate(groups))
        trained, kept = _pairs(self.trained), _pairs(self.kept)
        self.baselines = {
            "letter frequencies": _cross_entropy(kept.sum(axis=0), trained.sum(axis=0)),
            "letter pairs": _cross_entropy(kept, trained / np.maximum(trained.sum(axis=1, keepdims=True), 1e-300)),
        }
        self.facts: dict[str, Any] = {"held_out": f"numbers from 100 on that leave {SEVENTH} when divided by 7"}

    def batch(self, size: int, rng: np.random.Generator) -> Batch:
        return self._drawn(self.trained, size, rng)

    def held_out(self, size: int) -> Batch:
        return self._drawn(self.kept, size, held_out_generator(self.seed))

    def _drawn(self, groups: list[Integers], size: int, rng: np.random.Generator) -> Batch:
        numbers = [rng.choice(groups[k]) for k in rng.integers(0, len(groups), size)]
        digits = [np.array([int(digit) for digit in str(number)]) for number in numbers]
        names = [LETTERS.encode(name(number) + END) for number in numbers]
        return encoder_decoder(digits, names, int(LETTERS.encode(END)[0]), steps=(self.length, self.longest))

    def words(self, inputs: Any) -> list[str] | None:
        return [str(digit) for digit in inputs]

    def decoder_words(self, inputs: Any) -> list[str] | None:
        return LETTERS.visible(inputs)


def name(number: int) -> str:
    """In English, below a million: 342 is "three hundred forty-two"."""
    if number < 20:
        return ONES[number]
    if number < 100:
        return TENS[number // 10 - 2] + (f"-{ONES[number % 10]}" if number % 10 else "")
    size, word = (100, "hundred") if number < 1000 else (1000, "thousand")
    return f"{name(number // size)} {word}" + (f" {name(number % size)}" if number % size else "")


def _apart(numbers: Integers) -> Array:
    return np.asarray((numbers >= 100) & (numbers % 7 == SEVENTH))


def _pairs(groups: list[Integers]) -> Array:
    """(token, token): how often the second follows the first, the end sign standing before every name; expected for a number whose
    group is drawn first, as a share of all letters."""
    count = len(LETTERS)
    expected: Array = np.zeros((count, count))
    for group in groups:
        tokens = LETTERS.encode("".join(name(number) + END for number in group))
        pairs = np.bincount(np.roll(tokens, 1) * count + tokens, minlength=count * count)
        expected += pairs.reshape(count, count) / len(group)
    return np.asarray(expected / expected.sum())


def _cross_entropy(shares: Array, guesses: Array) -> float:
    there = shares > 0
    return -float(shares[there] @ np.log(guesses[there]))

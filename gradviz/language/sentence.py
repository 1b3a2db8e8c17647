"""The probability of a sentence: P(y⟨1⟩, …, y⟨n⟩) = Π P(y⟨t⟩ | y⟨1⟩ … y⟨t−1⟩), factor by factor."""

from dataclasses import dataclass
from math import exp, log

import numpy as np

from gradviz.arrays import Array, Integers
from gradviz.bits import bits, perplexity
from gradviz.errors import GradvizError
from gradviz.language.model import LanguageModel, Source, log_softmax, model_of, passes

Alternatives = list[tuple[str, float]]


@dataclass(frozen=True)
class SentenceProbability:
    """tokens: a label each; log_factors: (n,) log P(token | those before it), in nats; alternatives: at each step the likeliest tokens with
    their probabilities, the likeliest first; characters: of the text; unknown: what of the text is not in the vocabulary and was read as
    UNK; includes_eos: whether the last factor is that of the sentence's end.
    """

    tokens: list[str]
    log_factors: Array
    alternatives: list[Alternatives]
    characters: int
    unknown: list[str]
    includes_eos: bool

    @property
    def log_probability(self) -> float:
        """In nats: the sum of the logarithms of all factors."""
        return float(self.log_factors.sum())

    @property
    def log10(self) -> float:
        """The probability as a power of ten; also where it is too small for a float."""
        return self.log_probability / log(10)

    @property
    def probability(self) -> float:
        """The product of all factors: 0 for a long text, whose `log10` still tells."""
        return exp(self.log_probability)

    @property
    def perplexity(self) -> float:
        """exp of the mean loss per token: among how many equally likely tokens one would have to guess as badly."""
        return perplexity(-self.log_probability / len(self.log_factors))

    @property
    def bits_per_character(self) -> float:
        """Bits that the text costs for each of its characters, at any level of tokens."""
        return bits(-self.log_probability) / self.characters

    def table(self) -> list[dict[str, object]]:
        """One row a token: step from 1, token, probability and log_probability of it, product of all probabilities so far and its log10,
        and the alternatives."""
        sums = np.cumsum(self.log_factors)
        return [
            {
                "step": t + 1, "token": token, "probability": exp(factor), "log_probability": float(factor),
                "product": exp(total), "log10_product": float(total) / log(10), "alternatives": self.alternatives[t],
            }
            for t, (token, factor, total) in enumerate(zip(self.tokens, self.log_factors, sums, strict=True))
        ]  # fmt: skip


def probability(run: Source, text: str, *, eos: bool = True, most: int = 5) -> SentenceProbability:
    """What the model makes of a text, which begins with nothing before it: x⟨1⟩ = 0, a⟨0⟩ = 0. So does each sentence of it, if the model
    learned sentences one by one (`--task.order sentences`): the probability of the text is the product of theirs.

    run: a run's folder, a loaded run or a `LanguageModel`. eos: the text's end ends its last sentence, if sentences end in this
    vocabulary, and counts as a token. most: alternatives to name at each step. A text without a token is a GradvizError.
    """
    model = model_of(run)
    if most < 0:
        raise GradvizError(f"most is {most}; of alternatives there are 0 or more.")
    ids = encoded(model, text, eos=eos)
    factors, alternatives = _factors(model, ids, most)
    vocabulary = model.vocabulary
    return SentenceProbability(
        vocabulary.visible(ids), factors, alternatives, len(text), vocabulary.unknown(text), bool(ids[-1] == vocabulary.eos)
    )


def encoded(model: LanguageModel, text: str, *, eos: bool = True) -> Integers:
    """(n,) the token ids of a text, at least one."""
    ids = model.vocabulary.encode(text, final=eos)
    if not len(ids):
        what = "is empty" if not text else "has no word in it" if model.vocabulary.level == "word" else "has no token in it"
        raise GradvizError(f"the text {what}; {model.name} needs at least one token to say something about.")
    return ids


def _factors(model: LanguageModel, ids: Integers, most: int) -> tuple[Array, list[Alternatives]]:
    factors, alternatives, start = np.empty(len(ids)), [], 0
    for run in passes(model.fresh(), model.before(ids)):
        logs = log_softmax(run.outputs[:, 0])
        steps = np.arange(len(logs))
        factors[start : start + len(logs)] = logs[steps, ids[start : start + len(logs)]]
        best = likeliest(logs, most)
        chances = np.exp(logs[steps[:, None], best])
        alternatives += [
            list(zip(model.vocabulary.visible(row), map(float, some), strict=True)) for row, some in zip(best, chances, strict=True)
        ]
        start += len(logs)
    return factors, alternatives


def likeliest(logs: Array, most: int) -> Integers:
    """(…, most) the most likely tokens in order; of equally likely ones the one with the lowest id."""
    order: Integers = np.argsort(-logs, axis=-1, kind="stable")[..., :most]
    return order

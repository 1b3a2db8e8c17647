"""What lesson 3 computes and draws: a sentence's probability, factor by factor, and how much all sentences of a length hold."""

from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import numpy as np
import pandas as pd

from gradviz.arrays import Array
from gradviz.charts import Description
from gradviz.charts._description import Axis, Bars, Line, Panel, Rule
from gradviz.errors import GradvizError
from gradviz.language import SentenceProbability, probability
from gradviz.lessons._play import Play, control
from gradviz.lessons._toy_language import PLAIN, WORDS, model, sentences
from gradviz.lessons._words import spelled
from gradviz.losses import softmax
from gradviz.wording import THIN

MOST = 5  # words of a sentence, EOS not counted
LONGEST = 8  # tokens of the sentences that are counted
OWN = "my own"
SENTENCES = (PLAIN, "sleep cats", "cats", "cats cats", "dogs sleep", OWN)
UNKNOWN = "other"  # any word that the toy does not know
DEEPEST = -8.0  # nats: the axis stands still while the sentence changes
LABELS = {"<UNK>": "UNK", "<EOS>": "EOS"}


def said(text: str, history: bool = True) -> SentenceProbability:
    """What the toy makes of a sentence."""
    return probability(model(history), text, most=len(WORDS))


def factors(text: str, history: bool = True) -> Array:
    """(token,) P(token | those before it), EOS the last."""
    return np.asarray(np.exp(said(text, history).log_factors))


def unknowing(words: int) -> float:
    """The first loss, in nats, of a model whose logits are all alike."""
    return float(softmax(np.zeros((1, 1, words)), np.zeros((1, 1), np.int64), np.ones((1, 1)))[0][0, 0])


@lru_cache(maxsize=1)
def masses() -> Array:
    """(length,) what all sentences of 1, 2 … tokens, EOS counted, hold of the probability."""
    return np.array([chances.sum() for _, chances in sentences(LONGEST)])


@dataclass(frozen=True)
class Sentence(Play):
    """ŷ⟨t⟩ at every word, and the running log P."""

    name: ClassVar[str] = "A sentence, word by word"
    alive: ClassVar[str] = "sentence"

    sentence: str = control(PLAIN, "Sentence", choices=SENTENCES)
    words: str = control("cats sleep cats sleep", "My own", help=f"at most {MOST} words; EOS is put at the end")
    history: bool = control(True, "State carries history", help="off: the recurrent weights are 0, and each step has read one word only")

    def draw(self) -> Description:
        it = said(self._text(), self.history)
        tokens = [LABELS.get(token, token) for token in it.tokens]
        shares = [np.array([dict(row)[name] for name in ("cats", "sleep", "<UNK>", "<EOS>")]) for row in it.alternatives]
        frame = pd.DataFrame({"step": np.arange(1, len(tokens) + 1), "token": tokens, **dict(zip(WORDS, np.array(shares).T, strict=True))})
        frame = frame.assign(probability=np.exp(it.log_factors), log_probability_so_far=np.cumsum(it.log_factors))
        panels = [_word(at, token, row) for at, (token, row) in enumerate(zip(tokens, shares, strict=True))]
        return Description(
            "sentence_of_words",
            f"“{' '.join(tokens)}” has the probability {spelled(it.probability)}: {spelled(-it.log_probability)} nats, perplexity "
            f"{spelled(it.perplexity)}{'' if self.history else ', without history'}",
            "Probability of each of the four tokens at every step, given those before it; the one that comes is coloured, its probability "
            "stands above. Last: natural log of the product so far, in nats.",
            "Change a word: bars after it change, bars before it never do, for they have not read it. The last line only falls: every "
            "factor is below 1.",
            frame,
            (*panels, _running(tokens, it)),
            columns=3,
            shape="multiples",
        )

    def _text(self) -> str:
        if self.sentence != OWN:
            return self.sentence
        words = self.words.split()
        words = words[:-1] if words and words[-1] in ("EOS", "<EOS>") else words
        if not 1 <= len(words) <= MOST:
            raise GradvizError(f"your sentence has {len(words)} words; give 1 to {MOST}, such as “{PLAIN}”. EOS is put at its end.")
        plain = ["".join(filter(str.isalnum, word)).lower() for word in words]
        return " ".join(word if word in WORDS else UNKNOWN for word in plain)


def _word(at: int, token: str, shares: Array) -> Panel:
    """The bars of one step; the token that comes in colour."""
    place = WORDS.index(token)
    chosen = np.arange(len(WORDS)) == place
    hover = tuple(f"{word}: {spelled(float(share))}" for word, share in zip(WORDS, shares, strict=True))
    marks = tuple(
        Bars(np.flatnonzero(some), shares[some], name, colour, hover=tuple(np.array(hover)[some]))
        for some, name, colour in ((~chosen, "other tokens", "ghost"), (chosen, "the one that comes", "accent"))
    )
    share = spelled(float(shares[place]))
    return Panel(marks, Axis(words=WORDS, limits=(-0.5, len(WORDS) - 0.5)), Axis(limits=(0.0, 1.0)), f"{at + 1} · {token}", note=share)


def _running(tokens: list[str], it: SentenceProbability) -> Panel:
    sums = np.cumsum(it.log_factors)
    lowest = min(DEEPEST, 1.05 * float(sums[-1]))
    line = Line(np.arange(len(tokens)), sums, "log P so far", "accent", marker="circle")
    across = Axis(words=tuple(tokens), limits=(-0.5, MOST + 0.5))
    return Panel((line,), across, Axis(limits=(lowest, 0.0)), "log P so far", note=f"{sums[-1]:.3f}".replace("-", "−"))


@dataclass(frozen=True)
class Lengths(Play):
    """The probability of all sentences of a length."""

    name: ClassVar[str] = "All sentences together"
    alive: ClassVar[str] = "most"

    most: int = control(3, "Tokens at most, EOS counted", (1, LONGEST, 1))

    def draw(self) -> Description:
        n, each = np.arange(1, LONGEST + 1), masses()
        so_far = np.cumsum(each)
        held = float(so_far[self.most - 1])
        counts = 3 ** (n - 1)
        hover = tuple(f"{count} of {at} tokens: {spelled(mass)}" for count, at, mass in zip(counts, n, each.tolist(), strict=True))
        inside = n <= self.most
        marks = [
            Bars(n[some], each[some], name, colour, hover=tuple(np.array(hover)[some]))
            for some, name, colour in ((inside, "counted", "accent"), (~inside, "longer", "ghost"))
            if some.any()
        ]
        line = Line(n, so_far, "all up to this length", "ink", marker="circle", label="sum so far")
        across = Axis("tokens of the sentence, EOS counted", limits=(0.5, LONGEST + 0.5), ticks=tuple((float(at), str(at)) for at in n))
        return Description(
            "sentences_by_length",
            f"{_counted(int(counts[inside].sum()), self.most)} {spelled(held)} of the probability, all longer ones {spelled(1 - held)}",
            "Bars: the probability of all sentences of one length together, every one of them computed. Line: of all up to this length.",
            "The line nears 1 and never passes it: every sentence, of any length, has its share of one whole, since each must end with "
            "EOS.",
            pd.DataFrame({"tokens": n, "sentences": counts, "probability": each, "so_far": so_far}),
            (
                Panel(
                    (*marks, line, Rule(1.0, dashed=True)),
                    across,
                    Axis(limits=(0.0, 1.1)),
                ),
            ),
            columns=1,
            shape="line",
        )


def _counted(sentences: int, tokens: int) -> str:
    if tokens == 1:
        return "The only sentence of 1 token, EOS alone, holds"
    return f"The {f'{sentences:,}'.replace(',', THIN)} sentences of up to {tokens} tokens hold"

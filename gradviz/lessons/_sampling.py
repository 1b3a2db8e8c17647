"""What lesson 4 computes and draws: one draw from the unit bar, and how often sentences are drawn."""

from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import numpy as np
import pandas as pd

from gradviz.arrays import Array
from gradviz.batch import NOTHING
from gradviz.charts import Description
from gradviz.charts._description import Axis, Band, Panel, Path, Points, Rule, log10
from gradviz.language.model import log_softmax
from gradviz.lessons._play import Play, control
from gradviz.lessons._toy_language import END, IDS, WORDS, Written, after, model, sentences, spoken
from gradviz.lessons._words import spelled
from gradviz.passes import States
from gradviz.wording import number

LIMIT = 20  # tokens of a sentence that does not end
LEAST = -3.0  # power of ten: the axis stands still while draws come in
SHOWN = 8  # sentences in the picture
DRAWS = ("10", "100", "1000", "10000")
HALF = 0.36  # of a row's height


def hit(shares: Array, u: float) -> int:
    """The segment that u falls into, when shares are laid end to end on [0, 1): what numpy's `choice` does with a draw of its own."""
    return min(int(np.searchsorted(np.cumsum(shares), u, side="right")), len(shares) - 1)


def draws(seed: int, count: int) -> Array:
    """(count,) uniform numbers, the needle of each word."""
    return np.random.default_rng(seed).random(count)


def spelled_out(needles: Array, temperature: float = 1.0) -> Written:
    """The sentence that these numbers draw, EOS included, unless they come to an end before."""
    written: Written = ()
    for u in needles.tolist():
        written = (*written, hit(after(written, temperature), u))
        if written[-1] == END:
            break
    return written


@lru_cache(maxsize=128)
def counted(count: int, temperature: float, seed: int) -> Counter[Written]:
    """How often each sentence comes, drawn one after the other from one generator."""
    rng, found, rest = np.random.default_rng(seed), Counter[Written](), np.zeros(0)
    while count:
        needles = np.concatenate([rest, rng.random(6 * count + LIMIT)])
        lines, at = _from_everywhere(needles, temperature), 0
        while count and at < len(lines):
            written = tuple(lines[at][lines[at] >= 0].tolist())
            found[written] += 1
            at, count = at + len(written), count - 1
        rest = needles[at:]
    return found


def _from_everywhere(needles: Array, temperature: float) -> Array:
    """(start, LIMIT) words of the sentence that would begin with each of the needles, −1 behind its end. Where one sentence begins is known
    only when the one before has ended; all possible ones side by side are still faster than one after the other."""
    starts = np.arange(len(needles) - LIMIT + 1)
    words = np.full((len(starts), LIMIT), -1)
    states: States | None = None
    network = model().fresh()
    for t in range(LIMIT):
        read = IDS[words[starts, t - 1]] if t else np.full(len(starts), NOTHING)
        run = network.forward(read[None], initial=states)
        edges = np.exp(log_softmax(run.outputs[-1] / temperature))[:, IDS].cumsum(axis=1)[:, :-1]
        words[starts, t] = (edges <= needles[starts + t][:, None]).sum(axis=1)
        going = words[starts, t] != END
        starts = starts[going]
        if not len(starts):
            break
        states = {name: tuple(state[going] for state in each) for name, each in run.final.items()}
    return words


@lru_cache(maxsize=64)
def likeliest(temperature: float) -> list[tuple[Written, float]]:
    """The SHOWN likeliest sentences of up to 5 tokens with their exact probabilities."""
    every = [
        ((*words, END), float(chance))
        for prefixes, chances in sentences(5, temperature)
        for words, chance in zip(prefixes.tolist(), chances, strict=True)
    ]
    return sorted(every, key=lambda item: -item[1])[:SHOWN]


@dataclass(frozen=True)
class Draw(Play):
    """The unit bar of one word, and the needle."""

    name: ClassVar[str] = "Draw a sentence"
    alive: ClassVar[str] = "temperature"

    temperature: float = control(1.0, "Temperature τ", (0.1, 3.0, 0.1))
    seed: int = control(0, "Seed", (0, 99, 1), help="another seed, another sentence")
    word: int = control(1, "Word that is drawn", (1, 6, 1), help="the next one reads what was drawn before it")

    def draw(self) -> Description:
        needles = draws(self.seed, self.word)
        written = spelled_out(needles, self.temperature)
        before, last = written[:-1], len(written)
        shares, u = after(before, self.temperature), float(needles[last - 1])
        high = np.cumsum(shares)
        low = high - shares
        frame = pd.DataFrame({"word": WORDS, "probability": shares, "from": low, "to": high, "drawn": np.arange(len(WORDS)) == written[-1]})
        behind = f" after “{spoken(before)}”" if before else ""
        over = f"; the sentence ended there, there is no word {self.word}" if last < self.word else ""
        chosen = written[-1]
        return Description(
            "unit_bar",
            f"u = {u:.4f} hits “{WORDS[chosen]}”{behind}: its share goes from {_edge(low[chosen])} to {_edge(high[chosen])}{over}",
            f"Probabilities of word {last}, laid end to end from 0 to 1, a row each; u, the upright line, is draw {last} of seed "
            f"{self.seed}. Temperature {number(self.temperature)}.",
            "Move τ: the shares move, the needle stays. A low τ widens the likeliest word’s share until every needle hits it; a high one "
            "makes all shares alike.",
            frame,
            (Panel((*_segments(low, high, chosen), Rule(u, "up")), Axis("", limits=(0.0, 1.0)), _rows(), f"“{spoken(written)}”"),),
            columns=1,
            shape="line",
        )


def _edge(value: float) -> str:
    """Where a share begins or ends: four places, but 0 and 1 as they are."""
    text = f"{value:.4f}"
    return {"0.0000": "0", "1.0000": "1"}.get(text, text)


def _rows() -> Axis:
    """A row a word, from the top down."""
    ticks = tuple((float(-at), word) for at, word in enumerate(WORDS))
    return Axis("", limits=(0.5 - len(WORDS), 0.5), ticks=ticks)


def _segments(low: Array, high: Array, chosen: int) -> tuple[Band | Path, ...]:
    """A box for the share of every word; the one that is hit is accented."""
    marks: list[Band | Path] = []
    for row, (left, right) in enumerate(zip(low.tolist(), high.tolist(), strict=True)):
        colour = "accent" if row == chosen else "ghost"
        top, bottom = np.full(2, -row + HALF), np.full(2, -row - HALF)
        marks.append(Band(np.array([left, right]), bottom, top, colour))
        around = np.array([left, right, right, left, left]), -row + HALF * np.array([1, 1, -1, -1, 1])
        marks.append(Path(*around, f"{WORDS[row]}, {spelled(right - left)}", colour, thin=row != chosen))
    return tuple(marks)


@dataclass(frozen=True)
class Frequencies(Play):
    """How often the likeliest sentences come, against their probabilities."""

    name: ClassVar[str] = "Many sentences"
    alive: ClassVar[str] = "temperature"

    draws: str = control("1000", "Sentences drawn", choices=DRAWS)
    temperature: float = control(1.0, "Temperature τ", (0.1, 3.0, 0.1))
    seed: int = control(0, "Seed", (0, 99, 1))

    def draw(self) -> Description:
        n, best = int(self.draws), likeliest(self.temperature)
        found = counted(n, self.temperature, self.seed)
        exact, often = np.array([chance for _, chance in best]), np.array([found[words] for words, _ in best])
        error = 2 * np.sqrt(exact * (1 - exact) / n)
        low = min(LEAST, float(np.floor(np.log10(exact.min()))))
        names = [spoken(words) for words, _ in best]
        frame = pd.DataFrame({"sentence": names, "probability": exact, "times": often, "frequency": often / n, "two_errors": error})
        ticks = tuple((float(-at), words) for at, words in enumerate(names))
        expected, spread = n * float(exact[0]), n * float(error[0]) / 2
        return Description(
            "sentence_frequencies",
            f"“{names[0]}” comes {often[0]:,} times in {n:,}; expected {spelled(expected)} ± {spelled(spread)}".replace(",", "\u202f"),
            f"Share of the sentences drawn, log scale: filled mark, at “zero” if it was never drawn. Open mark and line: the exact "
            f"probability, ± 2 standard errors. The {SHOWN} likeliest sentences at temperature {number(self.temperature)}.",
            "With many draws nearly all filled marks lie on their lines: about 1 in 20 does not, by chance. More draws shorten the lines. "
            "The likeliest sentence is not the only one, unless τ is small.",
            frame,
            (Panel(_marks(exact, often / n, error, low), _shares(low), Axis("", limits=(0.5 - SHOWN, 0.5), ticks=ticks)),),
            columns=1,
            shape="line",
        )


def _shares(low: float) -> Axis:
    return Axis("share of all sentences", "log", (low, 0.0))


def _marks(exact: Array, often: Array, error: Array, low: float) -> tuple[Path | Points, ...]:
    rows = -np.arange(len(exact), dtype=float)
    least = np.maximum(exact - error, 10.0**low)
    lines = [
        Path(log10([left, min(right, 1.0)]), np.full(2, row), "± 2 standard errors", "ghost")
        for left, right, row in zip(least.tolist(), (exact + error).tolist(), rows, strict=True)
        if right > left
    ]
    said = tuple(f"drawn {share:.4f}, exactly {chance:.4f}" for share, chance in zip(often, exact, strict=True))
    return (
        *lines,
        Points(log10(exact), rows, "exact", "ink", filled=False, hover=said),
        Points(log10(often), rows, "drawn", "accent", small=True, hover=said),
    )

"""The probability of a sentence, factor by factor: P(y₁ … y_T) = Π P(y_t | y_1 … y_{t-1})."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from gradviz.charts._base import Chart
from gradviz.charts._common import aside, colour, families, heading, left_out, nothing, rails, short, stack
from gradviz.charts._description import Axis, Bars, Description, Line, Panel
from gradviz.charts._speakers import Speaker, quoted, speakers
from gradviz.charts._words import sentence, spoken
from gradviz.charts.text_probability import bits, hovered
from gradviz.frames import Run
from gradviz.language import SentenceProbability, probability
from gradviz.options import check, option
from gradviz.wording import number, number_of_log

COLUMNS = ("run", "time", "word", "factor", "log_factor", "log_probability")
LN10 = np.log(10)
LOOK_FOR = (
    "Healthy is a staircase with long steps: a few tokens cost much, where a word begins, and the rest of the word is nearly free. "
    "Bars of one length throughout mean that the model guesses by frequency alone, and does not use what it has read."
)


@dataclass(frozen=True)
class Sentence(Chart):
    """text "": the words of the recorded sequence number `example`."""

    needs = ("probe",)
    network = True
    purpose = "the probability of a sentence, factor by factor"

    text: str = option("", "sentence; empty takes a recorded held-out sequence")
    example: int = option(0, "which of the recorded held-out sequences", low=0)

    def __post_init__(self) -> None:
        check(self)

    def describe(self, runs: Sequence[Run]) -> Description:
        found, missing = speakers(runs, self.text, self.example)
        if not found:
            return nothing("sentence", missing, COLUMNS, LOOK_FOR)
        said = {one.run.label: probability(one.model, one.text) for one in found}
        shown = [one.run for one in found]
        panels = [panel for one in found for panel in _panels(one, shown, said[one.run.label])]
        return Description(
            "sentence",
            _title(found, said),
            f"Bars: probability of each token given those before it; it hangs from 1, so that its length is what the token costs. "
            f"Line: the product so far. Log scale, of {quoted(found[0].text)}.{left_out(runs, shown)}",
            LOOK_FOR,
            stack([_frame(one, said[one.run.label]) for one in found], COLUMNS),
            tuple(panels),
            columns=1,
            shape="strip",
            key=tuple(rails([one.log_factors for one in said.values()])),
            source="Shannon 1951; Bengio et al. 2003, equation 1",
        )


def _frame(one: Speaker, said: SentenceProbability) -> pd.DataFrame:
    factors = np.asarray(said.log_factors)
    columns = {"run": one.run.label, "time": np.arange(len(factors)), "word": said.tokens, "factor": np.exp(factors)}
    return pd.DataFrame({**columns, "log_factor": factors, "log_probability": np.cumsum(factors)}, columns=list(COLUMNS))


def _panels(one: Speaker, runs: Sequence[Run], said: SentenceProbability) -> tuple[Panel, Panel]:
    """The factors, and below them their product so far."""
    group = next(group for _, group in families(runs) if one.run in group)
    name = f"{heading(one.run)} {short(one.run, group)}".strip()
    places, words = np.arange(len(said.tokens)), Axis(words=tuple(said.tokens))
    factors = np.asarray(said.log_factors) / LN10
    total = np.cumsum(factors)
    hover = tuple(hovered(said, at) for at in range(len(places)))
    bars = Bars(places, factors, f"{one.run.label}, factor", colour(one.run), hover=hover)
    line = Line(places, total, f"{one.run.label}, product", colour(one.run))
    along = Axis("token", limits=(-0.5, len(places) - 0.5))
    end = f"product {number_of_log(float(total[-1]))}, {number(bits(said))} bits per token"
    return (
        Panel((bars,), words, Axis("factor", "log", _limits(factors)), name, colour(one.run), aside(one.run, runs)),
        Panel((line,), along, Axis("product so far", "log", _limits(total)), "", colour(one.run), end),
    )


def _limits(values: np.ndarray) -> tuple[float, float]:
    """From 1 downwards, at least a factor of 10."""
    finite = values[np.isfinite(values)]
    return float(min(-1.0, np.floor(2 * finite.min()) / 2)) if len(finite) else -1.0, 0.0


def _title(found: Sequence[Speaker], said: dict[str, SentenceProbability]) -> str:
    runs = [one.run for one in found]
    parts = [f"{number_of_log(said[one.run.label].log_probability / LN10)} in {spoken([one.run], runs)}" for one in found]
    text = quoted(found[0].text)
    plain = f"The probability of {text} in {len(found)} runs"
    several = len({one.text for one in found}) > 1
    return sentence(plain if several else f"the probability of {text} is {', '.join(parts)}", plain)

"""A text coloured by how likely the model thought each token, before it read it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from gradviz.charts._base import Chart
from gradviz.charts._common import held, left_out, nothing, specials, stack
from gradviz.charts._description import Description, Panel
from gradviz.charts._passage import Colours, panel, passage, spaced
from gradviz.charts._speakers import Speaker, speakers
from gradviz.charts._words import sentence, spoken
from gradviz.frames import Run
from gradviz.language import SentenceProbability, probability
from gradviz.options import check, option
from gradviz.wording import listed, number, percent

COLUMNS = ("run", "time", "word", "probability", "log_probability", "likeliest", "likeliest_probability")
NATS_PER_BIT = np.log(2)
LOOK_FOR = (
    "Healthy is a text that grows brighter inside words, where the rest can be guessed, and dark only where something new begins. "
    "Dark throughout is a model that has not learned this text, or has learned another one."
)


@dataclass(frozen=True)
class TextProbability(Chart):
    """text "": the words of the recorded sequence number `example`."""

    needs = ("probe",)
    network = True
    purpose = "a text coloured by the probability the model gave each token"

    text: str = option("", "text to read; empty takes a recorded held-out sequence")
    example: int = option(0, "which of the recorded held-out sequences", low=0)

    def __post_init__(self) -> None:
        check(self)

    def describe(self, runs: Sequence[Run]) -> Description:
        found, missing = speakers(runs, self.text, self.example)
        if not found:
            return nothing("text_probability", missing, COLUMNS, LOOK_FOR)
        said = {one.run.label: probability(one.model, one.text) for one in found}
        shown = [one.run for one in found]
        return Description(
            "text_probability",
            _title(found, said),
            f"Each token has the colour of the probability that the model gave it after those before it, from 0 (dark) to 1 (bright), "
            f"in {'a text of your own' if self.text else f'{held(shown)} sequence {self.example}'}. The mean is geometric."
            f"{left_out(runs, shown)}",
            LOOK_FOR,
            stack([_frame(one, said[one.run.label]) for one in found], COLUMNS),
            tuple(_panel(one, shown, said[one.run.label]) for one in found),
            columns=1,
            shape="text",
            key=tuple(specials([np.exp(one.log_factors) for one in said.values()], log=False)),
            source="Karpathy, Johnson and Li 2016; Shannon 1951",
        )


def _frame(one: Speaker, said: SentenceProbability) -> pd.DataFrame:
    best = [choices[0] if choices else ("", np.nan) for choices in said.alternatives]
    columns = {"run": one.run.label, "time": np.arange(len(said.tokens)), "word": said.tokens, "probability": np.exp(said.log_factors)}
    likeliest = {"likeliest": [label for label, _ in best], "likeliest_probability": [share for _, share in best]}
    return pd.DataFrame({**columns, "log_probability": said.log_factors, **likeliest}, columns=list(COLUMNS))


def _panel(one: Speaker, runs: Sequence[Run], said: SentenceProbability) -> Panel:
    hover = [hovered(said, at) for at in range(len(said.tokens))]
    colours = Colours("depth", (0.0, 1.0), "probability")
    heat = passage(said.tokens, np.exp(said.log_factors), hover, colours, apart=spaced(one.run, said.tokens))
    return panel(one.run, runs, heat, f"mean probability {number(_mean(said))}, {number(bits(said))} bits per token")


def hovered(said: SentenceProbability, at: int) -> str:
    """A token, its probability and the likeliest ones in its place."""
    factor = float(said.log_factors[at])
    others = ", ".join(f"“{label}” {percent(share)}" for label, share in said.alternatives[at])
    lines = [f"“{said.tokens[at]}” at step {at}", f"probability {number(float(np.exp(factor)))}, {number(-factor / NATS_PER_BIT)} bits"]
    return "\n".join([*lines, f"likeliest: {others}"] if others else lines)


def _mean(said: SentenceProbability) -> float:
    return float(np.exp(np.mean(said.log_factors)))


def bits(said: SentenceProbability) -> float:
    """Per token."""
    return float(-np.mean(said.log_factors) / NATS_PER_BIT)


def _title(found: Sequence[Speaker], said: dict[str, SentenceProbability]) -> str:
    """The cost of the text, and the token that surprised most."""
    runs = [one.run for one in found]
    if len(found) == 1:
        return sentence(_surprise(said[found[0].run.label], spoken(runs, runs)))
    first, *rest = [(number(bits(said[one.run.label])), spoken([one.run], runs)) for one in found]
    means = listed([f"{first[1]} spends {first[0]} bits per token", *(f"{who} {mean}" for mean, who in rest)])
    return sentence(means, f"One text in the colours of its probability in {len(found)} runs")


def _surprise(said: SentenceProbability, who: str) -> str:
    factors = np.asarray(said.log_factors)
    if np.isnan(factors).any():
        return f"to {who} the probability of the text is not a number"
    at = int(np.argmin(factors))
    least = number(float(np.exp(factors[at])))
    return f"{who} spends {number(bits(said))} bits per token and expects “{said.tokens[at]}” at step {at} least ({least})"

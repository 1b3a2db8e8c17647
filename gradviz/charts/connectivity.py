"""Connectivity: how much each earlier token moves one later prediction."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from gradviz.arrays import Array
from gradviz.charts._base import Chart
from gradviz.charts._common import left_out, nothing, specials, stack
from gradviz.charts._description import Description, Panel, log10
from gradviz.charts._passage import Colours, panel, passage, spaced
from gradviz.charts._speakers import Speaker, speakers
from gradviz.charts._words import sentence, spoken
from gradviz.errors import GradvizError
from gradviz.frames import Run
from gradviz.language import connectivity
from gradviz.options import check, option
from gradviz.wording import listed, number, percent, steps

COLUMNS = ("run", "time", "word", "back", "norm", "share")
DECADES = 4.0  # of the colours on a log scale, below the largest norm
LOOK_FOR = (
    "Healthy is a picture with bright tokens well before the framed one, such as the beginning of the word or an open bracket: "
    "what was read there still decides what comes now. "
    "If only the last one or two tokens are bright, the network guesses from letter pairs, whatever its memory could hold."
)


@dataclass(frozen=True)
class Pull:
    """What moves the prediction of one token of one run. norms: (position,) of the tokens before it."""

    speaker: Speaker
    words: tuple[str, ...]
    position: int
    norms: Array

    @property
    def shares(self) -> Array:
        """Of the sum of all norms; NaN if that is zero or not finite."""
        total = self.norms.sum()
        return self.norms / total if np.isfinite(total) and total > 0 else np.full(len(self.norms), np.nan)

    @property
    def half(self) -> int:
        """How many of the last tokens hold half of the sum."""
        return int(np.argmax(np.cumsum(self.shares[::-1]) >= 0.5)) + 1


@dataclass(frozen=True)
class Connectivity(Chart):
    """text "": the words of the recorded sequence number `example`; position -1: the last token; log: colours by powers of ten."""

    needs = ("probe",)
    network = True
    purpose = "how much each earlier token moves one later prediction"

    text: str = option("", "text to read; empty takes a recorded held-out sequence")
    example: int = option(0, "which of the recorded held-out sequences", low=0)
    position: int = option(-1, "the token whose prediction is looked at, counted from 0; -1 is the last", low=-1)
    log: bool = option(True, "colours on a log scale, over four powers of ten; else from zero on")

    def __post_init__(self) -> None:
        check(self)

    def describe(self, runs: Sequence[Run]) -> Description:
        found, missing = speakers(runs, self.text, self.example)
        pulls = [self._pull(one) for one in found]
        if not pulls:
            return nothing("connectivity", missing, COLUMNS, LOOK_FOR)
        shown, colours = [one.run for one in found], self._colours(pulls)
        return Description(
            "connectivity",
            _title(pulls),
            f"Each token has the colour of its pull: the norm of the gradient of the framed token’s logit with respect to the token’s "
            f"input vector, {'log' if self.log else 'linear'} scale. Later tokens have no colour: they are read afterwards."
            f"{left_out(runs, shown)}",
            LOOK_FOR,
            stack([_frame(pull) for pull in pulls], COLUMNS),
            tuple(self._panel(pull, shown, colours) for pull in pulls),
            columns=1,
            shape="text",
            key=tuple(specials([log10(pull.norms) if self.log else pull.norms for pull in pulls], log=self.log)),
            source="Madsen 2019, Visualizing memorization in RNNs",
        )

    def tokens(self, runs: Sequence[Run]) -> tuple[str, ...]:
        read = {_words(one) for one in speakers(runs, self.text, self.example)[0]}
        return read.pop() if len(read) == 1 else ()

    def _pull(self, one: Speaker) -> Pull:
        words = _words(one)
        position = len(words) - 1 if self.position < 0 else self.position
        if position >= len(words):
            raise GradvizError(f"the position is {position}; this text has {len(words)} tokens, so it must be at most {len(words) - 1}.")
        return Pull(one, words, position, np.asarray(connectivity(one.model, one.text, position), dtype=np.float64))

    def _colours(self, pulls: Sequence[Pull]) -> Colours:
        """One colour axis for all runs, up to the largest norm."""
        every = np.concatenate([pull.norms for pull in pulls])
        largest = every[np.isfinite(every)].max(initial=0.0) or 1.0
        if self.log:
            top = float(np.ceil(np.log10(largest)))
            return Colours("depth", (top - DECADES, top), "gradient norm", log=True)
        nice = 10.0 ** np.floor(np.log10(largest)) / 5
        return Colours("depth", (0.0, float(np.ceil(largest / nice) * nice)), "gradient norm")

    def _panel(self, pull: Pull, runs: Sequence[Run], colours: Colours) -> Panel:
        values = np.ma.array(np.zeros(len(pull.words)), mask=True)
        values[: pull.position] = log10(pull.norms) if self.log else pull.norms
        hover = [_hover(pull, at) for at in range(len(pull.words))]
        apart = spaced(pull.speaker.run, pull.words)
        heat = passage(pull.words, values, hover, colours, apart=apart, framed=pull.position)
        return panel(pull.speaker.run, runs, heat, f"predicting “{pull.words[pull.position]}” at step {pull.position}")


def _words(one: Speaker) -> tuple[str, ...]:
    return tuple(one.model.vocabulary.visible(one.model.vocabulary.encode(one.text)))


def _hover(pull: Pull, at: int) -> str:
    if at == pull.position:
        return f"“{pull.words[at]}” at step {at}: the prediction looked at"
    if at > pull.position:
        return f"“{pull.words[at]}” at step {at}, read afterwards"
    back = pull.position - at
    return f"“{pull.words[at]}” at step {at}, {back} before\ngradient norm {number(pull.norms[at])}, {percent(pull.shares[at])} of the sum"


def _frame(pull: Pull) -> pd.DataFrame:
    at = np.arange(pull.position)
    columns = {"run": pull.speaker.run.label, "time": at, "word": pull.words[: pull.position], "back": pull.position - at}
    return pd.DataFrame({**columns, "norm": pull.norms, "share": pull.shares}, columns=list(COLUMNS))


def _title(pulls: Sequence[Pull]) -> str:
    """How many of the last tokens hold half of the pull, and which one most of it."""
    runs = [pull.speaker.run for pull in pulls]
    plain = f"How far back the tokens lie that move one prediction, in {len(runs)} runs"
    alike = len({(pull.words, pull.position) for pull in pulls}) == 1 and not any(np.isnan(pull.shares).any() for pull in pulls)
    if len(pulls) == 1:
        return sentence(_held(pulls[0], spoken(runs, runs)))
    if not alike or not pulls[0].position:
        return plain
    halves = listed([f"{pull.half} in {spoken([pull.speaker.run], runs)}" for pull in pulls])
    return sentence(f"half of what moves {_what(pulls[0])} lies in the last tokens before it: {halves}", plain)


def _what(pull: Pull) -> str:
    return f"“{pull.words[pull.position]}” at step {pull.position}"


def _held(pull: Pull, who: str) -> str:
    what = _what(pull)
    if not len(pull.norms):
        return f"nothing is read before {what} in {who}"
    if np.isnan(pull.shares).any():
        return f"the gradient of {what} is {'zero' if not pull.norms.any() else 'not finite'} in {who}"
    last = "the last token" if pull.half == 1 else f"the last {pull.half} tokens"
    top = int(np.argmax(pull.norms))
    back = pull.position - top
    most = f"“{pull.words[top]}”, {steps(back)} before it, moves it most"
    return f"{last} hold{'s' if pull.half == 1 else ''} half of what moves {what} in {who}, and {most}"

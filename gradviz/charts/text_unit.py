"""A text coloured by one unit: what its state, or its gate, is after each token."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from gradviz.arrays import Array
from gradviz.charts import _gates, _speakers
from gradviz.charts._base import Chart
from gradviz.charts._common import held, left_out, nothing, specials, stack
from gradviz.charts._description import Description, Heat
from gradviz.charts._passage import MOST, Colours, panel, passage, spaced
from gradviz.charts._states import States, asked, recorded
from gradviz.charts._words import in_part, sentence, spoken
from gradviz.errors import GradvizError
from gradviz.frames import Run
from gradviz.options import check, option
from gradviz.wording import listed, number

COLUMNS = ("run", "step", "example", "point", "unit", "time", "word", "value")
RECORD = (
    "No run holds the arrays of table `probe` with the words of its sequences. Record a text with probe_every = 100, probe_examples = 2."
)
OFTEN = 2  # times a token must occur for a title to speak of it
LOOK_FOR = (
    "A unit worth naming keeps one colour over a stretch with a meaning, such as a quotation or a line, and changes at its ends. "
    "A unit of one colour throughout is stuck, and one that flickers from character to character only echoes what it reads."
)


@dataclass(frozen=True)
class View:
    """One unit of one run over a sequence. values: (time,) as recorded; drawn: (time,) as coloured; spread: their standard deviation."""

    run: Run
    step: int
    shown: _gates.Shown
    unit: int
    values: Array
    words: tuple[str, ...]

    @property
    def drawn(self) -> Array:
        """Cell states as the output gate sees them: their tanh, between -1 and 1."""
        return squashed(self.values, self.shown.point)

    @property
    def name(self) -> str:
        return f"tanh of the {self.shown.name}" if self.shown.point == "cell" else self.shown.name


@dataclass(frozen=True)
class TextUnit(Chart):
    """point "": the cell state of an LSTM, else the hidden state; unit -1: the one that varies most; layer -1: the last."""

    needs = ("probe",)
    purpose = "a text coloured by one unit's state or gate"

    text: str = option("", "text to read with the weights that were kept; empty takes a recorded held-out sequence")
    example: int = option(0, "which of the recorded held-out sequences", low=0)
    step: int = option(-1, "training step; -1 is the last one recorded", low=-1)
    layer: int = option(-1, "layer, counted from 0; -1 is the last", low=-1)
    point: str = option("", "state or gate, e.g. hidden, cell, forget, update; empty chooses the cell state of an LSTM, else hidden")
    unit: int = option(-1, "unit, counted from 0; -1 is the one whose value varies most over the sequence", low=-1)

    def __post_init__(self) -> None:
        check(self)

    def describe(self, runs: Sequence[Run]) -> Description:
        views = [view for run in runs if (view := self._view(run)) is not None]
        if not views:
            return nothing("text_unit", _speakers.RECORD if self.text else RECORD, COLUMNS, LOOK_FOR)
        shown = [view.run for view in views]
        names = list(dict.fromkeys(view.name for view in views))
        said, alike = listed(names), len(names) == 1 or any(view.shown.gate for view in views)
        chosen = "the unit whose value varies most" if self.unit < 0 else f"unit {self.unit}"
        kinds = {view.shown.gate for view in views}
        scales = {True: "Gates from 0 (dark) to 1 (bright).", False: "States from −1 (blue) over 0 to 1 (red)."}
        return Description(
            "text_unit",
            _title(views),
            f"Each token has the colour of {chosen}{in_part(shown, self.layer)} after reading it ({said}), in "
            f"{'a text of your own' if self.text else f'{held(shown)} sequence {self.example}'}, {_when(views)}. "
            f"{' '.join(scales[kind] for kind in sorted(kinds))}{left_out(runs, shown)}",
            LOOK_FOR,
            stack([self._frame(view) for view in views], COLUMNS),
            tuple(panel(view.run, shown, _heat(view, said if alike else "state"), _note(view)) for view in views),
            columns=1,
            shape="text",
            key=tuple(specials([view.drawn for view in views], log=False)),
            source="Karpathy, Johnson and Li 2016, figure 2",
        )

    def _view(self, run: Run) -> View | None:
        states = self._states(run)
        points = set(states.points) if states else set()
        shown = _gates.shown(run, self.point or ("cell" if "cell" in points else "hidden"), points)
        if states is None or shown is None:
            return None
        values = states.array(shown.point)
        unit = _gates.most_varied(squashed(values, shown.point)) if self.unit < 0 else self.unit
        if unit >= values.shape[1]:
            raise GradvizError(f"{run.label} has no unit {unit}; its units are 0 to {values.shape[1] - 1}.")
        return View(run, states.step, shown, unit, values[:, unit], states.words)

    def _states(self, run: Run) -> States | None:
        if not self.text:
            return recorded(run, self.example, self.step, self.layer)
        try:
            return asked(run, self.text[:MOST], self.layer)
        except GradvizError:  # no weights, or no language model
            return None

    def _frame(self, view: View) -> pd.DataFrame:
        place = {"run": view.run.label, "step": view.step, "example": self.example, "point": view.shown.point, "unit": view.unit}
        time = np.arange(len(view.words))
        return pd.DataFrame({**place, "time": time, "word": view.words, "value": view.values}, columns=list(COLUMNS))


def squashed(values: Array, point: str) -> Array:
    """Values as they are coloured."""
    return np.tanh(values) if point == "cell" else values


def _heat(view: View, unit: str) -> Heat:
    drawn = view.drawn
    raw = [f", cell state {number(value)}" for value in view.values] if view.shown.point == "cell" else [""] * len(drawn)
    hover = [f"“{word}” at step {at}\n{view.name} {number(drawn[at])}{raw[at]}" for at, word in enumerate(view.words)]
    colours = Colours(view.shown.scale, view.shown.limits, unit)
    return passage(view.words, drawn, hover, colours, apart=spaced(view.run, view.words))


def _note(view: View) -> str:
    finite = view.drawn[np.isfinite(view.drawn)]
    ends = f", {number(finite.min())} to {number(finite.max())}" if len(finite) else ", NaN"
    return f"unit {view.unit}{ends}"


def _when(views: Sequence[View]) -> str:
    steps = {view.step for view in views}
    if steps == {-1}:
        return "with the weights that were kept"
    return f"at training step {steps.pop()}" if len(steps) == 1 else "at the last step recorded for each run"


def _title(views: Sequence[View]) -> str:
    """After which tokens each unit is highest and lowest, on average."""
    runs = [view.run for view in views]
    parts = [_answers(view, spoken([view.run], runs), len(views) > 1) for view in views]
    return sentence("; ".join(parts), f"One unit of each of {len(views)} runs")


def _answers(view: View, who: str, brief: bool) -> str:
    words = np.array(view.words, dtype=object)
    often = [word for word in dict.fromkeys(view.words) if np.sum(words == word) >= OFTEN]
    means = {word: float(mean) for word in often if np.isfinite(mean := view.drawn[words == word].mean())}
    if len(means) < 2:
        return f"unit {view.unit} of {who}, token by token"
    high, low = max(means, key=means.__getitem__), min(means, key=means.__getitem__)
    if brief:
        return f"unit {view.unit} of {who} is highest after “{high}”, lowest after “{low}”"
    ends = f"“{high}” ({_signed(means[high])} on average) and lowest after “{low}” ({_signed(means[low])})"
    return f"unit {view.unit} of {who} is highest after {ends}"


def _signed(value: float) -> str:
    return f"{value:.2f}".replace("-", "−")

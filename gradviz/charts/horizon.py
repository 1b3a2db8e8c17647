"""Memory horizon over training: how many steps back the gradient carries, beside what the task asks for."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from gradviz.arrays import Array
from gradviz.charts import _course, _reach
from gradviz.charts._base import Chart
from gradviz.charts._common import colour, families, held, left_out, nothing, once, rails, samples, short, style, training
from gradviz.charts._description import Axis, Description, Line, Panel, Rule, log10
from gradviz.charts._words import sentence, spoken
from gradviz.frames import Run
from gradviz.options import check, option
from gradviz.wording import listed, number

MEANING = {
    "horizon": "Steps back until less than 1\u202f% of the gradient is left; ∞ if more is left at the beginning of the sequence",
    "half_life": "Steps back in which the gradient halves, from the fitted factor per step; ∞ if it does not fade",
}
LOOK_FOR = (
    "Healthy is a curve that rises to the line of the task’s lag before the loss falls: first the network learns to remember, then what. "
    "A curve that sinks towards 1 learns to forget; what lies further back than it can no longer be learned."
)


@dataclass(frozen=True)
class Horizon(Chart):
    """layer -1: the last; point "": the cell state of an LSTM, else the hidden state."""

    needs = ("reach",)
    purpose = "how many steps back the gradient carries, over training"

    measure: str = option("horizon", "what to draw", choices=tuple(MEANING))
    layer: int = option(-1, "layer, counted from 0; -1 is the last", low=-1)
    point: str = option("", "state the gradient is taken of; empty chooses the cell state of an LSTM", choices=("", "hidden", "cell"))

    def __post_init__(self) -> None:
        check(self)

    def describe(self, runs: Sequence[Run]) -> Description:
        frame, last = _course.table(runs, self.point, self.layer)
        if frame.empty:
            return nothing("horizon", _reach.RECORD, _course.COLUMNS, LOOK_FOR)
        shown = [run for run in runs if run.label in last]
        values = log10(frame[self.measure].to_numpy())
        top = [float(value) for run in shown for value in (last[run.label], run.meta.get("lag") or 1)]
        known = np.concatenate([values, log10(top)])
        axes = training(frame), Axis("steps back", "log", (0.0, max(1.0, 0.1 + float(np.max(known[np.isfinite(known)], initial=0.0)))))
        panels = tuple(
            Panel((*_lags(group), *(self._line(run, group, frame) for run in group)), *axes, title, colour(group[0]))
            for title, group in families(shown)
        )
        return Description(
            "horizon",
            _halves(shown, frame) if self.measure == "half_life" else _title(shown, frame, last),
            f"{MEANING[self.measure]}. Gradient: norm of {_reach.what(shown, self.point, self.layer)}, "
            f"geometric mean over the {held(shown)} sequences. Log scale.{left_out(runs, shown)}",
            LOOK_FOR,
            frame,
            once(panels),
            columns=min(3, len(panels)),
            key=(*samples(shown), *rails([values])),
            source="Pascanu, Mikolov and Bengio 2013, section 2.1",
        )

    def _line(self, run: Run, group: Sequence[Run], frame: pd.DataFrame) -> Line:
        value = _course.of(frame, run, self.measure)
        label = f"{short(run, group)} {number(value[-1]) if np.isfinite(value[-1]) else ''}".strip()  # rail and × say the rest
        return Line(_course.of(frame, run, "step"), log10(value), run.label, **style(run), label=label)


def _lags(group: Sequence[Run]) -> list[Rule]:
    lags = sorted({int(lag) for run in group if (lag := run.meta.get("lag"))})
    return [Rule(float(np.log10(lag)), label=f"the task’s lag, {lag}", dashed=True) for lag in lags]


def _title(runs: Sequence[Run], frame: pd.DataFrame, last: dict[str, int]) -> str:
    """Tasks with a lag: who reaches across it when, and when the loss halves. Else: until when it reaches everything."""
    horizon = {run.label: _course.of(frame, run, "horizon") for run in runs}
    if not all(run.meta.get("lag") for run in runs):
        return sentence(_whole(runs, frame, last), f"How far the gradient reaches in {len(runs)} runs")
    stories: dict[str, list[Run]] = {}
    for run in runs:
        stories.setdefault(_story(run, _course.of(frame, run, "step"), horizon[run.label], last[run.label]), []).append(run)
    order = sorted(stories, key=lambda story: not story.startswith("first"))
    text = "; ".join(f"{spoken(stories[story], runs)} {story}" for story in order)
    return sentence(text, f"How far the gradient reaches in {len(runs)} runs")


def _whole(runs: Sequence[Run], frame: pd.DataFrame, last: dict[str, int]) -> str:
    """Until when more than the share is left at the beginning of the sequence, in every run."""
    fates: dict[str, list[Run]] = {}
    for run in runs:
        across = np.flatnonzero(_course.of(frame, run, "horizon") > last[run.label])
        steps = _course.of(frame, run, "step")
        now = len(across) and across[-1] == len(steps) - 1
        fate = "at the end of training" if now else f"last at step {steps[across[-1]]:.0f}" if len(across) else "never"
        fates.setdefault(fate, []).append(run)
    order = sorted(fates, key=lambda fate: (fate == "never", fate != "at the end of training"))
    if order == ["never"]:
        return f"the gradient never reaches the whole sequence in {spoken(runs, runs)}"
    return f"the gradient reaches the whole sequence {listed([f'{fate} in {spoken(fates[fate], runs)}' for fate in order])}"


def _halves(runs: Sequence[Run], frame: pd.DataFrame) -> str:
    """Half-lives at the last recorded step."""
    decay = {run.label: float(_course.of(frame, run, "decay")[-1]) for run in runs}
    text = f"at the end the gradient {_reach.paces(runs, decay, dict.fromkeys(decay, np.zeros(2)))}"
    return sentence(text, f"Half-life of the gradient in {len(runs)} runs")


def _story(run: Run, step: Array, horizon: Array, last: int) -> str:
    """One run in words: when its gradient first reaches across the task's lag, and when its loss is half the best guess."""
    best, across = _course.baseline(run), horizon >= run.meta["lag"]
    if not across.any():
        return f"never reaches across the lag ({_course.far(float(horizon[-1]), last)} at the end)"
    since = "from the start" if across[0] else f"at step {step[np.argmax(across)]:.0f}"
    halved = _course.crossing(run, best[1] / 2) if best else None
    if halved is None:
        return f"reaches across the lag {since}, {'but' if across[-1] else 'not at the end, and'} does not halve the loss"
    if not across[0] and step[np.argmax(across)] < halved:
        return f"first learns to remember (across the lag {since}), then the task (loss halved at step {halved})"
    return f"reaches across the lag {since} and halves the loss at step {halved}"

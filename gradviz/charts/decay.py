"""Decay per step over training: does the gradient grow or fade on its way back, and since when."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from gradviz.charts import _course, _reach
from gradviz.charts._base import Chart
from gradviz.charts._common import colour, families, held, left_out, nothing, once, rails, samples, short, style, training
from gradviz.charts._description import Axis, Band, Description, Line, Panel, Rule
from gradviz.charts._words import sentence, spoken
from gradviz.frames import Run
from gradviz.options import check, option
from gradviz.wording import factor, listed, span

BEST = " Best guess: the lowest loss of a prediction without a network."
STRONG = 1.05  # growth per step back from which on unclipped training was seen to suffer; weaker growth is no story
LOOK_FOR = (
    "Healthy is a curve that stays just below 1, or comes to it: the gradient crosses the sequence in good order. "
    "Above 1 it explodes, the more the longer the sequence; the further below 1, the fewer steps back anything can be learned."
)


@dataclass(frozen=True)
class Decay(Chart):
    """layer -1: the last; point "": the cell state of an LSTM, else the hidden state."""

    needs = ("reach",)
    purpose = "the gradient's factor per step back, over training"

    layer: int = option(-1, "layer, counted from 0; -1 is the last", low=-1)
    point: str = option("", "state the gradient is taken of; empty chooses the cell state of an LSTM", choices=("", "hidden", "cell"))

    def __post_init__(self) -> None:
        check(self)

    def describe(self, runs: Sequence[Run]) -> Description:
        frame, _ = _course.table(runs, self.point, self.layer)
        if frame.empty:
            return nothing("decay", _reach.RECORD, _course.COLUMNS, LOOK_FOR)
        shown = [run for run in runs if run.label in set(frame["run"])]
        axes, rule = (training(frame), Axis("per step back", limits=_limits(frame["decay"]))), Rule(1.0, label="neither grows nor fades")
        panels = tuple(
            Panel((*_bands(group, frame), rule, *(_line(run, group, frame) for run in group)), *axes, title, colour(group[0]))
            for title, group in families(shown)
        )
        title = _title(shown, frame)
        return Description(
            "decay",
            title,
            f"Factor by which the norm of {_reach.what(shown, self.point, self.layer)} changes with every step back: "
            f"fitted to the geometric mean over the {held(shown)} sequences, from lag 5 to the last; band: 95 % interval. Linear scale."
            f"{BEST if 'best guess' in title else ''}{left_out(runs, shown)}",
            LOOK_FOR,
            frame,
            once(panels),
            columns=min(3, len(panels)),
            key=(*samples(shown), *rails([frame["decay"].to_numpy()], log=False)),
            source="Pascanu, Mikolov and Bengio 2013, section 2.1",
        )


def _limits(values: pd.Series) -> tuple[float, float]:
    """Tenths that hold all finite factors and 1."""
    finite = values[np.isfinite(values)].to_numpy()
    return float(np.floor(10 * min(finite, default=1.0) - 0.5) / 10), float(np.ceil(10 * max(1.0, *finite, 1.0) + 0.5) / 10)


def _bands(group: Sequence[Run], frame: pd.DataFrame) -> list[Band]:
    """The interval over held-out sequences, where it was recorded."""
    bands = []
    for run in group:
        step, low, high = (_course.of(frame, run, name) for name in ("step", "decay_low", "decay_high"))
        known = np.isfinite(low) & np.isfinite(high)
        if known.sum() > 1:
            bands.append(Band(step[known], low[known], high[known], colour(run)))
    return bands


def _line(run: Run, group: Sequence[Run], frame: pd.DataFrame) -> Line:
    decay = _course.of(frame, run, "decay")
    return Line(_course.of(frame, run, "step"), decay, run.label, **style(run), label=f"{short(run, group)} {factor(decay[-1])}".strip())


def _title(runs: Sequence[Run], frame: pd.DataFrame) -> str:
    """Of runs that begin with strong growth: when it ends, and when the loss passes the best guess. Else: first and last factor."""
    growing = [run for run in runs if _course.of(frame, run, "decay")[0] >= STRONG]
    if not growing:
        parts = [_journey(run, runs, frame) for run in runs] if len(runs) <= _course.FEW else _ranges(runs, frame)
        text = f"with every step back the gradient is multiplied by {listed(parts)}"
        return sentence(text, f"How the gradient changes per step back in {len(runs)} runs")
    fates: dict[str, list[Run]] = {}
    for run in growing:
        fates.setdefault(_fate(run, frame), []).append(run)
    ordered = sorted(fates.items(), key=lambda item: item[0].count("never"))
    parts = [f"in {spoken(some, runs)} {'it' if at else 'the backward growth'} {fate}" for at, (fate, some) in enumerate(ordered)]
    text = "; ".join(parts)
    return sentence(text, f"How the gradient changes per step back in {len(runs)} runs")


def _fate(run: Run, frame: pd.DataFrame) -> str:
    """When the factor first falls below 1, and when the loss passes the best guess."""
    decay, step = _course.of(frame, run, "decay"), _course.of(frame, run, "step")
    below = np.flatnonzero(decay < 1)
    said = f"first stops at step {step[below[0]]:.0f}" if len(below) else "never stops"
    best = _course.baseline(run)
    if best is None or run.steps.empty:
        return said
    passed = _course.crossing(run, best[1])
    if passed is None:
        return f"{said}{', but' if len(below) else ' and'} the loss never passes the best guess"
    return f"{said} and the loss passes the best guess at step {passed}"


def _journey(run: Run, runs: Sequence[Run], frame: pd.DataFrame) -> str:
    decay = _course.of(frame, run, "decay")
    first, end = ("no fitted factor" if np.isnan(value) else factor(value).removeprefix("×") for value in (decay[0], decay[-1]))
    return f"{first} {'at first and' if first == end else f'at first and {end}'} at the end in {spoken([run], runs)}"


def _ranges(runs: Sequence[Run], frame: pd.DataFrame) -> list[str]:
    out = []
    for _, group in families(runs):
        ends = span([_course.of(frame, run, "decay")[-1] for run in group], lambda value: factor(value).removeprefix("×"))
        out.append(f"{ends} at the end in {spoken(group, runs)}")
    return out

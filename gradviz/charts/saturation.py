"""Saturation triangle: per unit, how often a gate is nearly shut against how often it is nearly open (Karpathy)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from gradviz.charts import _gates
from gradviz.charts._base import Chart
from gradviz.charts._common import MARKERS, aside, colour, grid, heading, left_out, nothing, stack
from gradviz.charts._description import Axis, Description, Panel, Points, Rule
from gradviz.charts._reach import nearest
from gradviz.charts._words import chunks, in_part, sentence, spoken
from gradviz.frames import Run
from gradviz.options import check, option
from gradviz.wording import listed, percent, span

COLUMNS = ("run", "when", "step", "layer", "point", "unit", "left", "right", "mean")
RECORD = "No run holds table `saturation`. Record it with every = 10: shares of activations near their limits, per unit."
LOOK_FOR = (
    "Healthy is a cloud that fills the triangle, or a few units near its corners (top left keeps for good, bottom right always lets go). "
    "A whole cloud on the diagonal is stuck at its limits: saturated units pass hardly any gradient to their weights."
)


@dataclass(frozen=True)
class Saturation(Chart):
    """gate "": forget gate, GRU's update gate, or the hidden state of a cell without gates; layer -1: the last."""

    needs = ("saturation",)
    purpose = "which units sit at the limits of their gate"

    step: int = option(-1, "training step; -1 is the last one recorded", low=-1)
    layer: int = option(-1, "layer, counted from 0; -1 is the last", low=-1)
    gate: str = option("", "gate or state, e.g. forget, update, input, hidden; empty chooses what the cell keeps with")
    direction: str = option("", "direction the layer reads in; empty: forward if there is one", choices=_gates.WAYS)
    unit: int = option(-1, "unit to ring, counted from 0; -1 rings none", low=-1)
    whose: str = option("", "label of the run whose unit is ringed; empty rings it in every run")

    def __post_init__(self) -> None:
        check(self)

    def describe(self, runs: Sequence[Run]) -> Description:
        frames = {run.label: self._frame(run) for run in runs}
        shown, columns = grid([run for run in runs if len(frames[run.label])])
        if not shown:
            return nothing("saturation", RECORD, COLUMNS, LOOK_FOR)
        ticks = (0.0, "0"), (0.5, "0.5"), (1.0, "1")
        axes = (
            Axis("share of time at the lower limit", limits=(0.0, 1.0), ticks=ticks),
            Axis("at the upper limit", limits=(0.0, 1.0), ticks=ticks),
        )
        panels = tuple(
            Panel((*_marks(run, rows), *self._ring(run, rows)), *axes, heading(run), colour(run), _note(run, rows, shown))
            for run in shown
            for rows in [frames[run.label]]
        )
        grey = any((frame["when"] == "start").any() for frame in frames.values())
        ringed = any(self._ring(run, frames[run.label]) for run in shown)
        said = listed(list(dict.fromkeys(f"{heading(run)}: {_words(frames[run.label])}" for run in shown)))
        return Description(
            "saturation",
            _title(shown, frames),
            f"{said}. One mark per unit{in_part(shown, self.layer)}: share of time steps and examples above 0.9 against "
            f"below 0.1 (of a state: below −0.9).{left_out(runs, shown)}",
            LOOK_FOR,
            stack([frames[run.label] for run in shown], COLUMNS),
            panels,
            columns=columns,
            key=(
                *((("faint", "first recorded step"),) if grey else ()),
                *((("ring", f"unit {self.unit}{f' of {self.whose}' if self.whose else ''}"),) if ringed else ()),
            ),
            source="Karpathy, Johnson and Li 2016, section 4.2",
        )

    def _frame(self, run: Run) -> pd.DataFrame:
        """Units at the first recorded step ("start") and at the chosen one ("now")."""
        table = run.saturation
        if table.empty:
            return pd.DataFrame(columns=list(COLUMNS))
        layer = sorted(table["layer"].unique())[self.layer] if self.layer < 0 else self.layer
        table = table[table["layer"] == layer]
        shown = _gates.shown(run, self.gate, set(table["point"]))
        table = table[table["point"] == (shown.point if shown else None)]
        if table.empty:
            return pd.DataFrame(columns=list(COLUMNS))
        table = table[table["direction"] == _gates.way(table, self.direction)]
        if table.empty:
            return pd.DataFrame(columns=list(COLUMNS))
        first, last = int(table["step"].min()), nearest(sorted(table["step"].unique()), self.step)
        moments = [("start", first)] if first != last else []
        parts = [_units(table[table["step"] == step].iloc[0]).assign(run=run.label, when=when) for when, step in [*moments, ("now", last)]]
        return pd.concat(parts, ignore_index=True)[list(COLUMNS)]

    def _ring(self, run: Run, frame: pd.DataFrame) -> tuple[Points, ...]:
        """Around the unit that is chosen."""
        rows = frame[(frame["when"] == "now") & (frame["unit"] == self.unit)]
        if rows.empty or (self.whose and run.label != self.whose):
            return ()
        return (Points(rows["left"].to_numpy(), rows["right"].to_numpy(), f"unit {self.unit}", "ink", "circle", filled=False),)


def _units(row: pd.Series) -> pd.DataFrame:
    series = {name: np.asarray(row[name], dtype=np.float64) for name in ("left", "right", "mean")}
    for name in ("left", "right"):
        series[name] = np.where(np.isnan(series["mean"]), np.nan, series[name])  # NaN is at no limit, and not away from it either
    return pd.DataFrame({name: row[name] for name in ("step", "layer", "point")} | {"unit": np.arange(len(series["left"]))} | series)


def _marks(run: Run, frame: pd.DataFrame) -> tuple[Rule | Points, ...]:
    marker = MARKERS.get(run.family, "circle")
    parts, words = [], _limits(frame)
    for when, name in (("start", "ghost"), ("now", colour(run))):
        rows = frame[frame["when"] == when]
        if len(rows):
            left, right = rows["left"].to_numpy(), rows["right"].to_numpy()
            at = zip(rows["unit"], left, right, strict=True)
            hover = tuple(f"unit {unit}: {percent(low)} {words[0]}, {percent(high)} {words[1]}" for unit, low, high in at)
            parts.append(Points(left, right, f"{run.label}, {when}", name, marker, run.clipped, small=True, hover=hover))
    return (Rule(1.0, "slope"), *parts)


def _shares(frame: pd.DataFrame, when: str = "now") -> tuple[float, float]:
    """Mean over units of the share of time shut, and open."""
    rows = frame[frame["when"] == when]
    return float(rows["left"].mean()), float(rows["right"].mean())


def _note(run: Run, frame: pd.DataFrame, runs: Sequence[Run]) -> str:
    left, right = _shares(frame)
    low, high = _limits(frame)
    shares = "NaN" if np.isnan(left + right) else f"{percent(left)} {low}, {percent(right)} {high}"
    return f"{aside(run, runs)}: {shares}"


def _said(share: float) -> str:
    return "NaN" if np.isnan(share) else percent(share)


def _limits(frame: pd.DataFrame) -> tuple[str, str]:
    """What the lower and the upper limit mean: of a gate, of a state."""
    return ("shut", "open") if str(frame["point"].iloc[0]).startswith("gate.") else ("at −1", "at 1")


def _words(frame: pd.DataFrame) -> str:
    point = str(frame["point"].iloc[0])
    return _gates.WORDS.get(point, (point.removeprefix("gate.") + (" gate" if point.startswith("gate.") else " state"),))[0]


def _title(runs: Sequence[Run], frames: dict[str, pd.DataFrame]) -> str:
    """Share of time at the limits in every family, at the first recorded step and at the one drawn."""
    now = {run.label: sum(_shares(frames[run.label], "now")) for run in runs}
    start = {run.label: sum(_shares(frames[run.label], "start")) for run in runs if (frames[run.label]["when"] == "start").any()}
    parts = []
    for group in chunks(runs, runs):
        before = [start[run.label] for run in group if run.label in start]
        gone = f"from {span(before, _said)} to " if before else ""
        parts.append(f"{gone}{span([now[run.label] for run in group], _said)} in {spoken(group, runs)}")
    pushed = len(start) == len(runs) and all(now[label] > start[label] for label in start)
    verb = "training pushes units to their limits:" if pushed else "time at the limits goes" if start else "time at the limits is"
    return sentence(f"{verb} {listed(parts)}", f"Units at their limits in {len(runs)} runs")

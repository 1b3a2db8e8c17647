"""Gradient waterfall: the norm of the last step's gradient against how many steps back it has travelled."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from gradviz.arrays import Array
from gradviz.charts import _reach
from gradviz.charts._base import Chart
from gradviz.charts._common import colour, families, fit, held, left_out, nothing, rails, samples, short, style
from gradviz.charts._description import Axis, Band, Description, Line, Mark, Panel
from gradviz.charts._words import sentence, spoken
from gradviz.dynamics.decay import half_life
from gradviz.frames import Run
from gradviz.options import check, option
from gradviz.wording import factor, number, span, steps

COLUMNS = ("run", "when", "step", "layer", "point", "lag", "mean", "low", "high", "decay", "half_life")
Frames = dict[tuple[Hashable, ...], pd.DataFrame]  # rows by (label of the run, start or now)
STRONG = 1.05  # growth per step back that a title mentions: unclipped training was seen to suffer from there on
LOOK_FOR = (
    "Healthy is a line that stays level, or falls gently: what happened long ago still moves the loss. "
    "A straight rise is an explosion, a straight fall vanishing; the steeper, the fewer steps the network can learn across."
)


@dataclass(frozen=True)
class Waterfall(Chart):
    """step: draws the last recorded step up to it; layer -1: the last; point "": the cell state of an LSTM, else the hidden state."""

    needs = ("reach",)
    purpose = "how far back in time the gradient of the last step's loss reaches, with its decay per step"

    step: int = option(-1, "training step; -1 is the last one recorded", low=-1)
    layer: int = option(-1, "layer, counted from 0; -1 is the last", low=-1)
    point: str = option("", "state the gradient is taken of; empty chooses the cell state of an LSTM", choices=("", "hidden", "cell"))
    start: bool = option(True, "also draw the first recorded step, in grey")

    def __post_init__(self) -> None:
        check(self)

    def describe(self, runs: Sequence[Run]) -> Description:
        tables = {run.label: _reach.wide(run, self.point, self.layer) for run in runs}
        shown = [run for run in runs if any(len(values) for values in tables[run.label]["mean"])]
        parts = [self._columns(run, tables[run.label]) for run in shown]
        frame = pd.DataFrame(
            {name: np.concatenate([part[name] for part in parts]) for name in COLUMNS} if parts else {}, columns=[*COLUMNS]
        )
        if frame.empty:
            return nothing("waterfall", _reach.RECORD, COLUMNS, LOOK_FOR)
        now, found = frame[frame["when"] == "now"], dict(iter(frame.groupby(["run", "when"], sort=False)))
        limits = fit([frame["mean"].to_numpy(), np.zeros(1)], least=3)
        axes = Axis("steps back", limits=(0.0, float(frame["lag"].max()))), Axis("gradient norm", "log", limits)
        panels = tuple(Panel(_marks(group, found), *axes, title, colour(group[0]), _note(group, found)) for title, group in families(shown))
        before = [("start", _moment(0, frame[frame["when"] == "start"]))] if (frame["when"] == "start").any() else []
        return Description(
            "waterfall",
            _title(shown, found, _moment(1, now)),
            f"Norm of {_reach.what(shown, self.point, self.layer)}, by steps back from the end of the sequence, "
            f"{_moment(1, now)}. Log scale; geometric mean over the {held(shown)} sequences{_bands(shown, frame)}. "
            f"× is the factor per step back, fitted from lag 5 on; half-lives are in steps.{left_out(runs, shown)}",
            LOOK_FOR,
            frame,
            panels,
            columns=min(3, len(panels)),
            key=(*before, *samples(shown), *rails([frame["mean"].to_numpy()])),
            source="Pascanu, Mikolov and Bengio 2013, eq. 5 and 7; Arjovsky, Shah and Bengio 2016, figure 2",
        )

    def _columns(self, run: Run, table: pd.DataFrame) -> dict[str, Array]:
        recorded = table["step"].to_numpy()
        first, last = int(recorded.min()), _reach.nearest(recorded.tolist(), self.step)
        moments = [first, last] if self.start and first != last else [last]
        at = np.concatenate([np.flatnonzero(recorded == step) for step in moments])
        found = _reach.flat(table, at, _reach.longest(table))
        halves, length = np.array(list(map(half_life, found["decay"].tolist()))), len(found["lag"])
        when = np.where(found["step"] == last, "now", "start").astype(object)
        return {**found, "when": when, "run": np.full(length, run.label, object), "half_life": halves}


def _bands(runs: Sequence[Run], frame: pd.DataFrame) -> str:
    """Empty where no panel is small enough for bands, and of logs, which hold no percentiles."""
    drawn = any(len(group) <= 2 for _, group in families(runs)) and frame["low"].notna().any()
    return ", shaded from the 10th to the 90th percentile" if drawn else ""


def _marks(group: Sequence[Run], frames: Frames) -> tuple[Mark, ...]:
    """Bands below, then the start in grey (once, if all runs began alike), then each run."""
    marks: list[Mark] = []
    if len(group) <= 2:
        for run in group:
            rows = frames[run.label, "now"]
            marks.append(Band(rows["lag"].to_numpy(), rows["low"].to_numpy(), rows["high"].to_numpy(), colour(run)))
    drawn: list[Array] = []
    for run in group:
        if (run.label, "start") not in frames:
            continue
        rows = frames[run.label, "start"]
        profile = rows["mean"].to_numpy()
        if not any(_alike(profile, other) for other in drawn):
            drawn.append(profile)
            label = f"start {factor(rows['decay'].iloc[0])}"
            marks.append(Line(rows["lag"].to_numpy(), profile, f"{run.label}, start", "ghost", label=label))
    for run in group:
        rows = frames[run.label, "now"]
        label = f"{short(run, group)} {factor(rows['decay'].iloc[0])}".strip()
        marks.append(Line(rows["lag"].to_numpy(), rows["mean"].to_numpy(), run.label, **style(run), label=label))
    return tuple(marks)


def _alike(left: Array, right: Array) -> bool:
    return len(left) == len(right) and np.allclose(left, right, atol=1e-3, equal_nan=True)


def _note(group: Sequence[Run], frames: Frames) -> str:
    """Half-lives, where there are at most two."""
    if len(group) > 2:
        return ""
    values = [(float(frames[run.label, "now"]["half_life"].iloc[0]), short(run, group)) for run in group]
    if [name for _, name in values] == ["not clipped", "clipped"] and all(np.isfinite(value) for value, _ in values):
        return f"half-life {number(values[0][0])}, clipped {number(values[1][0])}"  # short: it stands beside the heading
    said = [f"{number(value) if name else steps(value)} {name}".strip() for value, name in values if np.isfinite(value)]
    return f"half-life {', '.join(said)}" if said else ""


def _moment(which: int, rows: pd.DataFrame) -> str:
    """When the rows were recorded, in words."""
    found = sorted(rows["step"].unique())
    if found == [0]:
        return "before training"
    if len(found) == 1:
        return f"at training step {found[0]}"
    return ("at the first recorded step", "at each run’s latest step")[which]


def _title(runs: Sequence[Run], frames: Frames, when: str) -> str:
    """What the gradient does at the step drawn; before it, what it did at the start where it exploded then."""
    decay = {run.label: float(frames[run.label, "now"]["decay"].iloc[0]) for run in runs}
    profile = {run.label: frames[run.label, "now"]["mean"].to_numpy() for run in runs}
    text = f"{when} the gradient {_reach.paces(runs, decay, profile)}"
    first = {run.label: float(frames[key]["decay"].iloc[0]) for run in runs if (key := (run.label, "start")) in frames}
    exploded = [run for run in runs if first.get(run.label, 0.0) >= STRONG and decay[run.label] < 1]
    if exploded:
        grew = span([first[run.label] for run in exploded], factor)
        text = f"{text}; at the start it grew {grew} per step back in {spoken(exploded, runs)}"
    return sentence(text, f"The gradient on its way back in {len(runs)} runs")

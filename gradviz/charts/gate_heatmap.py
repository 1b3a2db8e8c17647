"""Gate heatmap: what each unit keeps at each time step of one held-out sequence."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from gradviz.arrays import Array
from gradviz.charts import _gates, _speakers
from gradviz.charts._base import Chart
from gradviz.charts._common import colour, families, heading, held, left_out, nothing, short, specials, stack
from gradviz.charts._description import Axis, Description, Heat, Panel
from gradviz.charts._passage import MOST
from gradviz.charts._reach import nearest
from gradviz.charts._states import asked
from gradviz.charts._words import in_part, sentence, spoken
from gradviz.errors import GradvizError
from gradviz.frames import Run
from gradviz.options import check, option
from gradviz.wording import listed, percent

COLUMNS = ("run", "step", "example", "point", "rank", "unit", "time", "word", "value")
RECORD = "No run holds the arrays of table `probe`. Record them with probe_every = 100 and probe_examples = 2."
ORDERS = {
    "mean": "their mean",
    "contrast": "how far they fall below their own median (at the marked steps, if there are any)",
    "none": "their number",
}
MARK = "▲"  # what a task puts behind the word of a step that counts
WIDE = 2  # characters a word may have on average to stand below its column
DROP = 0.3  # a unit lets go if the share it keeps falls this far below its own median
LOOK_FOR = (
    "Healthy is a picture with bright rows (units that keep what they hold for long) which darken where the sequence calls for it. "
    "All dark forgets at every step; all bright never lets go, and never takes anything in."
)
LOOK_FOR_STATES = (
    "Healthy is a picture whose rows change colour with the sequence: units that answer to what they read. "
    "Rows of one full colour sit at the limits of tanh, whatever comes in, and pass hardly any gradient."
)


@dataclass(frozen=True)
class View:
    """One run's array, units in the order they are drawn. values: (time, unit); units: (unit,) their own numbers; drops: (unit,)."""

    run: Run
    step: int
    shown: _gates.Shown
    values: Array
    units: Array
    drops: Array
    words: tuple[str, ...] | None


@dataclass(frozen=True)
class GateHeatmap(Chart):
    """gate "": forget gate, GRU's update gate, or the hidden state of a cell without gates; layer -1: the last;
    direction "": forward if there is one."""

    needs = ("probe",)
    purpose = "what every unit keeps at every step of one sequence"

    example: int = option(0, "which of the recorded held-out sequences", low=0)
    step: int = option(-1, "training step; -1 is the last one recorded", low=-1)
    layer: int = option(-1, "layer, counted from 0; -1 is the last", low=-1)
    gate: str = option("", "gate or state, e.g. forget, update, input, hidden; empty chooses what the cell keeps with")
    text: str = option("", "text to read with the weights that were kept; empty takes a recorded held-out sequence")
    direction: str = option("", "direction the layer reads in; empty: forward if there is one", choices=_gates.WAYS)
    sort: str = option("auto", "order of the units; auto: contrast if the task states a lag, else mean", choices=("auto", *ORDERS))

    def __post_init__(self) -> None:
        check(self)

    def describe(self, runs: Sequence[Run]) -> Description:
        views = [view for run in runs if (view := self._view(run)) is not None]
        if not views:
            return nothing("gate_heatmap", _speakers.RECORD if self.text else RECORD, COLUMNS, LOOK_FOR)
        frame, shown = stack([self._frame(view) for view in views], COLUMNS), [view.run for view in views]
        said = listed(list(dict.fromkeys(f"{heading(view.run)}: {view.shown.words}" for view in views)))
        order = listed(list(dict.fromkeys(ORDERS[self._order(view.run)] for view in views)))
        return Description(
            "gate_heatmap",
            _title(views),
            f"{said}. One row a unit{in_part(shown, self.layer)}, sorted by {order}; one column a time "
            f"step of {self._source(shown)}, {_when(views)}. {_scales(views)}{left_out(runs, shown)}",
            LOOK_FOR if any(view.shown.gate for view in views) else LOOK_FOR_STATES,
            frame,
            tuple(_panel(view, shown) for view in views),
            columns=1,
            shape="gate",
            key=tuple(specials([view.values for view in views], log=False)),
            source="Karpathy, Johnson and Li 2016, section 4.2; Hochreiter and Schmidhuber 1997; Cho et al. 2014",
        )

    def _source(self, runs: Sequence[Run]) -> str:
        return "the text given to it" if self.text else f"{held(runs)} sequence {self.example}"

    def _view(self, run: Run) -> View | None:
        return self._read(run) if self.text else self._recorded(run)

    def _read(self, run: Run) -> View | None:
        """The text read by the network that the run keeps; None without weights, or if it is no language model."""
        try:
            states = asked(run, self.text[:MOST], self.layer)
        except GradvizError:
            return None
        shown = _gates.shown(run, self.gate, set(states.points))
        return None if shown is None else self._made(run, states.step, shown, states.array(shown.point), states.words)

    def _recorded(self, run: Run) -> View | None:
        table = run.facts("probe")
        table = table[(table["example"] == self.example) & ~table["gradient"].astype(bool)]
        if table.empty:
            return None
        layer = sorted(table["layer"].unique())[self.layer] if self.layer < 0 else self.layer
        table = table[table["layer"] == layer]
        direction = _gates.way(table, self.direction)
        table = table[table["direction"] == direction]
        shown = _gates.shown(run, self.gate, set(table["point"]))
        if shown is None:
            return None
        step = nearest(sorted(table.loc[table["point"] == shown.point, "step"].unique()), self.step)
        values = np.asarray(run.probe(step, self.example, shown.point, layer=int(layer), direction=direction), dtype=np.float64)
        words = run.words(self.example, int(layer), step)
        return self._made(run, step, shown, values, tuple(words[: len(values)]) if words else None)

    def _made(self, run: Run, step: int, shown: _gates.Shown, values: Array, words: tuple[str, ...] | None) -> View:
        drops = _drops(values, _marked(words))
        units = self._sorted(run, values, drops)
        return View(run, step, shown, values[:, units], units, drops[units], words)

    def _order(self, run: Run) -> str:
        return self.sort if self.sort != "auto" else "contrast" if run.meta.get("lag") else "mean"

    def _sorted(self, run: Run, values: Array, drops: Array) -> Array:
        order = self._order(run)
        if order == "none":
            return np.arange(values.shape[1])
        with np.errstate(invalid="ignore"):
            return np.argsort(values.mean(axis=0) if order == "mean" else drops, kind="stable")

    def _frame(self, view: View) -> pd.DataFrame:
        time, unit = view.values.shape
        words = view.words or ("",) * time
        return pd.DataFrame(
            {
                "run": view.run.label,
                "step": view.step,
                "example": self.example,
                "point": view.shown.point,
                "rank": np.tile(np.arange(unit), time),
                "unit": np.tile(view.units, time),
                "time": np.repeat(np.arange(time), unit),
                "word": np.repeat(np.asarray(words, dtype=object), unit),
                "value": view.values.ravel(),
            }
        )


def _marked(words: Sequence[str] | None) -> list[int]:
    """Time steps whose word the task has marked."""
    return [at for at, word in enumerate(words or ()) if word.endswith(MARK)]


def _drops(values: Array, marks: list[int]) -> Array:
    """(unit,): how far each unit falls below its own median at the marked time steps, or at its lowest one if none is marked."""
    with np.errstate(invalid="ignore"):
        drop: Array = np.median(values, axis=0) - values[marks or slice(None)].min(axis=0)
    return np.asarray(drop)


def _panel(view: View, runs: Sequence[Run]) -> Panel:
    time, unit = view.values.shape
    group = next(group for _, group in families(runs) if view.run in group)
    name = f"{heading(view.run)} {short(view.run, group)}".strip()
    heat = Heat(np.arange(time), np.arange(1, unit + 1), view.values.T, view.shown.scale, view.shown.limits, unit=view.shown.name)
    axis_x = _axis(view.words)
    axis_y = Axis("unit", limits=(1.0, float(unit)), ticks=((1.0, "1"), (float(unit), str(unit))))
    return Panel((heat,), axis_x, axis_y, name, colour(view.run), _note(view))


def _axis(words: tuple[str, ...] | None) -> Axis:
    """Words below the picture where they fit; of longer ones only those that a task has marked."""
    if words is None:
        return Axis("time step")
    if sum(map(len, words)) <= WIDE * len(words):
        return Axis(words=words)
    return Axis("time step", ticks=tuple((float(at), f"{at} {MARK}") for at in _marked(words)) or None)


def _note(view: View) -> str:
    if np.isnan(view.values).all():
        return f"{view.shown.name}, NaN"
    if not view.shown.gate:
        return f"{view.shown.name}, {percent(_extreme(view))} beyond ±0.9"
    return f"{view.shown.name}, mean {view.values.mean():.2f}"


def _when(views: Sequence[View]) -> str:
    steps = {view.step for view in views}
    if steps == {-1}:
        return "with the weights that were kept"
    return f"at training step {steps.pop()}" if len(steps) == 1 else "at the last step recorded for each run"


def _scales(views: Sequence[View]) -> str:
    kinds = {view.shown.gate for view in views}
    texts = {True: "Gates from 0 (dark) to 1 (bright).", False: "States from −1 (blue) over 0 to 1 (red)."}
    return " ".join(texts[kind] for kind in (True, False) if kind in kinds)


def _title(views: Sequence[View]) -> str:
    """Tasks with a lag: how many units let go, and when. Others: the mean share kept. Other arrays: their mean, or how saturated."""
    keepers = [view for view in views if view.shown.point in _gates.KEEPS.values()]
    if not keepers:
        return sentence(listed([_plain(view, views) for view in views]))
    if not any(view.run.meta.get("lag") for view in keepers):
        first, *rest = [(percent(float(view.values.mean())), _who(view, views)) for view in keepers]
        kept = listed([f"{first[1]} keeps {first[0]} of its state", *(f"{who} {share}" for share, who in rest)])
        return sentence(f"with every step {kept}", f"What {len(views)} runs keep at every step")
    return sentence("; ".join(_lets_go(view, views) for view in keepers), f"What {len(views)} runs keep at every step")


def _plain(view: View, views: Sequence[View]) -> str:
    if np.isnan(view.values).all():
        return f"in {_who(view, views)} the {view.shown.name} is not a number"
    if view.shown.gate:
        return f"in {_who(view, views)} the {view.shown.point.removeprefix('gate.')} gate is {view.values.mean():.2f} on average"
    return f"in {_who(view, views)} {percent(_extreme(view))} of the {view.shown.name}’s values lie beyond ±0.9"


def _extreme(view: View) -> float:
    """Share of the values that are numbers."""
    return float(np.mean(np.abs(view.values[~np.isnan(view.values)]) > 0.9))


def _who(view: View, views: Sequence[View]) -> str:
    return spoken([view.run], [other.run for other in views])


def _lets_go(view: View, views: Sequence[View]) -> str:
    """How many units drop at the marked steps (or anywhere, if none is marked), against how much the mean of all does."""
    mean, marks, units = view.values.mean(axis=1, keepdims=True), _marked(view.words), int(np.sum(view.drops > DROP))
    who, where = _who(view, views), f"at step {' or '.join(map(str, marks))}" if marks else "at some step"
    if not units:
        return f"no unit of {who} lets go {where}"
    verb = "lets" if units == 1 else "let"
    return f"{units} of {len(view.units)} units of {who} {verb} go {where}, while their mean falls by {_drops(mean, marks)[0]:.2f}"

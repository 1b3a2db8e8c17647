"""The course of one unit: its gates and its states at every time step of one held-out sequence."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from gradviz.arrays import Array
from gradviz.charts import _gates
from gradviz.charts._base import Chart
from gradviz.charts._common import aside, colour, fit, heading, held, left_out, nothing, rails, stack
from gradviz.charts._description import Axis, Description, Line, Panel
from gradviz.charts._reach import nearest
from gradviz.charts._words import in_part, sentence, spoken
from gradviz.errors import GradvizError
from gradviz.frames import Run
from gradviz.options import check, option
from gradviz.wording import listed, percent

COLUMNS = ("run", "step", "example", "direction", "point", "unit", "time", "word", "value")
RECORD = "No run holds the arrays of table `probe`. Record them with probe_every = 100 and probe_examples = 2."
STATES = ("cell", "hidden")
LOOK_FOR = (
    "Healthy is a unit whose gates move with the sequence: what it keeps stays near 1 while something is to be held, and falls where it is "
    "to be let go. A gate that lies at 0 or 1 all the way passes no gradient to its weights, and a flat state tells nothing."
)


@dataclass(frozen=True)
class Course:
    """One unit of one run. values: by point, (time,), the gate that keeps first."""

    run: Run
    step: int
    direction: str
    unit: int
    values: dict[str, Array]
    words: tuple[str, ...]

    @property
    def gates(self) -> dict[str, Array]:
        return {point: values for point, values in self.values.items() if point.startswith("gate.")}

    @property
    def states(self) -> dict[str, Array]:
        return {point: self.values[point] for point in STATES if point in self.values}


@dataclass(frozen=True)
class UnitCourse(Chart):
    """unit -1: the one whose keeping gate (without gates: hidden state) varies most; layer -1: the last; direction "": forward if there
    is one."""

    needs = ("probe",)
    purpose = "one unit's gates and states at every step of one sequence"

    unit: int = option(-1, "unit, counted from 0; -1 is the one that varies most over the sequence", low=-1)
    example: int = option(0, "which of the recorded held-out sequences", low=0)
    step: int = option(-1, "training step; -1 is the last one recorded", low=-1)
    layer: int = option(-1, "layer, counted from 0; -1 is the last", low=-1)
    direction: str = option("", "direction the layer reads in; empty: forward if there is one", choices=_gates.WAYS)

    def __post_init__(self) -> None:
        check(self)

    def describe(self, runs: Sequence[Run]) -> Description:
        found = [course for run in runs if (course := self._course(run)) is not None]
        if not found:
            return nothing("unit_course", RECORD, COLUMNS, LOOK_FOR)
        shown = [course.run for course in found]
        chosen = "the unit that varies most" if self.unit < 0 else f"unit {self.unit}"
        steps = {course.step for course in found}
        when = f"at training step {steps.pop()}" if len(steps) == 1 else "at the last step recorded for each run"
        frame = stack([self._frame(course) for course in found], COLUMNS)
        return Description(
            "unit_course",
            _title(found),
            f"Gates (0 to 1) and states of {chosen}{in_part(shown, self.layer)} at every time step of {held(shown)} "
            f"sequence {self.example}, {when}, linear scale.{left_out(runs, shown)}",
            LOOK_FOR,
            frame,
            tuple(panel for course in found for panel in _panels(course, shown)),
            columns=1,
            key=tuple(rails([frame["value"].to_numpy()], log=False)),
            source="Karpathy, Johnson and Li 2016, section 4.2",
        )

    def _course(self, run: Run) -> Course | None:
        table = run.facts("probe")
        table = table[(table["example"] == self.example) & ~table["gradient"].astype(bool)]
        if table.empty:
            return None
        layer = int(sorted(table["layer"].unique())[self.layer] if self.layer < 0 else self.layer)
        table = table[table["layer"] == layer]
        way = _gates.way(table, self.direction)
        table = table[table["direction"] == way]
        points = _ordered(run, set(table["point"]))
        if not points:
            return None
        step = nearest(sorted(table["step"].unique()), self.step)
        arrays = {point: np.asarray(run.probe(step, self.example, point, layer=layer, direction=way), np.float64) for point in points}
        unit = _gates.most_varied(arrays[points[0]]) if self.unit < 0 else self.unit
        count = arrays[points[0]].shape[1]
        if unit >= count:
            raise GradvizError(f"{run.label} has no unit {unit}; its units are 0 to {count - 1}.")
        length = len(arrays[points[0]])
        words = (*(run.words(self.example, layer, step) or [])[:length],)
        values = {point: array[:, unit] for point, array in arrays.items()}
        return Course(run, step, way, unit, values, words or ("",) * length)

    def _frame(self, course: Course) -> pd.DataFrame:
        place = {"run": course.run.label, "step": course.step, "example": self.example, "direction": course.direction, "unit": course.unit}
        parts = [
            pd.DataFrame({**place, "point": point, "time": np.arange(len(values)), "word": course.words, "value": values})
            for point, values in course.values.items()
        ]
        return pd.concat(parts, ignore_index=True)[list(COLUMNS)]


def _ordered(run: Run, points: set[str]) -> list[str]:
    """Gates, the one that keeps first, then states."""
    keeps = _gates.KEEPS.get(run.family, "")
    gates = sorted((point for point in points if point.startswith("gate.")), key=lambda point: (point != keeps, point))
    return [*gates, *(point for point in STATES if point in points)]


def _panels(course: Course, runs: Sequence[Run]) -> list[Panel]:
    """One of the gates, one of the states."""
    long = max(len(course.words) - 1, 1)
    axis = Axis("time step", limits=(0.0, float(long)))
    name = f"{heading(course.run)} unit {course.unit}"
    groups = [(course.gates, Axis("gate", limits=(0.0, 1.0))), (course.states, Axis("state", limits=fit(course.states.values())))]
    return [
        Panel(tuple(_lines(course, values)), axis, scale, name, colour(course.run), aside(course.run, runs))
        for values, scale in groups
        if values
    ]


def _lines(course: Course, values: dict[str, Array]) -> list[Line]:
    """The first in the cell's colour, the others in ink, told apart by their strokes."""
    styles = [(colour(course.run), False), ("ink", False), ("ink", True), ("ghost", False)]
    found = []
    for at, (point, part) in enumerate(values.items()):
        hue, dashed = styles[min(at, len(styles) - 1)]
        said = point.removeprefix("gate.")
        found.append(Line(np.arange(len(part)), part, said, hue, dashed=dashed, label=said))
    return found


def _title(found: Sequence[Course]) -> str:
    """What each unit keeps, and where it keeps least; without a gate that keeps: between what its hidden state moves."""
    runs = [course.run for course in found]
    parts = [_said(course, spoken([course.run], runs)) for course in found]
    return sentence("; ".join(parts), f"One unit of each of {len(found)} runs, step by step")


def _said(course: Course, who: str) -> str:
    name = f"unit {course.unit} of {who}"
    keeps = _gates.KEEPS.get(course.run.family, "")
    point = keeps if keeps in course.values else next(reversed(course.values))
    values = course.values[point]
    if not np.isfinite(values).all():
        return f"{name} is not a number at {int((~np.isfinite(values)).sum())} of {len(values)} steps"
    if point != keeps:
        ends = listed([f"{end:.2f}".replace("-", "−") for end in (values.min(), values.max())])
        return f"the {point.removeprefix('gate.')} {'gate' if point.startswith('gate.') else 'state'} of {name} moves between {ends}"
    lowest = int(np.argmin(values))
    where = f"step {lowest}{f' (“{course.words[lowest]}”)' if course.words[lowest] else ''}"
    mean, least = percent(float(values.mean())), percent(float(values[lowest]))
    return f"{name} keeps {mean} of its state with every step, least at {where}: {least}"

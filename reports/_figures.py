"""A picture becomes a numbered figure: what is said about it, what the page draws, and the table behind it."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from gradviz.backends import plotly
from gradviz.charts import CHARTS, Description
from gradviz.errors import GradvizError
from gradviz.reports._packing import compact
from gradviz.reports._tables import Table, packed, table
from gradviz.reports.kinds import Picture

HEIGHTS = {"line": 360, "multiples": 320, "film": 460, "gate": 500, "strip": 270, "text": 220, "tiles": 320, "plane": 360}
POSITIONS = 16  # of a slider, at most: spread evenly, with the first and the last recorded step
MEDIUM = 680.0  # px: on a tablet and on paper
Drawn = dict[str, Any]
Changes = list[tuple[list[str | int], Any]]


@dataclass(frozen=True)
class Figure:
    """steps: the training steps of its slider, empty without one; payload: what the page's script reads."""

    number: int
    about: str
    said: Description
    table: Table
    steps: tuple[int, ...] = ()
    payload: dict[str, Any] = field(default_factory=dict)

    @property
    def anchor(self) -> str:
        return f"figure-{self.number}"

    @property
    def height(self) -> int:
        return int(self.payload["layout"]["height"]) if self.payload else HEIGHTS[self.said.shape]


def figure(number: int, picture: Picture) -> Figure:
    """Describe and draw one picture; a chart that refuses these runs leaves the sentence that says why."""
    try:
        said, moments = _described(picture)
    except GradvizError as error:
        said, moments = _refused(picture.chart, str(error)), []
    return drawn_figure(number, said, picture.about, moments)


def drawn_figure(number: int, said: Description, about: str = "", moments: Sequence[tuple[int, Description]] = ()) -> Figure:
    """A description as a figure. moments: what a slider over training steps shows, (step, description)."""
    if said.missing:
        return Figure(number, about, said, table(said.frame))
    drawn = _drawn(said)
    frames = [_moment(drawn, step, moment) for step, moment in moments or [(0, said)]]
    payload = {**drawn, "frames": frames, "table": packed(said.frame)}
    return Figure(number, about, said, table(said.frame), tuple(step for step, _ in moments), payload)


def _described(picture: Picture) -> tuple[Description, list[tuple[int, Description]]]:
    """The chart as it stands by default and, for a slider, at every recorded step that the runs share."""
    chart = CHARTS[picture.chart]
    options = {"layer": picture.layer} if picture.layer >= 0 else {}
    steps = shared_steps(picture) if picture.slider else []
    if len(steps) < 2:
        return chart(**options).describe(picture.runs), []
    moments = [(step, _at(chart, {**options, "step": step}).describe(picture.runs)) for step in steps]
    return moments[-1][1], moments


def _at(chart: type[Any], options: dict[str, int]) -> Any:
    if "step" not in {item.name for item in dataclasses.fields(chart)}:
        raise GradvizError(f"{chart.__name__} has no option `step`; leave its slider out.")
    return chart(**options)


def shared_steps(picture: Picture) -> list[int]:
    """Training steps at which every run has measured its reach; not all of them if there are many."""
    recorded = [set(run.reach_steps) for run in picture.runs if run.reach_steps]
    steps = sorted(set.intersection(*recorded)) if recorded else []
    return [steps[round(at)] for at in np.linspace(0, len(steps) - 1, min(POSITIONS, len(steps)))]


def _refused(chart: str, reason: str) -> Description:
    return Description(chart, f"No picture: {chart.replace('_', ' ')}", "", "", pd.DataFrame(), missing=reason)


def _moment(base: Drawn, step: int, said: Description) -> dict[str, Any]:
    """One position of the slider: its words, and what changes in the figure, on a wide page and on smaller ones."""
    wide, medium, narrow = _drawn(said), _drawn(said, width=MEDIUM), _drawn(said, narrow=True)
    words = {"step": step, "title": said.title, "subtitle": said.subtitle}
    return {**words, "wide": changes(base, wide), "medium": changes(wide, medium), "narrow": changes(wide, narrow)}


def _drawn(said: Description, width: float | None = None, narrow: bool = False) -> Drawn:
    """A figure laid out for a width; the page's script sets the width itself."""
    figure: Drawn = compact(plotly.figure(said, width=width, narrow=narrow))
    figure["layout"].pop("width", None)
    return figure


def changes(old: Any, new: Any) -> Changes:
    """What to put where to make `new` out of `old`: (path, value) pairs, so that equal parts are sent once."""
    if old == new and type(old) is type(new):
        return []
    if isinstance(old, dict) and isinstance(new, dict) and old.keys() <= new.keys():
        return [([key, *path], value) for key in new for path, value in (changes(old[key], new[key]) if key in old else [([], new[key])])]
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new) and _branches(new):
        return [([at, *path], value) for at, pair in enumerate(zip(old, new, strict=True)) for path, value in changes(*pair)]
    return [([], new)]


def _branches(items: Sequence[Any]) -> bool:
    return all(isinstance(item, dict) for item in items)

"""Charts that answer a click, and marks at what is chosen that move without the chart being drawn again.

A chart that is sent again loses its selection and is drawn anew by the browser, which takes far longer than anything else on a page.
So what marks the chosen place is no part of the figure: it is a line laid over it by a style rule.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import streamlit as st

from gradviz.charts._description import Heat, Panel

Figure = dict[str, Any]

MOST = 200  # places along an axis that can be clicked; a click between two goes to the nearest
_INVISIBLE = {"marker": {"opacity": 0}}
UNSEEN: dict[str, Any] = {
    "type": "scatter", "mode": "markers", "marker": {"size": 12, "symbol": "square", "color": "rgba(0,0,0,0)"},
    "selected": _INVISIBLE, "unselected": _INVISIBLE, "showlegend": False,
}  # fmt: skip
LINE = "content:'';background:#14171a;box-shadow:0 0 0 1px #ffffffd0"
SIDES = {"x": ("left", "l", "r", "top", "t", "bottom", "b"), "y": ("bottom", "b", "t", "left", "l", "right", "r")}


@dataclass(frozen=True)
class Click:
    """Makes a chart answer.

    at: the place on the axis `along` that is chosen now, marked by a line; NaN: none; move: called with the place that was clicked, or
    with the number of the cell in a text; hint: what a reader is told; across: a place on the other axis that is marked too, if any;
    lines: what panels without a heatmap answer to, where some have one.
    """

    at: float
    move: Callable[[float], None]
    hint: str = "Click a column to see the profile of that training step; the line marks the step that is chosen."
    along: Literal["x", "y"] = "x"
    across: float = field(default=math.nan, kw_only=True)
    lines: "Click | None" = field(default=None, kw_only=True)

    def of(self, panel: Panel) -> "Click":
        return self if self.lines is None or heat_of(panel) else self.lines

    @property
    def marks(self) -> dict[str, float]:
        places = {self.along: self.at, "y" if self.along == "x" else "x": self.across}
        return {axis: at for axis, at in places.items() if not math.isnan(at)}


def heat_of(panel: Panel) -> Heat | None:
    return next((mark for mark in panel.marks if isinstance(mark, Heat)), None)


def answering(figure: Figure, panel: Panel, click: Click) -> Figure:
    """The figure with invisible marks that can be selected: a heatmap and a line send no selection themselves. There is one row (or
    column) of them; the hover mode finds the nearest along the axis wherever in the chart a click goes."""
    is_text = (heat := heat_of(panel)) is not None and heat.is_text
    more = letters(figure) if is_text else targets(figure, panel, click.along)
    mode = {} if is_text else {"hovermode": click.along if heat else "x unified", "hoverdistance": -1}
    return {"data": [*figure["data"], more], "layout": {**figure["layout"], "clickmode": "event+select", **mode}}


def targets(figure: Figure, panel: Panel, along: str) -> dict[str, Any]:
    places = _places(panel, along)
    places = places[np.linspace(0, len(places) - 1, min(len(places), MOST)).round().astype(int)]
    middle = float(np.mean(figure["layout"]["yaxis" if along == "x" else "xaxis"]["range"]))
    return {along: places.tolist(), "y" if along == "x" else "x": [middle] * len(places), **UNSEEN, "hoverinfo": "none"}


def _places(panel: Panel, along: str) -> Any:
    heat = heat_of(panel)
    if heat is not None:
        return np.asarray(heat.x if along == "x" else heat.y, np.float64)
    return np.unique(np.concatenate([np.asarray(getattr(mark, along), np.float64) for mark in panel.marks if along in vars(mark)]))


def letters(figure: Figure) -> dict[str, Any]:
    """The same over the cells of a text, numbered as they are read. They lie on top, so they say what the heatmap would say."""
    grid = next(trace["text"] for trace in figure["data"] if trace["type"] == "heatmap")
    found = [(column, row, text) for row in reversed(range(len(grid))) for column, text in enumerate(grid[row]) if text]
    x, y, said = zip(*found, strict=True)
    cells = list(range(len(found)))
    return {"x": x, "y": y, "text": said, "customdata": cells, **UNSEEN, "hovertemplate": "%{text}<extra></extra>"}


def lines(layout: dict[str, Any], key: str, marks: dict[str, float]) -> str:
    """Style rules for the lines over the chart with this key, seen on dark and bright cells alike."""
    rules = []
    for axis, at in marks.items():
        start, end = layout[f"{axis}axis"]["range"]
        low, high = layout[f"{axis}axis"]["domain"]
        share = low + (high - low) * (at - start) / (end - start)
        if not low <= share <= high:
            continue
        side, near, far, top, above, bottom, below = SIDES[axis]
        margin = layout["margin"]
        place = f"{side}:calc({margin[near]}px + (100% - {margin[near] + margin[far]}px)*{share:.5f} - 1px)"
        size = "width:1px" if axis == "x" else "height:1px"
        where = f".st-key-{key} [data-testid=stPlotlyChart]::{'after' if axis == 'x' else 'before'}"
        rules.append(f"{where}{{{place};{top}:{margin[above]}px;{bottom}:{margin[below]}px;{size};{LINE}}}")
    return "".join(rules)


def picked(key: str, click: Click) -> None:
    """Runs before the page is drawn again, so that a slider made later in the script takes the new value. A second click on the same
    place takes the selection back, which says where it went as well."""
    points: Sequence[dict[str, Any]] = st.session_state[key]["selection"]["points"]
    last = f"last-{key}"
    if points:
        place = points[0].get("customdata", points[0].get(click.along))
        st.session_state[last] = float(np.ravel(place)[0])
    if last in st.session_state:
        click.move(st.session_state[last])

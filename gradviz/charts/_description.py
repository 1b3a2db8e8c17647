"""A chart's description: everything a backend needs to draw it, and nothing about how.

Log values: on an axis with `scale="log"` coordinates are log10 of the quantity; -inf means exactly zero and is drawn on the zero
rail, +inf on a rail above, NaN ends the line with a mark. Colours are names of the theme ("rnn", "ghost", "ink", "accent" …).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pandas as pd

from gradviz.arrays import Array

Marker = Literal["circle", "square", "diamond", ""]
Grid = tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Axis:
    """label: written at the outer panels; limits: (low, high), None to fit; ticks: (value, text) pairs, None to choose;
    words: a text for every integer position (tokens under a gate heatmap), drawn in the mono face."""

    label: str = ""
    scale: Literal["linear", "log"] = "linear"
    limits: tuple[float, float] | None = None
    ticks: tuple[tuple[float, str], ...] | None = None
    words: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Line:
    x: Array
    y: Array
    name: str
    colour: str = "ink"
    dashed: bool = False
    marker: Marker = ""
    filled: bool = True
    label: str = ""  # written at the end of the line in its colour, instead of a legend


@dataclass(frozen=True)
class Path:
    """A way through a plane, its points in order: x may turn back. A point that is no number ends it there with a mark.

    thin: as fine as a rule, for a reference such as a circle; dots: a small mark at every point; begin: an open mark at the first
    point; end: a filled one at the last, "arrow" points where the way leads; label: written near its end, in its colour.
    """

    x: Array
    y: Array
    name: str
    colour: str = "ink"
    dashed: bool = False
    thin: bool = False
    dots: bool = False
    begin: bool = False
    end: Literal["", "circle", "square", "diamond", "arrow"] = ""
    label: str = ""


@dataclass(frozen=True)
class Band:
    x: Array
    low: Array
    high: Array
    colour: str


@dataclass(frozen=True)
class Points:
    x: Array
    y: Array
    name: str
    colour: str = "ink"
    marker: Marker = "circle"
    filled: bool = True
    small: bool = False
    hover: tuple[str, ...] | None = None  # a text for each point


@dataclass(frozen=True)
class Bars:
    """Upright bars from `base` to y. A y on no scale (zero on a log axis, infinity, NaN) is a mark on its rail."""

    x: Array
    y: Array
    name: str
    colour: str = "ink"
    base: float = 0.0
    hover: tuple[str, ...] | None = None  # a text for each bar


@dataclass(frozen=True)
class Heat:
    """values: (len(y), len(x)). On scale "depth" or "tide"; `limits` of the colour axis are shared by all panels that are compared.

    letters, hover: a character and a text for every cell, shaped like `values`; framed: (row, column) of cells that stand out.
    A heat of one row with letters is a text: backends break it into lines, after blanks and after the signs of line ends, as many
    cells long as there is room for.
    """

    x: Array
    y: Array
    values: Array
    scale: Literal["depth", "tide"] = "depth"
    limits: tuple[float, float] = (0.0, 1.0)
    log: bool = False  # values are log10; -inf is zero
    unit: str = ""  # what a value is, for hover and colour bar
    letters: Grid = ()
    hover: Grid = ()
    framed: tuple[tuple[int, int], ...] = ()

    @property
    def is_text(self) -> bool:
        return bool(self.letters)


@dataclass(frozen=True)
class Rule:
    """A straight reference line at `value` of the y axis ("across") or the x axis ("up"), or the diagonal y = value - x ("slope")."""

    value: float
    way: Literal["across", "up", "slope"] = "across"
    label: str = ""
    dashed: bool = False


@dataclass(frozen=True)
class Tiles:
    """A grid of words, each on the wash of its severity: rows × columns of (level, text); levels are those of the theme."""

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    cells: tuple[tuple[tuple[str, str], ...], ...]


Mark = Line | Path | Band | Points | Bars | Heat | Rule | Tiles


@dataclass(frozen=True)
class Panel:
    """One set of axes. heading: short, in `colour`; note: right of it, muted."""

    marks: tuple[Mark, ...]
    x: Axis = field(default_factory=Axis)
    y: Axis = field(default_factory=Axis)
    heading: str = ""
    colour: str = "ink"
    note: str = ""


@dataclass(frozen=True)
class Description:
    """What to draw and what to say about it.

    title: the finding as a sentence, computed from the data; subtitle: variable, unit, scale, what was averaged;
    look_for: what a healthy picture looks like and what a sick one does; frame: the data shown, tidy;
    key: samples above the figure, (kind, text) with kind a line ("start", "clipped", "unclipped"), a mark ("faint", "dot", "ring",
    "cross") or the flat colour of a value on no scale in a heatmap ("zero", "infinite", "nan");
    shape: how tall it wants to be: "line", "multiples", "film", "gate", "strip", "text", "tiles", or "plane" for panels whose two axes
    have one scale, so that a circle is round (they need `limits`);
    missing: if not empty, why there is nothing to draw and how to record it.
    """

    name: str
    title: str
    subtitle: str
    look_for: str
    frame: pd.DataFrame
    panels: tuple[Panel, ...] = ()
    columns: int = 3
    shape: Literal["line", "multiples", "film", "gate", "strip", "text", "tiles", "plane"] = "multiples"
    key: tuple[tuple[str, str], ...] = ()
    source: str = ""
    missing: str = ""


def log10(values: Sequence[float] | Array) -> Array:
    """log10 that says -inf for zero and keeps infinity and NaN, without warnings."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.log10(np.asarray(values, dtype=np.float64))

"""One function a mark, drawn on matplotlib axes. The names are those of the plotly backend."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap, Normalize
from matplotlib.patches import FancyBboxPatch, Rectangle

from gradviz.arrays import Array
from gradviz.backends import _letters, _tiles
from gradviz.backends._layout import TICK, Place, Plan
from gradviz.backends._scales import edges
from gradviz.backends._special import GLYPHS, heat_values, layers
from gradviz.backends._strokes import BAR, LINE_GAP, labels, off_scale, outline, rule_ends, scatter, sparse, stroke, way
from gradviz.backends.matplotlib._axes import colours
from gradviz.backends.matplotlib._axes import points as in_points
from gradviz.backends.theme import colour
from gradviz.charts._description import Band, Bars, Heat, Line, Path, Points, Rule, Tiles

_SHAPES = {"circle": "o", "square": "s", "diamond": "D", "": "o"}
_DASHES = (0, (5 / 1.5, 4 / 1.5))
_PAPER = "#ffffff"


@dataclass(frozen=True)
class Canvas:
    """Where the marks of one panel go."""

    ax: Axes
    place: Place
    plan: Plan

    @property
    def small(self) -> bool:
        return len(self.plan.places) > 1

    @property
    def heats(self) -> bool:
        return any(isinstance(mark, Heat) for mark in self.place.panel.marks)

    def markers(self, x: Array, y: Array, style: dict[str, Any]) -> None:
        if len(x):  # an empty line has no box
            self.ax.plot(x, y, linestyle="none", clip_on=False, **style)


def _marker(shape: str, name: str, filled: bool, size: float) -> dict[str, Any]:
    own = colour(name)
    size = in_points(size * (0.9 if shape == "diamond" else 1.0))
    edge = in_points(1.75 if size > in_points(5) else 1.0)
    return {
        "marker": _SHAPES[shape],
        "markersize": size,
        "markeredgecolor": own,
        "markerfacecolor": own if filled else _PAPER,
        "markeredgewidth": edge,
    }


def _cross(name: str) -> dict[str, Any]:
    return {"marker": "x", "markersize": in_points(8), "markeredgecolor": colour(name), "markeredgewidth": in_points(2)}


def line(mark: Line, canvas: Canvas) -> None:
    drawn, own = stroke(mark, canvas.place), colour(mark.colour)
    size, width = (6, 2.0) if canvas.small else (8, 2.25)
    marker = _marker(mark.marker, mark.colour, mark.filled, size)
    if np.isfinite(drawn.y).any():
        canvas.ax.plot(drawn.x, drawn.y, color=own, linewidth=in_points(width), linestyle=_DASHES if mark.dashed else "-")
    shown = np.flatnonzero(np.isfinite(drawn.y))
    shown = shown[sparse(drawn.x[shown], canvas.place)] if mark.marker else shown[:0]
    canvas.markers(drawn.x[shown], drawn.y[shown], marker)
    canvas.markers(*drawn.dots, marker)
    for _, x, y in drawn.rails:
        few = sparse(x, canvas.place)
        canvas.markers(x[few], y[few], _marker(mark.marker, mark.colour, False, size))
    canvas.markers(*drawn.crosses, _cross(mark.colour))


def path(mark: Path, canvas: Canvas) -> None:
    drawn, own = way(mark, canvas.place), colour(mark.colour)
    size, width = (6, 1.0 if mark.thin else 2.0) if canvas.small else (8, 1.25 if mark.thin else 2.25)
    if np.isfinite(drawn.x).any():
        canvas.ax.plot(drawn.x, drawn.y, color=own, linewidth=in_points(width), linestyle=_DASHES if mark.dashed else "-")
    known = np.isfinite(drawn.x)
    if mark.dots:
        canvas.markers(drawn.x[known], drawn.y[known], _marker("circle", mark.colour, True, 3.5) | {"markeredgewidth": 0})
    if mark.begin:
        canvas.markers(*drawn.first, _marker("circle", mark.colour, False, size))
    if mark.end == "arrow":
        canvas.markers(*drawn.last, _marker("circle", mark.colour, True, size + 3) | {"marker": (3, 0, -drawn.turn)})
    elif mark.end:
        canvas.markers(*drawn.last, _marker(mark.end, mark.colour, True, size))
    canvas.markers(*drawn.crosses, _cross(mark.colour))


def band(mark: Band, canvas: Canvas) -> None:
    x, low, high = outline(mark, canvas.place)
    where = np.isfinite(low) & np.isfinite(high)
    if where.any():
        canvas.ax.fill_between(x, low, high, where=where.tolist(), color=colour(mark.colour), alpha=0.14, linewidth=0)


def points(mark: Points, canvas: Canvas) -> None:
    drawn = scatter(mark, canvas.place)
    size = (5 if mark.filled else 4) if mark.small else 8
    for kind in ("number", "rail", "nan"):
        chosen = drawn.kind == kind
        style = _cross(mark.colour) if kind == "nan" else _marker(mark.marker, mark.colour, mark.filled and kind == "number", size)
        style |= {"markeredgewidth": 0, "alpha": 0.85} if mark.small and mark.filled and kind == "number" else {}
        canvas.markers(drawn.x[chosen], drawn.y[chosen], style)


def bars(mark: Bars, canvas: Canvas) -> None:
    drawn = scatter(mark, canvas.place)
    chosen = drawn.kind == "number"
    canvas.ax.bar(drawn.x[chosen], drawn.y[chosen] - mark.base, BAR, mark.base, color=colour(mark.colour), linewidth=0)
    points(off_scale(mark, drawn), canvas)


def heat(mark: Heat, canvas: Canvas) -> None:
    values, absent = heat_values(mark)
    if not values.size:
        return
    x, y = edges(mark.x), edges(mark.y)
    finite = np.ma.masked_invalid(np.where(absent, np.nan, values))
    canvas.ax.pcolorfast(x, y, finite, cmap=colours(mark.scale), norm=Normalize(*mark.limits))
    for layer in layers(mark, *canvas.place.lattice):
        flat = ListedColormap([colour(layer.kind)])
        canvas.ax.pcolorfast(x, y, np.ma.masked_where(~layer.mask, np.ones(values.shape)), cmap=flat)
        for column, row in zip(layer.columns, layer.rows, strict=True) if not mark.is_text else ():
            at = (float(mark.x[column]), float(mark.y[row]))
            canvas.ax.text(*at, GLYPHS[layer.kind], color=_PAPER, fontsize=in_points(13), ha="center", va="center", clip_on=True)
    if mark.is_text:
        _text(mark, canvas)
    canvas.ax.set(xlim=(canvas.place.x.start, canvas.place.x.end), ylim=(canvas.place.y.start, canvas.place.y.end))


def _text(mark: Heat, canvas: Canvas) -> None:
    """Paper between the lines, letters, and frames around chosen cells."""
    for border in edges(mark.y):
        canvas.ax.axhline(border, color=_PAPER, linewidth=in_points(LINE_GAP), zorder=1.5)
    size = in_points(_letters.size(mark, canvas.place.width))
    for ink in _letters.inks(mark) if size else []:
        own = colour(ink.colour[1:]) if ink.colour.startswith("@") else ink.colour
        style: dict[str, Any] = {"color": own, "alpha": _letters.FAINT if ink.faint else 1.0, "fontsize": size}
        style |= {"fontfamily": "DejaVu Sans Mono", "ha": "center", "va": "center_baseline", "clip_on": True}
        for row, column, text in zip(ink.rows, ink.columns, ink.texts, strict=True):
            canvas.ax.text(float(mark.x[column]), float(mark.y[row]), text, **style)
    for left, bottom, width in _letters.frames(mark):
        for edge, thick in ((_PAPER, 4.5), (colour("ink"), 1.75)):  # seen on dark and bright cells alike
            frame = Rectangle(
                (left, bottom), width, 1, facecolor="none", edgecolor=edge, linewidth=in_points(thick), zorder=4, clip_on=False
            )
            canvas.ax.add_patch(frame)


def rule(mark: Rule, canvas: Canvas) -> None:
    ends, style = rule_ends(mark, canvas.place), _DASHES if mark.dashed else "-"
    if canvas.heats:  # seen on dark and bright cells alike
        canvas.ax.plot(*ends, color=_PAPER, linewidth=in_points(4), zorder=1.8)
    canvas.ax.plot(*ends, color=colour("ink"), linewidth=in_points(1.25), linestyle=style, zorder=1.8)


def tiles(mark: Tiles, canvas: Canvas) -> None:
    room, narrow = canvas.place.width, canvas.plan.narrow
    for box in _tiles.boxes(mark, room, narrow):
        wash = colour(f"{box.level}_wash")
        size = (box.right - box.left, box.top - box.bottom)
        rounded = FancyBboxPatch((box.left, box.bottom), *size, "round,pad=0,rounding_size=3", facecolor=wash, linewidth=0)
        canvas.ax.add_patch(rounded)
        at = box.left + 6 if narrow else (box.left + box.right) / 2
        style: dict[str, Any] = {
            "color": colour(box.level),
            "fontsize": in_points(TICK),
            "va": "center",
            "ha": "left" if narrow else "center",
        }
        canvas.ax.text(at, (box.bottom + box.top) / 2, box.text, **style)
    for word in _tiles.words(mark, room, narrow):
        style = {
            "color": colour("ink" if word.bold else "muted"),
            "fontsize": in_points(TICK),
            "fontweight": "bold" if word.bold else "normal",
        }
        canvas.ax.text(word.x, word.y, word.text, ha="left", va="center", linespacing=1.1, **style)


def write_labels(canvas: Canvas) -> None:
    """The direct labels of a panel."""
    place = canvas.place
    ground = {"facecolor": _PAPER, "alpha": 0.82, "edgecolor": "none", "pad": 0.6}
    for label in labels(place):
        at = (label.left / place.width, label.middle / place.height)
        style: dict[str, Any] = {"color": colour(label.colour), "fontsize": in_points(TICK), "zorder": 4}
        style |= {"bbox": ground} if label.covers or canvas.heats else {}  # else it would cut holes into bands
        canvas.ax.text(*at, label.text, transform=canvas.ax.transAxes, ha="left", va="center_baseline", **style)


DRAW: dict[type, Any] = {Line: line, Path: path, Band: band, Points: points, Bars: bars, Heat: heat, Rule: rule, Tiles: tiles}

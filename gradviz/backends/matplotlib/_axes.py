"""Axes, headings and colour bars in matplotlib, at the pixels of the plan."""

from typing import Any

from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure

from gradviz.backends._layout import HEADING, TICK, TITLE, Place, Plan
from gradviz.backends._scales import Scale
from gradviz.backends._text import printable
from gradviz.backends.theme import TOKENS, colour
from gradviz.charts._description import Heat

PER_INCH = 108.0  # pixels of the plan: 12 pixels are 8 points, 6.8 inches 734 pixels


def points(pixels: float) -> float:
    """Pixels of the plan in points."""
    return pixels * 72 / PER_INCH


def colours(name: str) -> LinearSegmentedColormap:
    return LinearSegmentedColormap.from_list(name, TOKENS["scale"][name])


def axes(figure: Figure, plan: Plan, place: Place) -> Axes:
    """Empty axes of one panel with its ticks, grid, rails and headings."""
    top, _, _, left = plan.margin
    bottom = plan.height - top - place.top - place.height
    box = ((left + place.left) / plan.width, bottom / plan.height, place.width / plan.width, place.height / plan.height)
    ax = figure.add_axes(box)
    ax.set(xlim=(place.x.start, place.x.end), ylim=(place.y.start, place.y.end))
    if place.bare:
        ax.set(xticks=[], yticks=[])
        ax.axis("off")
    else:
        _decorate(ax, place)
    _headings(ax, place)
    return ax


def _ticks(ax: Axes, which: str, scale: Scale, labels: bool) -> None:
    values = [at for at, _ in scale.ticks]
    set_ticks, set_labels = (ax.set_xticks, ax.set_xticklabels) if which == "x" else (ax.set_yticks, ax.set_yticklabels)
    set_ticks(values)
    set_labels([text for _, text in scale.ticks] if labels else [""] * len(values))


def _decorate(ax: Axes, place: Place) -> None:
    _ticks(ax, "x", place.x, place.x_labels)
    _ticks(ax, "y", place.y, place.y_labels)
    heat = any(isinstance(mark, Heat) for mark in place.panel.marks)
    ax.grid(not heat, axis="y")
    words = place.panel.x.words is not None
    ax.tick_params(axis="x", length=points(4) if place.x_labels and not words else 0)
    ax.tick_params(axis="y", length=points(4) if heat and place.y_labels else 0)
    if words:
        ax.tick_params(axis="x", labelcolor=colour("ink"), labelfontfamily="DejaVu Sans Mono")
        ax.spines["bottom"].set_visible(False)
    if heat:
        for spine in ax.spines.values():
            spine.set(visible=True, color=colour("line"), linewidth=0.7)
    dotted: dict[str, Any] = {"color": colour("axis"), "linewidth": 0.7, "linestyle": (0, (1, 4)), "zorder": 0.5}
    for at in place.y.rules:
        ax.axhline(at, **dotted)
    for at in place.x.rules:
        ax.axvline(at, **dotted)
    _titles(ax, place)


def _titles(ax: Axes, place: Place) -> None:
    style: dict[str, Any] = {"fontsize": points(TITLE), "color": colour("muted"), "linespacing": 1.1}
    if place.x_title:
        ax.annotate(place.x_title, (0.5, 0), (0, -points(26)), "axes fraction", "offset points", ha="center", va="top", **style)
    if place.y_title:
        shift = -points(place.y_room)
        ax.annotate(place.y_title, (0, 0.5), (shift, 0), "axes fraction", "offset points", ha="right", va="center", rotation=90, **style)


def _headings(ax: Axes, place: Place) -> None:
    above: dict[str, Any] = {"xycoords": "axes fraction", "textcoords": "offset points", "va": "bottom", "annotation_clip": False}
    if place.heading:
        lift = points(8 + 16 * place.note_lines)
        style: dict[str, Any] = {"fontsize": points(HEADING), "fontweight": "bold", "color": colour(place.panel.colour)}
        ax.annotate(place.heading, (0, 1), (0, lift), ha="left", **above, **style)
    if place.note:
        at = 0 if place.note_lines else 1
        lift = points(7 + (place.note_lift if place.note_lines else 0))
        style = {"fontsize": points(TICK), "color": colour("muted")}
        ax.annotate(place.note, (at, 1), (0, lift), ha="right" if at else "left", linespacing=1.15, **above, **style)
    if not place.panel.marks:
        ax.text(0.5, 0.5, "nothing recorded", transform=ax.transAxes, ha="center", va="center", color=colour("muted"))


def bars(figure: Figure, plan: Plan) -> None:
    """A colour bar for every colour axis: at the right, or below if the plan is narrow."""
    _, right, bottom, left = plan.margin
    wide, high = plan.inner
    for bar in plan.bars:
        first, end = bar.span
        if plan.bars_below:
            box = (left + first * wide, 24.0, (end - first) * wide, 10.0)
        else:
            box = (plan.width - right + 14, bottom + (1 - end) * high, 10.0, (end - first) * high)
        ax = figure.add_axes((box[0] / plan.width, box[1] / plan.height, box[2] / plan.width, box[3] / plan.height))
        mappable = ScalarMappable(Normalize(*bar.heat.limits), colours(bar.heat.scale))
        drawn = figure.colorbar(mappable, cax=ax, orientation="horizontal" if plan.bars_below else "vertical")
        drawn.set_ticks([at for at, _ in bar.ticks], labels=[text for _, text in bar.ticks])
        drawn.ax.tick_params(length=points(4), color=colour("axis"), labelcolor=colour("muted"), labelsize=points(TICK))
        drawn.outline.set_visible(False)
        drawn.ax.grid(False)
        _bar_title(drawn.ax, printable(bar.heat.unit), "beside" if bar.heat.is_text else "above" if plan.narrow else "upright")


def _bar_title(ax: Axes, unit: str, where: str) -> None:
    style: dict[str, Any] = {"fontsize": points(TICK), "color": colour("muted"), "xycoords": "axes fraction", "textcoords": "offset points"}
    if where == "beside":
        ax.annotate(unit, (1, 0.5), (points(16), 0), ha="left", va="center", **style)
    elif where == "above":
        ax.annotate(unit, (0.5, 1), (0, points(5)), ha="center", va="bottom", **style)
    else:
        ax.annotate(unit, (1, 0.5), (points(48), 0), ha="center", va="center", rotation=90, **style)

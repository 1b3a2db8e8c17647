"""Colour bars: one for each colour axis, shared by all panels that are compared."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from gradviz.backends._scales import Ticks, choose
from gradviz.charts._description import Heat, Panel

_RIGHT, _BELOW, _UNIT, _NONE, _TEXT = 64.0, 58.0, 20.0, 12.0, 42.0  # pixels
_CLOSER = 1.8  # ticks of such a bar, against those of an axis
_LONG, _INDENT = 200.0, 10.0  # pixels, of a bar below a text; half of its first tick stands left of it


@dataclass(frozen=True)
class Bar:
    """A colour axis and its bar; span: part of the plotting area's height (or width, if below the picture), from 0 to 1."""

    heat: Heat
    ticks: Ticks
    span: tuple[float, float]


def kind(heat: Heat) -> tuple[object, ...]:
    """Heatmaps of one kind share a colour axis."""
    return heat.scale, heat.limits, heat.log, heat.unit


def heats(panels: Sequence[Panel]) -> list[Heat]:
    return [mark for panel in panels for mark in panel.marks if isinstance(mark, Heat)]


def room_for(drawn: Sequence[Heat], narrow: bool) -> tuple[float, float]:
    """Pixels right of the panels, and below them, for the bars."""
    if not drawn:
        return _NONE, 0.0
    if any(heat.is_text for heat in drawn):
        return _NONE, _TEXT
    unit = _UNIT if any(heat.unit for heat in drawn) else 0.0
    return (_NONE, _BELOW + unit) if narrow else (_RIGHT + unit, 0.0)


def bars(panels: Sequence[tuple[Panel, float, float]], length: float, narrow: bool) -> tuple[Bar, ...]:
    """A bar for each colour axis of the panels (panel, top, bottom), beside those that share it; if these overlap, or below the
    picture, the bars share the room evenly. `length`: pixels of all bars together."""
    found: dict[tuple[object, ...], tuple[Heat, float, float]] = {}
    for panel, top, bottom in panels:
        for heat in heats([panel]):
            first, least, most = found.get(kind(heat), (heat, top, bottom))
            found[kind(heat)] = (first, min(least, top), max(most, bottom))
    spans = [(top, bottom) for _, top, bottom in found.values()]
    if any(heat.is_text for heat, *_ in found.values()):
        share, indent = min(_LONG / length, 0.5 / len(spans)), _INDENT / length
        spans = [(index / len(spans) + indent, index / len(spans) + indent + share) for index in range(len(spans))]
    elif narrow or any(above[1] > below[0] for above, below in pairwise(spans)):
        gap = 0.06 if len(spans) > 1 else 0.0
        spans = [((index + gap) / len(spans), (index + 1 - gap) / len(spans)) for index in range(len(spans))]
    return tuple(
        Bar(heat, _ticks(heat, (end - first) * length, narrow or heat.is_text), (first, end))
        for (heat, *_), (first, end) in zip(found.values(), spans, strict=True)
    )


def _ticks(heat: Heat, length: float, below: bool) -> Ticks:
    low, high = heat.limits
    length *= _CLOSER if heat.is_text else 1.0 if below else 0.7
    return choose(low, high, length, log=heat.log, way="x" if below else "y")

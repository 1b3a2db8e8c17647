"""A panel with too many words for a phone, broken into two lines like text."""

from dataclasses import replace

import numpy as np

from gradviz.arrays import Array
from gradviz.charts._description import Band, Heat, Line, Mark, Panel, Points

MOST = 40  # words in one line on a phone


def wrapped(panel: Panel) -> list[Panel]:
    """The panel, or its two halves if it stands over more than MOST words. The heading stays with the first."""
    words = panel.x.words
    if words is None or len(words) <= MOST:
        return [panel]
    half = (len(words) + 1) // 2
    return [_part(panel, 0, half), replace(_part(panel, half, len(words)), heading="", note="")]


def _part(panel: Panel, first: int, end: int) -> Panel:
    """Words first … end - 1 and what stands over them. Positions begin at 0 again, so that every line is equally long."""
    assert panel.x.words is not None
    marks = tuple(part for mark in panel.marks if (part := _cut(mark, first, end)) is not None)
    half = (len(panel.x.words) + 1) // 2
    return replace(panel, marks=marks, x=replace(panel.x, words=panel.x.words[first:end], limits=(-0.5, half - 0.5)))


def _cut(mark: Mark, first: int, end: int) -> Mark | None:
    match mark:
        case Heat():
            inside = _inside(mark.x, first, end)
            return replace(mark, x=mark.x[inside] - first, values=mark.values[:, inside])
        case Line():
            inside = _inside(mark.x, first, end)
            return replace(mark, x=mark.x[inside] - first, y=mark.y[inside])
        case Points():
            inside = _inside(mark.x, first, end)
            hover = None if mark.hover is None else tuple(np.array(mark.hover, dtype=object)[inside])
            return replace(mark, x=mark.x[inside] - first, y=mark.y[inside], hover=hover)
        case Band():
            inside = _inside(mark.x, first, end)
            return replace(mark, x=mark.x[inside] - first, low=mark.low[inside], high=mark.high[inside])
        case _ if getattr(mark, "way", "") == "up":
            return replace(mark, value=mark.value - first) if first - 0.5 <= mark.value < end - 0.5 else None
    return mark


def _inside(x: Array, first: int, end: int) -> Array:
    return (x >= first - 0.5) & (x < end - 0.5)

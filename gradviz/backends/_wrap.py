"""A panel with more words than fit on a line, broken into several like text."""

from dataclasses import replace
from math import ceil

import numpy as np

from gradviz.arrays import Array
from gradviz.charts._description import Band, Bars, Grid, Heat, Line, Mark, Panel, Points, Rule

_LETTER = 7.2  # pixels
_LEGIBLE = 6  # letters by which most tokens are known
_MOST_PIECES = 6


def wrapped(panel: Panel, room: float) -> list[Panel]:
    """The panel, or pieces of it of equal length if its words need more than `room` pixels. The heading stays with the first."""
    words = panel.x.words
    if not words:
        return [panel]
    letters = min(_LEGIBLE, max(len(word) for word in words))
    pieces = min(_MOST_PIECES, ceil(len(words) * letters * _LETTER / room))
    if pieces == 1:
        return [panel]
    length = ceil(len(words) / pieces)
    found = [_part(panel, first, length) for first in range(0, len(words), length)]
    return [found[0], *(replace(piece, heading="", note="") for piece in found[1:])]


def _part(panel: Panel, first: int, length: int) -> Panel:
    """`length` words from `first` on, and what stands over them. Positions begin at 0 again, so that every line is equally long."""
    marks = tuple(part for mark in panel.marks if (part := _cut(mark, first, first + length)) is not None)
    words = (panel.x.words or ())[first : first + length]
    return replace(panel, marks=marks, x=replace(panel.x, words=words, limits=(-0.5, length - 0.5)))


def _cut(mark: Mark, first: int, end: int) -> Mark | None:
    match mark:
        case Heat():
            inside = _inside(mark.x, first, end)
            letters, said = _columns(mark.letters, inside), _columns(mark.hover, inside)
            return replace(mark, x=mark.x[inside] - first, values=mark.values[:, inside], letters=letters, hover=said)
        case Line():
            inside = _inside(mark.x, first, end)
            return replace(mark, x=mark.x[inside] - first, y=mark.y[inside])
        case Points() | Bars():
            inside = _inside(mark.x, first, end)
            hover = None if mark.hover is None else tuple(np.array(mark.hover, dtype=object)[inside])
            return replace(mark, x=mark.x[inside] - first, y=mark.y[inside], hover=hover)
        case Band():
            inside = _inside(mark.x, first, end)
            return replace(mark, x=mark.x[inside] - first, low=mark.low[inside], high=mark.high[inside])
        case Rule(way="up"):
            return replace(mark, value=mark.value - first) if first - 0.5 <= mark.value < end - 0.5 else None
    return mark


def _columns(grid: Grid, inside: Array) -> Grid:
    return tuple(tuple(text for text, kept in zip(row, inside, strict=True) if kept) for row in grid)


def _inside(x: Array, first: int, end: int) -> Array:
    return (x >= first - 0.5) & (x < end - 0.5)

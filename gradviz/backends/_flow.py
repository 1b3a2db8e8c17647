"""A text in cells, broken into lines as long as there is room for: a page, a phone and a paper each get their own."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from gradviz.backends._bars import heats, room_for
from gradviz.charts._description import Axis, Grid, Heat, Panel

LONGEST, SHORTEST = 72, 48  # cells in a line; a short text does not get larger letters than a line of SHORTEST cells would have
LEAST = 8.0  # pixels a cell is wide, at least
LINE, NARROW_LINE = 24.0, 22.0  # pixels from one line to the next
_EDGE = 12.0  # pixels left of the panels
_BLANKS, _ENDS = " ␣", "↵⏎"


def is_text(panel: Panel) -> bool:
    """Whether a panel holds letters on colours."""
    return any(heat.is_text for heat in heats([panel]))


def has_text(panels: Sequence[Panel]) -> bool:
    return any(is_text(panel) for panel in panels)


def height(panel: Panel, narrow: bool) -> float:
    return max(len(heat.letters) for heat in heats([panel])) * (NARROW_LINE if narrow else LINE)


def flowed(panels: Sequence[Panel], room: float, narrow: bool) -> list[Panel]:
    """Panels with their texts in lines; all lines have cells of one size."""
    if not has_text(panels):
        return list(panels)
    wide = room - _EDGE - room_for(heats(panels), narrow)[0]
    most = int(np.clip(wide / LEAST, 1, LONGEST))
    broken = {index: lines(heat.letters[0], most) for index, panel in enumerate(panels) for heat in heats([panel]) if _unbroken(heat)}
    longest = max([min(SHORTEST, most), *(end - first for found in broken.values() for first, end in found)])
    return [_laid_out(panel, broken[index], longest) if index in broken else panel for index, panel in enumerate(panels)]


def lines(letters: Sequence[str], most: int) -> list[tuple[int, int]]:
    """(first, end) of every line: ends after the sign of a line end, else at the last blank that fits, else where the room ends."""
    found, first, blank = [], 0, 0
    for at, letter in enumerate(letters):
        if at - first == most:
            end = blank if blank > first else at
            found.append((first, end))
            first = end
        if letter and letter in _ENDS:
            found.append((first, at + 1))
            first = at + 1
        if letter and letter in _BLANKS:
            blank = at + 1
    return [*found, (first, len(letters))] if first < len(letters) or not found else found


def _unbroken(heat: Heat) -> bool:
    return len(heat.letters) == 1


def _laid_out(panel: Panel, found: list[tuple[int, int]], longest: int) -> Panel:
    """The first line stands at the top, so it is the grid's last row."""
    rows = len(found)
    marks = tuple(_grid(mark, found, longest) if isinstance(mark, Heat) and _unbroken(mark) else mark for mark in panel.marks)
    x = replace(panel.x, limits=(-0.5, longest - 0.5), ticks=(), words=None)
    return replace(panel, marks=marks, x=x, y=Axis(limits=(-0.5, rows - 0.5), ticks=()))


def _grid(heat: Heat, found: list[tuple[int, int]], longest: int) -> Heat:
    values = np.ma.array(np.zeros((len(found), longest)), mask=True)
    framed = []
    for row, (first, end) in enumerate(reversed(found)):
        values[row, : end - first] = heat.values[0, first:end]
        framed += [(row, column - first) for _, column in heat.framed if first <= column < end]
    return replace(
        heat, x=np.arange(longest), y=np.arange(len(found)), values=values, framed=tuple(framed),
        letters=_cut(heat.letters, found, longest), hover=_cut(heat.hover, found, longest),
    )  # fmt: skip


def _cut(texts: Grid, found: list[tuple[int, int]], longest: int) -> Grid:
    if not texts:
        return ()
    return tuple((*texts[0][first:end], *[""] * (longest - end + first)) for first, end in reversed(found))

"""Tables whose cells have colours: numbers that can be read and compared at once."""

from collections.abc import Sequence

import numpy as np

from gradviz.arrays import Array
from gradviz.charts._description import Axis, Heat, Panel

Row = Sequence[str]


def table(letters: Sequence[Row], values: Array, like: Heat, heading: str = "") -> Panel:
    """letters, values: the rows from the top down, a text and a number for each cell; masked cells, such as headings, have no colour.
    like: a heat whose scale, limits, log and unit are taken; its hover too, from the top down."""
    rows, columns = values.shape
    heat = Heat(
        np.arange(columns), np.arange(rows), values[::-1], like.scale, like.limits, like.log, like.unit,
        letters=tuple(tuple(row) for row in letters[::-1]), hover=like.hover[::-1],
    )  # fmt: skip
    x, y = (Axis(limits=(-0.5, count - 0.5), ticks=()) for count in (columns, rows))
    return Panel((heat,), x, y, heading)


def blank(rows: int, columns: int) -> Array:
    """(rows, columns) cells without colour, to be filled: a value that is set gets one."""
    return np.ma.array(np.zeros((rows, columns)), mask=True)

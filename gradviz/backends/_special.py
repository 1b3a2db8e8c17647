"""Values that are on no scale: which there are, where lines stop, and where sparse marks stand on a heatmap.

Colour is never the only sign: zero, infinity and NaN get a flat colour and a mark.
"""

from dataclasses import dataclass

import numpy as np

from gradviz.arrays import Array
from gradviz.charts._description import Heat, Line

LATTICE = 40  # pixels between the marks on a heatmap
MOST_STOPS = 40

WORDS = {"zero": "exactly 0 (underflow)", "infinite": "infinite (overflow)", "nan": "not a number"}
GLYPHS = {"zero": "·", "infinite": "∞", "nan": "×"}


@dataclass(frozen=True)
class Layer:
    """One kind of special value in a heatmap: mask (len(y), len(x)); marks at columns[i], rows[i]."""

    kind: str
    mask: Array
    rows: Array
    columns: Array


def heat_values(heat: Heat) -> tuple[Array, Array]:
    """The values as float64, and where nothing was recorded (the mask of a masked array): those cells stay empty."""
    values: Array = np.ma.getdata(heat.values).astype(np.float64)
    return values, np.ma.getmaskarray(heat.values)


def layers(heat: Heat, width: float, height: float) -> list[Layer]:
    """The special values of a heatmap drawn `width` × `height` pixels large. On a log scale -inf is zero."""
    values, absent = heat_values(heat)
    under = np.isneginf(values)
    masks = {
        "zero": under if heat.log else np.zeros_like(under),
        "infinite": np.isposinf(values) if heat.log else np.isinf(values),
        "nan": np.isnan(values),
    }
    every = [max(1, round(LATTICE * count / max(1.0, pixels))) for count, pixels in zip(values.shape, (height, width), strict=True)]
    return [Layer(kind, mask & ~absent, *_lattice(mask & ~absent, every)) for kind, mask in masks.items() if (mask & ~absent).any()]


def _lattice(mask: Array, every: list[int]) -> tuple[Array, Array]:
    """Cells of the mask on a regular lattice; one in its middle if the lattice misses it."""
    rows, columns = np.nonzero(mask)
    first = [count % step // 2 + step // 2 for count, step in zip(mask.shape, every, strict=True)]  # as far from both edges
    hit = (rows % every[0] == first[0] % every[0]) & (columns % every[1] == first[1] % every[1])
    if not hit.any():
        hit[np.argmin((rows - rows.mean()) ** 2 + (columns - columns.mean()) ** 2)] = True
    return rows[hit], columns[hit]


def runs(mask: Array) -> list[tuple[int, int]]:
    """(first, end) of every stretch of True, end excluded."""
    steps = np.diff(np.concatenate([[0], np.asarray(mask).astype(np.int8), [0]]))
    return list(zip(np.flatnonzero(steps == 1).tolist(), np.flatnonzero(steps == -1).tolist(), strict=True))


def isolated(values: Array) -> Array:
    """Finite values without a finite neighbour: a line through them has no length, so they need a mark."""
    finite = np.concatenate([[False], np.isfinite(values), [False]])
    alone: Array = finite[1:-1] & ~finite[:-2] & ~finite[2:]
    return alone


def stops(line: Line, placed: Array, middle: float) -> list[tuple[float, float, float]]:
    """Where NaN ends a line: (x, y) of its × and the x of the first NaN. `placed`: the line's values at their places.

    The × stands on the last value before the NaN, on the next one if the line begins with NaN, and at `middle` if there is neither.
    """
    y = np.asarray(placed, dtype=np.float64)
    found = []
    for first, end in runs(np.isnan(np.asarray(line.y, dtype=np.float64)))[:MOST_STOPS]:
        at = next((index for index in (first - 1, end) if 0 <= index < len(y) and np.isfinite(y[index])), None)
        x = float(line.x[first if at is None else at])
        found.append((x, middle if at is None else float(y[at]), float(line.x[first])))
    return found

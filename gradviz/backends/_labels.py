"""Direct labels: words beside the lines they name, where they cover neither lines nor each other."""

from dataclasses import dataclass

import numpy as np

from gradviz.arrays import Array
from gradviz.backends._text import width

HEIGHT = 15.0  # pixels of one line of label
_GAP = 5.0
_AWAY = (0, 6, 20)  # the price of standing so many lines of text further from the curve
_LEVELS = 2 * len(_AWAY)  # above and below
_FRACTIONS = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.0)


@dataclass(frozen=True)
class Wish:
    """A text that wants to stand beside a curve of points (n, 2) in pixels from the panel's lower left corner, best near its end."""

    text: str
    colour: str
    curve: Array


@dataclass(frozen=True)
class Label:
    """left, right: pixels of the ends of the text; middle: of its middle, from below; covers: whether it stands on a line or on marks."""

    text: str
    colour: str
    left: float
    right: float
    middle: float
    covers: bool = False


def sample(x: Array, y: Array, every: float = 3.0) -> Array:
    """A line as points so close that no label slips between two of them: (n,), (n,) in pixels -> (m, 2). Gaps stay gaps."""
    keep = np.isfinite(x)
    x, y = np.asarray(x, dtype=np.float64)[keep], np.asarray(y, dtype=np.float64)[keep]
    points = np.column_stack([x, y])
    if len(points) < 2:
        return points[np.isfinite(y)]
    with np.errstate(invalid="ignore"):  # gaps
        far = np.abs(np.diff(points, axis=0)).max(axis=1)
    long = np.flatnonzero(np.isfinite(far) & (far > every))
    counts = np.minimum(400, (far[long] / every).astype(np.int64) + 2) - 2
    segment, first = np.repeat(long, counts), np.repeat(np.cumsum(counts) - counts, counts)
    share = ((np.arange(len(segment)) - first + 1) * np.repeat(1 / (counts + 1), counts))[:, None]
    found: Array = np.concatenate([points, points[segment] * (1 - share) + points[segment + 1] * share])
    return found[np.isfinite(found[:, 1])]


def settle(wishes: list[Wish], obstacles: Array, panel: tuple[float, float], tints: Array | None = None) -> list[Label]:
    """A place for every wish, one after the other: the cheapest of some places along its curve, above and below it.

    obstacles: points (n, 2) of lines and marks; tints: points of tinted areas, on which words are better not to stand but may.
    """
    placed: list[Label] = []
    taken: list[Array] = []
    lines, areas = _Spots(obstacles), _Spots(np.zeros((0, 2)) if tints is None else tints)
    for wish in wishes:
        boxes, prices = _places(wish, panel)
        covered = lines.inside(boxes)
        best = int(np.argmin(prices + (4.0 * covered + 2.0 * _overlap(boxes, taken) + 0.12 * areas.inside(boxes))))
        taken.append(boxes[best])
        left, bottom, right, top = boxes[best].tolist()
        placed.append(Label(wish.text, wish.colour, left, right, (bottom + top) / 2, bool(covered[best])))
    return placed


class _Spots:
    """Points (n, 2), sorted so that those in a box are found without looking at the others."""

    def __init__(self, points: Array) -> None:
        self.x, self.y = points[np.argsort(points[:, 0], kind="stable")].T

    def inside(self, boxes: Array) -> Array:
        """How many points are in each box, or nearly: (n, 4) -> (n,). Boxes above each other, _LEVELS in a row, share a search."""
        found = np.zeros((len(boxes) // _LEVELS, _LEVELS), np.int64)
        first = np.searchsorted(self.x, boxes[::_LEVELS, 0], "right").tolist()
        end = np.searchsorted(self.x, boxes[::_LEVELS, 2], "left").tolist()
        bottom, top = (boxes[:, which].reshape(found.shape) for which in (1, 3))
        for at in range(len(found)):
            if first[at] < end[at]:
                up = np.sort(self.y[first[at] : end[at]])
                found[at] = np.searchsorted(up, top[at] + 2, "left") - np.searchsorted(up, bottom[at] - 2, "right")
        return found.ravel()


def _overlap(boxes: Array, taken: list[Array]) -> Array:
    """Square pixels of labels that stand already and that each box would cover: (n, 4) -> (n,)."""
    over = np.zeros(len(boxes))
    for other in taken:
        wide = np.minimum(boxes[:, 2], other[2]) - np.maximum(boxes[:, 0], other[0])
        over += np.maximum(0.0, wide) * np.maximum(0.0, np.minimum(boxes[:, 3], other[3]) - np.maximum(boxes[:, 1], other[1]))
    return over


def _places(wish: Wish, panel: tuple[float, float]) -> tuple[Array, Array]:
    """Boxes (n, 4: left, bottom, right, top) for a wish, and the price of standing away from the end and from the line (n,)."""
    wide, high = width(wish.text) + 4, HEIGHT
    curve = wish.curve if len(wish.curve) else np.array([[panel[0] / 2, panel[1] / 2]])
    x, y = curve[np.argsort(curve[:, 0], kind="stable")].T
    rights = np.clip(x[0] + np.array(_FRACTIONS) * (x[-1] - x[0]), min(wide, panel[0]), panel[0])
    firsts, ends = np.searchsorted(x, rights - wide, "left").tolist(), np.searchsorted(x, rights, "right").tolist()
    boxes, prices = [], []
    for fraction, right, first, end in zip(_FRACTIONS, rights.tolist(), firsts, ends, strict=True):
        near = y[first:end] if first < end else y[[np.argmin(np.abs(x - right))]]
        highest, lowest = float(near.max()), float(near.min())
        for lines in range(_LEVELS // 2):
            for bottom in (highest + _GAP + lines * high, lowest - _GAP - high - lines * high):
                inside = min(max(bottom, 1), max(1.0, panel[1] - high - 1))
                boxes.append((right - wide, inside, right, inside + high))
                prices.append(30 * (1 - fraction) + 0.15 * (highest - lowest) + 2 * abs(inside - bottom) + _AWAY[lines])
    return np.array(boxes, dtype=np.float64), np.array(prices)

"""Direct labels: words beside the lines they name, where they cover neither lines nor each other."""

from dataclasses import dataclass

import numpy as np

from gradviz.arrays import Array
from gradviz.backends._text import width

HEIGHT = 15.0  # pixels of one line of label
_GAP = 5.0
_AWAY = (0, 6, 20)  # the price of standing so many lines of text further from the curve
Box = tuple[float, float, float, float]  # left, bottom, right, top
_FRACTIONS = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.0)


@dataclass(frozen=True)
class Wish:
    """A text that wants to stand beside a curve of points (n, 2) in pixels from the panel's lower left corner, best near its end."""

    text: str
    colour: str
    curve: Array


@dataclass(frozen=True)
class Label:
    """left, middle: pixels of the left end and the middle of the text; covers: whether it stands on a line or on marks."""

    text: str
    colour: str
    left: float
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
    boxes: list[Box] = []
    lines, areas = _Spots(obstacles), _Spots(np.zeros((0, 2)) if tints is None else tints)
    for wish in wishes:
        choices = _places(wish, panel)
        covered, tinted = lines.inside([box for box, _ in choices]), areas.inside([box for box, _ in choices])
        prices = [price + (4.0 * covered[at] + 2.0 * _overlap(box, boxes) + 0.12 * tinted[at]) for at, (box, price) in enumerate(choices)]
        best = min(range(len(choices)), key=prices.__getitem__)
        box = choices[best][0]
        boxes.append(box)
        placed.append(Label(wish.text, wish.colour, box[0], (box[1] + box[3]) / 2, covered[best] > 0))
    return placed


class _Spots:
    """Points (n, 2), sorted so that those in a box are found without looking at the others."""

    def __init__(self, points: Array) -> None:
        self.x, self.y = points[np.argsort(points[:, 0], kind="stable")].T

    def inside(self, boxes: list[Box]) -> list[int]:
        """How many points are in each box, or nearly. Boxes with the same sides, one above the other, share the search."""
        slices: dict[tuple[float, float], Array] = {}
        found = []
        for left, bottom, right, top in boxes:
            if (left, right) not in slices:
                first, end = np.searchsorted(self.x, left, "right"), np.searchsorted(self.x, right, "left")
                slices[left, right] = np.sort(self.y[first : max(first, end)])
            up = slices[left, right]
            found.append(max(0, int(np.searchsorted(up, top + 2, "left") - np.searchsorted(up, bottom - 2, "right"))))
        return found


def _overlap(box: Box, boxes: list[Box]) -> float:
    """Square pixels of labels that stand already and that a box would cover."""
    left, bottom, right, top = box
    return sum(max(0.0, min(right, b[2]) - max(left, b[0])) * max(0.0, min(top, b[3]) - max(bottom, b[1])) for b in boxes)


def _places(wish: Wish, panel: tuple[float, float]) -> list[tuple[Box, float]]:
    """Boxes (left, bottom, right, top) for a wish, each with the price of standing away from the end and from the line."""
    wide, high = width(wish.text) + 4, HEIGHT
    curve = wish.curve if len(wish.curve) else np.array([[panel[0] / 2, panel[1] / 2]])
    first, last = curve[:, 0].min(), curve[:, 0].max()
    found = []
    for fraction in _FRACTIONS:
        right = np.clip(first + fraction * (last - first), min(wide, panel[0]), panel[0])
        near = curve[(curve[:, 0] >= right - wide) & (curve[:, 0] <= right)]
        near = near if len(near) else curve[[np.argmin(np.abs(curve[:, 0] - right))]]
        away = float(np.ptp(near[:, 1]))
        above, below = near[:, 1].max() + _GAP, near[:, 1].min() - _GAP - high
        for bottom, further in [(edge + way * lines * high, _AWAY[lines]) for lines in range(3) for edge, way in ((above, 1), (below, -1))]:
            inside = float(np.clip(bottom, 1, max(1.0, panel[1] - high - 1)))
            box = (right - wide, inside, float(right), inside + high)
            found.append((box, 30 * (1 - fraction) + 0.15 * away + 2 * abs(inside - bottom) + further))
    return found

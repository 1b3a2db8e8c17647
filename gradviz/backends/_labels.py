"""Direct labels: words beside the lines they name, where they cover neither lines nor each other."""

from dataclasses import dataclass

import numpy as np

from gradviz.arrays import Array
from gradviz.backends._text import width

HEIGHT = 15.0  # pixels of one line of label
_GAP = 5.0
_AWAY = (0, 6, 20)  # the price of standing so many lines of text further from the curve
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
    points = [np.column_stack([x, y])]
    for index in range(len(x) - 1):
        far = max(abs(x[index + 1] - x[index]), abs(y[index + 1] - y[index]))
        if np.isfinite(far) and far > every:
            between = np.linspace(0, 1, min(400, int(far / every) + 2))[1:-1, None]
            points.append(points[0][index] * (1 - between) + points[0][index + 1] * between)
    found = np.concatenate(points)
    return found[np.isfinite(found[:, 1])]


def settle(wishes: list[Wish], obstacles: Array, panel: tuple[float, float], tints: Array | None = None) -> list[Label]:
    """A place for every wish, one after the other: the cheapest of some places along its curve, above and below it.

    obstacles: points (n, 2) of lines and marks; tints: points of tinted areas, on which words are better not to stand but may.
    """
    placed: list[Label] = []
    boxes: list[tuple[float, float, float, float]] = []
    for wish in wishes:
        choices = _places(wish, panel)
        box = min(choices, key=lambda choice: choice[1] + _cost(choice[0], obstacles, boxes, tints))[0]
        boxes.append(box)
        placed.append(Label(wish.text, wish.colour, box[0], (box[1] + box[3]) / 2, bool(_inside(box, obstacles))))
    return placed


def _places(wish: Wish, panel: tuple[float, float]) -> list[tuple[tuple[float, float, float, float], float]]:
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


def _inside(box: tuple[float, float, float, float], points: Array) -> int:
    """How many of the points are in the box, or nearly."""
    left, bottom, right, top = box
    found = (points[:, 0] > left) & (points[:, 0] < right) & (points[:, 1] > bottom - 2) & (points[:, 1] < top + 2)
    return int(found.sum())


def _cost(
    box: tuple[float, float, float, float], obstacles: Array, boxes: list[tuple[float, float, float, float]], tints: Array | None
) -> float:
    """What a box covers: points of lines, labels that stand already, and tints, which cost least."""
    left, bottom, right, top = box
    over = sum(max(0.0, min(right, b[2]) - max(left, b[0])) * max(0.0, min(top, b[3]) - max(bottom, b[1])) for b in boxes)
    return 4.0 * _inside(box, obstacles) + 2.0 * over + (0.0 if tints is None else 0.12 * _inside(box, tints))

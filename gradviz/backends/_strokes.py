"""A line as both backends draw it: the part among the numbers, marks on the rails, the × where NaN ends it, and direct labels."""

from dataclasses import dataclass

import numpy as np

from gradviz.arrays import Array
from gradviz.backends._decimate import cloud, envelope, trail
from gradviz.backends._labels import Label, Wish, sample, settle
from gradviz.backends._layout import Place
from gradviz.backends._special import isolated, layers, stops
from gradviz.backends._text import number, printable
from gradviz.charts._description import Band, Bars, Heat, Line, Path, Points, Rule

MARKS = 9  # on a line or a rail, at most
BAR = 0.72  # width of a bar as a share of the distance from one to the next
LINE_GAP = 3  # pixels of paper between two lines of a text
NEAR = 40  # pixels from the end of a path within which its name stands
SPACING = 14  # pixels between them, at least


@dataclass(frozen=True)
class Stroke:
    """x, y: the line among the numbers, NaN in its gaps; rails: (kind, x, y) of values on a rail; crosses: (x, y) where NaN begins;
    dots: (x, y) of values without a neighbour, which a line cannot show."""

    x: Array
    y: Array
    rails: tuple[tuple[str, Array, Array], ...]
    crosses: tuple[Array, Array]
    dots: tuple[Array, Array]


def stroke(line: Line, place: Place) -> Stroke:
    x, y = (np.asarray(values, dtype=np.float64) for values in (line.x, line.y))
    kept = envelope(y)
    x, y = x[kept], y[kept]
    drawn = place.y.numbers(y)
    found = [
        (kind, x[which], place.y.place(y[which])) for kind, which in (("zero", np.isneginf(y)), ("infinite", np.isposinf(y))) if which.any()
    ]
    ends = np.array([end[:2] for end in stops(line, place.y.place(line.y), _middle(place))], dtype=np.float64).reshape(-1, 2)
    alone = isolated(drawn)
    return Stroke(x, drawn, tuple(found), (ends[:, 0], ends[:, 1]), (x[alone], drawn[alone]))


@dataclass(frozen=True)
class Way:
    """x, y: a path among the numbers, NaN in its gaps; first, last: (x, y) of its ends, which may be empty; turn: degrees from upwards,
    clockwise, in which its last piece leads; crosses: (x, y) of the last point before a gap that a NaN makes."""

    x: Array
    y: Array
    first: tuple[Array, Array]
    last: tuple[Array, Array]
    turn: float
    crosses: tuple[Array, Array]


def way(path: Path, place: Place) -> Way:
    x, y = place.x.numbers(path.x), place.y.numbers(path.y)
    kept = trail(place.x.share(x), place.y.share(y))
    x, y = x[kept], y[kept]
    known = np.isfinite(x) & np.isfinite(y)
    x, y = np.where(known, x, np.nan), np.where(known, y, np.nan)
    ends = np.flatnonzero(known[:-1] & ~known[1:])
    there = np.flatnonzero(known)
    first, last = there[:1], there[-1:] if len(known) and known[-1] else there[:0]
    pixels = np.column_stack([place.x.share(x[there]) * place.width, place.y.share(y[there]) * place.height])
    steps = np.diff(pixels, axis=0)
    steps = steps[np.hypot(*steps.T) > 0]
    turn = float(np.degrees(np.arctan2(steps[-1, 0], steps[-1, 1]))) if len(steps) else 0.0
    return Way(x, y, (x[first], y[first]), (x[last], y[last]), turn, (x[ends], y[ends]))


def sparse(x: Array, place: Place) -> Array:
    """Indices of at most MARKS of the points at `x`, the first and the last among them, evenly spaced and never touching."""
    if not len(x):
        return np.arange(0)
    room = int(np.ptp(place.x.share(x)) * place.lattice[0] / SPACING) + 1
    return np.unique(np.linspace(0, len(x) - 1, min(len(x), MARKS, max(2, room))).round().astype(int))


@dataclass(frozen=True)
class Cloud:
    """x, y: places of the points that are shown; which: their indices; kind of each: "number", "rail" (zero, infinite) or "nan"."""

    x: Array
    y: Array
    which: Array
    kind: Array


def scatter(points: Points | Bars, place: Place) -> Cloud:
    x, y = place.x.place(points.x), place.y.place(points.y)
    which = cloud(place.x.share(x), place.y.share(y))
    nan, finite = np.isnan(points.x) | np.isnan(points.y), np.isfinite(points.x) & np.isfinite(points.y)
    kind = np.where(nan, "nan", np.where(finite, "number", "rail"))
    return Cloud(x[which], y[which], which, kind[which])


def outline(band: Band, place: Place) -> tuple[Array, Array, Array]:
    """x, low, high of a band inside its panel, with no more points than can be seen."""
    kept = np.union1d(envelope(band.low), envelope(band.high))
    low, high = (place.y.clamp(np.asarray(edge)[kept]) for edge in (band.low, band.high))
    return np.asarray(band.x)[kept], low, high


def off_scale(mark: Bars, drawn: Cloud) -> Points:
    """Bars that are no numbers, as open points on their rails."""
    which = drawn.which[drawn.kind != "number"]
    hover = None if mark.hover is None else tuple(mark.hover[at] for at in which)
    return Points(mark.x[which], mark.y[which], mark.name, mark.colour, filled=False, hover=hover)


def labels(place: Place) -> list[Label]:
    """Where the words of a panel stand: names at the ends of lines, of rules, and where NaN or infinity begins."""
    wishes: list[Wish] = []
    obstacles, tints = [np.zeros((0, 2))], [np.zeros((0, 2))]
    for mark in place.panel.marks:
        match mark:
            case Line():
                curve = _curve(mark, place)
                obstacles += [curve, *_crosses(mark, place)]
                if mark.label:
                    wishes.append(Wish(printable(mark.label), mark.colour, curve))
                wishes += _ends(mark, place)
            case Path():
                drawn = way(mark, place)
                curve = _pixels(place, drawn.x, drawn.y)
                obstacles.append(curve)
                wishes += _arrives(mark, curve)
            case Rule():
                curve = _pixels(place, *rule_ends(mark, place))
                obstacles.append(curve)
                if mark.label:
                    wishes.append(Wish(printable(mark.label), "ink", curve))
            case Points() | Bars():
                obstacles.append(_spread(mark, place))
            case Band():
                tints.append(_filled(mark, place))
            case Heat() if not mark.is_text:
                wishes += _begins(mark, place)
    return settle(wishes, np.concatenate(obstacles), (place.width, place.height), np.concatenate(tints))


def rule_ends(rule: Rule, place: Place) -> tuple[Array, Array]:
    """The two ends of a rule inside its panel."""
    x, y = np.array([place.x.start, place.x.end]), np.array([place.y.start, place.y.end])
    if rule.way == "across":
        return x, np.full(2, float(place.y.place(np.array([rule.value]))[0]))
    if rule.way == "up":
        return np.full(2, rule.value), y
    x = np.clip(rule.value - np.array([place.y.high, place.y.low]), place.x.low, place.x.high)
    return x, rule.value - x


def _middle(place: Place) -> float:
    return (place.y.low + place.y.high) / 2


def _pixels(place: Place, x: Array, y: Array, *, joined: bool = True) -> Array:
    """Points, or the line through them, in pixels from the panel's lower left corner: -> (n, 2)."""
    across, up = place.x.share(x) * place.width, place.y.share(y) * place.height
    return sample(across, up) if joined else np.column_stack([across, up])[np.isfinite(across) & np.isfinite(up)]


def _curve(line: Line, place: Place) -> Array:
    """What a line covers, its marks on the rails included."""
    drawn = stroke(line, place)
    parts = [_pixels(place, drawn.x, drawn.y), *(_pixels(place, x, y, joined=False) for _, x, y in drawn.rails)]
    return np.concatenate(parts)


def _arrives(path: Path, curve: Array) -> list[Wish]:
    """The name of a path, near its end."""
    if not path.label or not len(curve):
        return []
    return [Wish(printable(path.label), path.colour, curve[np.hypot(*(curve - curve[-1]).T) < NEAR])]


def _spread(mark: Points | Bars, place: Place) -> Array:
    """Some of the points, in pixels."""
    drawn = scatter(mark, place)
    few = np.linspace(0, len(drawn.x) - 1, min(len(drawn.x), 400)).astype(int)
    return _pixels(place, drawn.x[few], drawn.y[few], joined=False)


def _filled(band: Band, place: Place) -> Array:
    """The area of a band as points, a few pixels apart."""
    x, *edges = outline(band, place)
    low, high = (_pixels(place, x, edge) for edge in edges)
    if not len(low) or not len(high):
        return np.zeros((0, 2))
    across = np.arange(max(low[0, 0], high[0, 0]), min(low[-1, 0], high[-1, 0]) + 1, 3.0)
    bottom, top = (np.interp(across, edge[:, 0], edge[:, 1]) for edge in (low, high))
    up = np.arange(0.0, place.height, 5.0)
    inside = (up >= bottom[:, None]) & (up <= top[:, None])
    return np.column_stack([np.broadcast_to(across[:, None], inside.shape)[inside], np.broadcast_to(up, inside.shape)[inside]])


def _crosses(line: Line, place: Place) -> list[Array]:
    """The room around every ×, as points."""
    around = np.array([[x, y] for x in (-6, 0, 6) for y in (-6, 0, 6)])
    return [centre + around for centre in _pixels(place, *stroke(line, place).crosses, joined=False)]


def _ends(line: Line, place: Place) -> list[Wish]:
    """A word where NaN ends a line for the first time."""
    found = stops(line, place.y.place(line.y), _middle(place))[:1]
    return [
        Wish(f"NaN from {number(first)}", line.colour, _pixels(place, np.array([x]), np.array([y]), joined=False)) for x, y, first in found
    ]


def _begins(heat: Heat, place: Place) -> list[Wish]:
    """A word where infinity and NaN begin in a heatmap."""
    wishes = []
    for layer in layers(heat, *place.lattice):
        if layer.kind == "zero":
            continue
        column = int(np.argmax(layer.mask.any(axis=0)))
        row = int(np.argmax(layer.mask[:, column]))
        at = _pixels(place, np.array([heat.x[column]], dtype=float), np.array([heat.y[row]], dtype=float))
        wishes.append(Wish(f"{'∞' if layer.kind == 'infinite' else 'NaN'} from {number(float(heat.x[column]))}", "ink", at))
    return wishes

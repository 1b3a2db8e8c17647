"""A line as both backends draw it: the part among the numbers, marks on the rails, the × where NaN ends it, and direct labels."""

from dataclasses import dataclass

import numpy as np

from gradviz.arrays import Array
from gradviz.backends._decimate import cloud, envelope
from gradviz.backends._labels import Label, Wish, sample, settle
from gradviz.backends._layout import Place
from gradviz.backends._special import isolated, layers, stops
from gradviz.backends._text import number, printable
from gradviz.charts._description import Heat, Line, Points, Rule

MARKS = 9  # on a line or a rail, at most


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
    found = [(kind, x[which], place.y.place(y[which])) for kind, which in (("zero", np.isneginf(y)), ("infinite", np.isposinf(y))) if which.any()]
    ends = np.array([end[:2] for end in stops(line, place.y.place(line.y), _middle(place))], dtype=np.float64).reshape(-1, 2)
    alone = isolated(drawn)
    return Stroke(x, drawn, tuple(found), (ends[:, 0], ends[:, 1]), (x[alone], drawn[alone]))


def sparse(count: int) -> Array:
    """Indices of at most MARKS of `count` points, the first and the last among them, evenly spaced."""
    return np.unique(np.linspace(0, count - 1, min(count, MARKS)).round().astype(int)) if count else np.arange(0)


@dataclass(frozen=True)
class Cloud:
    """x, y: places of the points that are shown; which: their indices; special: where a coordinate was not a number."""

    x: Array
    y: Array
    which: Array
    special: Array


def scatter(points: Points, place: Place) -> Cloud:
    x, y = place.x.place(points.x), place.y.place(points.y)
    which = cloud(place.x.share(x), place.y.share(y))
    special = ~(np.isfinite(points.x) & np.isfinite(points.y))
    return Cloud(x[which], y[which], which, special[which])


def labels(place: Place) -> list[Label]:
    """Where the words of a panel stand: names at the ends of lines, of rules, and where NaN or infinity begins."""
    wishes: list[Wish] = []
    obstacles = [np.zeros((0, 2))]
    for mark in place.panel.marks:
        match mark:
            case Line():
                curve = _pixels(place, mark.x, place.y.place(mark.y))
                obstacles.append(curve)
                if mark.label:
                    wishes.append(Wish(printable(mark.label), mark.colour, curve))
                wishes += _ends(mark, place)
            case Rule():
                curve = _pixels(place, *rule_ends(mark, place))
                obstacles.append(curve)
                if mark.label:
                    wishes.append(Wish(printable(mark.label), "ink", curve))
            case Heat():
                wishes += _begins(mark, place)
    return settle(wishes, np.concatenate(obstacles), (place.width, place.height))


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


def _pixels(place: Place, x: Array, y: Array) -> Array:
    """A line as closely spaced points in pixels from the panel's lower left corner: -> (n, 2)."""
    kept = envelope(np.asarray(y, dtype=np.float64))
    return sample(place.x.share(x)[kept] * place.width, place.y.share(y)[kept] * place.height)


def _ends(line: Line, place: Place) -> list[Wish]:
    """A word where NaN ends a line for the first time."""
    found = stops(line, place.y.place(line.y), _middle(place))[:1]
    return [Wish(f"NaN from {number(first)}", line.colour, _pixels(place, np.array([x]), np.array([y]))) for x, y, first in found]


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

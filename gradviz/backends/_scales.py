"""Where numbers stand on an axis: limits, ticks, and rails for values that are on no axis (zero on a log axis, infinity, NaN)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil, floor, log10

import numpy as np

from gradviz.arrays import Array
from gradviz.backends._text import number, power, printable, superscript, width
from gradviz.charts._description import Axis, Band, Bars, Heat, Line, Mark, Panel, Path, Points, Rule

Way = str  # "x" or "y"
Ticks = tuple[tuple[float, str], ...]

RULE, RAIL, EDGE = 0.08, 0.14, 0.185  # dotted rule, rail and end of the axis, as shares of the span beyond the limits
MARK = 6.0  # pixels at both ends of an axis, so that a mark on its limit is seen whole
_STEPS = (0.25, 0.5, 1, 2, 2.5, 5, 10, 20)
_MANTISSAS = ((1.0,), (1.0, 2.0, 5.0), (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 7.0))


@dataclass(frozen=True)
class Scale:
    """low, high: limits of the numbers; start, end: of the axis with its rails; below, above, nan: the rails, None where not needed;
    rules: dotted lines that set the rails off; log: numbers are log10."""

    low: float
    high: float
    start: float
    end: float
    ticks: Ticks
    log: bool = False
    below: float | None = None
    above: float | None = None
    nan: float | None = None
    rules: tuple[float, ...] = ()
    title: str = ""

    def numbers(self, values: Array) -> Array:
        """The values that stand among the numbers; NaN for the others. Nothing is drawn between the last tick and a rail."""
        values = np.asarray(values, dtype=np.float64)
        under = values < self.low if self.below is not None else np.isneginf(values)
        over = values > self.high if self.above is not None or self.nan is not None else np.isposinf(values)
        return np.where(under | over, np.nan, values)

    def place(self, values: Array) -> Array:
        """Every value at its place, special ones on their rails."""
        placed = self.numbers(values)
        rails = ((np.isneginf(values), self.below), (np.isposinf(values), self.above), (np.isnan(values), self.nan))
        for which, rail in rails:
            placed = np.where(which, np.nan if rail is None else rail, placed)
        return placed

    def clamp(self, values: Array) -> Array:
        """Values held inside the axis, for the edges of a band; NaN stays."""
        return np.clip(np.asarray(values, dtype=np.float64), self.start, self.end)

    def share(self, values: Array) -> Array:
        """Position along the axis, 0 at its start and 1 at its end."""
        return (np.asarray(values, dtype=np.float64) - self.start) / (self.end - self.start)


def edges(centres: Array) -> Array:
    """Borders of the cells of a heatmap, halfway between their centres: (n,) -> (n + 1,)."""
    centres = np.asarray(centres, dtype=np.float64)
    if len(centres) < 2:
        return np.concatenate([centres - 0.5, centres + 0.5])
    middle = (centres[1:] + centres[:-1]) / 2
    return np.concatenate([[2 * centres[0] - middle[0]], middle, [2 * centres[-1] - middle[-1]]])


def _extent(mark: Mark, way: Way) -> list[Array]:
    """The numbers of a mark along an axis."""
    match mark:
        case Line() | Path() | Points():
            return [mark.x if way == "x" else mark.y]
        case Band():
            return [mark.x] if way == "x" else [mark.low, mark.high]
        case Bars():
            return [edges(mark.x)] if way == "x" else [mark.y, np.array([mark.base])]
        case Heat():
            return [edges(mark.x if way == "x" else mark.y)]
        case Rule() if mark.way == ("up" if way == "x" else "across"):
            return [np.array([mark.value])]
    return []


def _specials(panels: Iterable[Panel], way: Way) -> Array:
    """Which special values need a rail: those of points, and those of lines that are infinite. Lines end where they are NaN."""
    found = [np.array([])]
    for mark in (mark for panel in panels for mark in panel.marks):
        if isinstance(mark, Points) or (isinstance(mark, Bars) and way == "y"):
            found.append(np.asarray(mark.x if way == "x" else mark.y, dtype=np.float64))
        elif isinstance(mark, Line) and way == "y":
            found.append(np.where(np.isnan(mark.y), 0.0, mark.y))
    return np.concatenate(found)


def _fit(axis: Axis, panels: Sequence[Panel], way: Way) -> tuple[float, float]:
    """Limits that hold all finite numbers of the panels, with a little room; heatmaps and words fill their axis."""
    if axis.limits is not None:
        return float(axis.limits[0]), float(axis.limits[1])
    if axis.words is not None:
        return -0.5, max(1, len(axis.words)) - 0.5
    marks = [mark for panel in panels for mark in panel.marks]
    values = np.concatenate([np.array([])] + [np.ravel(part) for mark in marks for part in _extent(mark, way)])
    values = values[np.isfinite(values)]
    if not len(values):
        return (-1.0, 1.0) if axis.scale == "log" else (0.0, 1.0)
    low, high = float(values.min()), float(values.max())
    if low == high:
        room = 0.5 if axis.scale == "log" else 0.5 * abs(low) or 0.5
    else:
        room = 0.0 if _filled(axis, panels) or way == "x" else 0.05 * (high - low)
    return low - room, high + room


def _filled(axis: Axis, panels: Sequence[Panel]) -> bool:
    """Heatmaps and words reach to the ends of their axis."""
    return axis.words is not None or any(isinstance(mark, Heat) for panel in panels for mark in panel.marks)


def scale_of(axis: Axis, panels: Sequence[Panel], way: Way, length: float) -> Scale:
    """The scale of one axis shared by `panels`, `length` pixels long."""
    low, high = _fit(axis, panels, way)
    span, special = high - low, _specials(panels, way)
    log = axis.scale == "log"
    below = low - RAIL * span if np.isneginf(special).any() else None
    over = [name for name, which in (("∞", np.isposinf(special)), ("NaN", np.isnan(special))) if which.any()]
    above = {name: high + (RAIL + index * (RAIL - RULE) * 1.6) * span for index, name in enumerate(over)}
    edge = 0.0 if _filled(axis, panels) else MARK * span / length
    start = low - edge if below is None else low - EDGE * span
    end = max(above.values()) + (EDGE - RAIL) * span if above else high + edge
    inner = length * span / (end - start)
    ticks = _thinned(axis.ticks, inner / span, way) if axis.ticks is not None else choose(low, high, inner, log=log, way=way)
    rails = [(below, "zero" if log else "−∞")] if below is not None else []
    rules = ([low - RULE * span] if below is not None else []) + ([high + RULE * span] if above else [])
    every = (*rails, *ticks, *((at, name) for name, at in above.items()))
    return Scale(low, high, start, end, every, log, below, above.get("∞"), above.get("NaN"), tuple(rules), axis.label)


def choose(low: float, high: float, length: float, *, log: bool, way: Way) -> Ticks:
    """Round ticks between two limits on an axis of `length` pixels."""
    most = max(2, int(length / (64 if way == "x" else 34)))
    return _log_ticks(low, high, most) if log else _linear_ticks(low, high, most)


def _linear_ticks(low: float, high: float, most: int) -> Ticks:
    """Multiples of 1, 2, 2.5 or 5; at least two of them."""
    least = (high - low) / most
    unit = 10.0 ** floor(log10(least))
    coarse = next(index for index, factor in enumerate(_STEPS) if unit * factor >= least * (1 - 1e-9))
    for factor in _STEPS[coarse::-1]:
        step = unit * factor
        ticks = range(ceil(low / step - 1e-9), floor(high / step + 1e-9) + 1)
        if len(ticks) >= 2:
            break
    return tuple((index * step, number(round(index * step, 12 - floor(log10(step))))) for index in ticks)


def _log_ticks(low: float, high: float, most: int) -> Ticks:
    """Whole powers of ten, evenly spaced; over less than about two decades multiples of them."""
    for every in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000):
        whole = [at for at in range(ceil(low), floor(high) + 1) if at % every == 0]
        if len(whole) <= most:
            break
    if len(whole) >= 3 or high - low > 3:
        return tuple((float(at), power(at)) for at in whole)
    for mantissas in _MANTISSAS:
        exponents = range(floor(low), ceil(high) + 1)
        multiples = [(exponent + log10(m), _multiple(m, exponent)) for exponent in exponents for m in mantissas]
        inside = [(at, text) for at, text in multiples if low <= at <= high]
        if 2 <= len(inside) <= most:
            return tuple(inside)
    return _fine_ticks(low, high, most)


def _fine_ticks(low: float, high: float, most: int) -> Ticks:
    """Evenly spaced numbers between two that differ little, never computing a power that would overflow."""
    exponent = floor(low)
    ticks = _linear_ticks(10.0 ** (low - exponent), 10.0 ** (high - exponent), most)
    return tuple((exponent + log10(at), _multiple(at, exponent)) for at, _ in ticks if at > 0)


def _multiple(mantissa: float, exponent: int) -> str:
    if mantissa >= 10:
        mantissa, exponent = mantissa / 10, exponent + 1
    if mantissa == 1:
        return power(exponent)
    return number(mantissa * 10.0**exponent) if -4 <= exponent <= 4 else f"{number(mantissa)}·10{superscript(exponent)}"


def _thinned(ticks: Ticks, pixels: float, way: Way) -> Ticks:
    """Given ticks without those that would overlap the one kept before them; `pixels` to a unit."""
    kept: list[tuple[float, str]] = []
    for at, text in sorted((at, printable(text)) for at, text in ticks):
        room = (width(text) + width(kept[-1][1])) / 2 + 6 if way == "x" and kept else 14
        if not kept or (at - kept[-1][0]) * pixels >= room:
            kept.append((float(at), text))
    return tuple(kept)

"""Letters on the cells of a heatmap, in the ink that can be read on each colour."""

from dataclasses import dataclass
from functools import cache

import numpy as np

from gradviz.arrays import Array
from gradviz.backends._special import heat_values
from gradviz.backends._text import visible
from gradviz.backends.theme import TOKENS
from gradviz.charts._description import Heat

LIGHT, DARK = "#ffffff", "#000000"  # one of them has a contrast of 4.5 or more on any colour
SIGNS = "␣↵⏎⇥·"  # stand for what has no letter: drawn fainter, so that words stand out
FAINT = 0.55
_ADVANCE = 0.62  # width of a letter of the mono face as a share of its size
_LARGEST, _SMALLEST = 13.0, 5.0  # pixels


@dataclass(frozen=True)
class Ink:
    """Letters of one colour, (n,) each. colour: a hex value, or "@ink" where a cell has no colour of its own."""

    colour: str
    faint: bool
    rows: Array
    columns: Array
    texts: tuple[str, ...]


def size(heat: Heat, width: float) -> float:
    """Pixels of the letters of a heatmap `width` pixels wide; 0 if they could not be read."""
    found = min(_LARGEST, width / max(1, heat.values.shape[1]) / _ADVANCE)
    return found if found >= _SMALLEST else 0.0


def inks(heat: Heat) -> list[Ink]:
    """The letters of a heatmap, sorted by ink."""
    values, absent = heat_values(heat)
    groups: dict[tuple[str, bool], list[tuple[int, int, str]]] = {}
    light = _light(heat, values)
    for row, column in np.ndindex(*values.shape):
        letter = heat.letters[row][column]
        if letter.strip():
            colour = "@ink" if absent[row, column] else LIGHT if light[row, column] else DARK
            groups.setdefault((colour, letter in SIGNS), []).append((row, column, visible(letter)))
    found = []
    for (colour, faint), cells in groups.items():
        rows, columns, texts = zip(*cells, strict=True)
        found.append(Ink(colour, faint, np.array(rows), np.array(columns), texts))
    return found


def frames(heat: Heat) -> list[tuple[float, float, float]]:
    """(left, bottom, width) of the frames around framed cells, in cells of height 1: neighbours in a row share one."""
    found: list[tuple[float, float, float]] = []
    for row, column in sorted(heat.framed):
        left, bottom = float(heat.x[column]) - 0.5, float(heat.y[row]) - 0.5
        if found and found[-1][1] == bottom and found[-1][0] + found[-1][2] == left:
            found[-1] = (found[-1][0], bottom, found[-1][2] + 1)
        else:
            found.append((left, bottom, 1.0))
    return found


def on(heat: Heat, value: float) -> str:
    """The ink that stands out more from the colour of a value."""
    return LIGHT if _light(heat, np.array([value]))[0] else DARK


def _light(heat: Heat, values: Array) -> Array:
    """Whether the light ink stands out more from the colour of each value."""
    low, high = heat.limits
    stops, finite = _stops(heat.scale), np.isfinite(values)
    place = np.clip((np.where(finite, values, low) - low) / (high - low), 0, 1) * (len(stops) - 1)
    colours = np.stack([np.interp(place, np.arange(len(stops)), channel) for channel in stops.T], axis=-1)
    ground = _luminance(colours)
    light: Array = ~finite | (contrast(ground, 1.0) >= contrast(ground, _ink()))  # the flat colours of special values are dark
    return light


@cache
def _stops(scale: str) -> Array:
    """(stop, channel) of a colour scale."""
    return np.array([_rgb(stop) for stop in TOKENS["scale"][scale]])


def contrast(one: Array, other: float) -> Array:
    """WCAG 2.1 contrast of relative luminances with another one."""
    ratio: Array = (np.maximum(one, other) + 0.05) / (np.minimum(one, other) + 0.05)
    return ratio


@cache
def _ink() -> float:
    return float(_luminance(np.array(_rgb(DARK))))


def _rgb(colour: str) -> tuple[float, ...]:
    return tuple(int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))


def _luminance(rgb: Array) -> Array:
    """(…, channel) -> (…)"""
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    bright: Array = linear @ np.array([0.2126, 0.7152, 0.0722])
    return bright

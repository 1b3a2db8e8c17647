"""The plays of lesson 7: descent at the wall, and what the rules make of one gradient."""

from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import numpy as np
import pandas as pd

from gradviz.arrays import Array
from gradviz.charts import Description
from gradviz.charts._description import Axis, Bars, Heat, Mark, Panel, Path, Rule, log10
from gradviz.charts.cliff import across, beside, held
from gradviz.dynamics.one_unit import Descent, surface, wall
from gradviz.lessons._clipping import RULES, Way, angle, at_wall, clipped, gradient, length, walk
from gradviz.lessons._play import Play, control
from gradviz.lessons._words import spelled

LIMITS = ((3.0, 7.0), (-5.0, 0.0))  # of the map, in w and b
SIDE = 81
GRADIENTS = ("on the wall", "0.001 above it", "on the plateau", "(30, 40)")


def said(value: float) -> str:
    """A number that was computed, without what the last digits of a float hold."""
    return spelled(float(f"{value:.6g}"))


def named(rule: str, threshold: float) -> str:
    words = {"none": "Unclipped", "norm": f"Clipped to norm {spelled(threshold)}", "value": f"With entries within ±{spelled(threshold)}"}
    return words[rule]


@dataclass(frozen=True)
class Cliffwalk(Play):
    """The error of one unit over its two parameters, and a descent that begins at the wall."""

    name: ClassVar[str] = "Descent at the wall"
    alive: ClassVar[str] = "threshold"

    rule: str = control("norm", "Clipping", choices=RULES)
    threshold: float = control(1.0, "Threshold τ", (0.1, 1000.0, 0))
    steps: int = control(1, "Steps", (1, 100, 1))
    w: float = control(5.0, "Weight w at first", (3.0, 7.0, 0.05))
    offset: float = control(0.0, "b at first, above the wall", (-0.05, 0.05, 0.001))
    rate: float = control(0.01, "Learning rate η", (0.001, 0.1, 0))

    def draw(self) -> Description:
        way = walk(self.w, self.offset, Way(self.rule, self.threshold, self.rate, self.steps))
        frame = pd.DataFrame({"step": np.arange(self.steps + 1), "w": way.path[:, 0], "b": way.path[:, 1]})
        return Description(
            "cliffwalk",
            self._title(way),
            "Left: error (σ(x₅₀) − 0.7)² of the unit x_t = w σ(x_{t−1}) + b over w and b, log colour; dashed: the wall; dots: descent. "
            f"Right: length of the gradient against the distance from the wall, at w = {spelled(self.w)}, both scales log"
            f"{'; line: the threshold' if self.rule == 'norm' else ''}.",
            "Where w is above 4.26 the gradient on the wall is far longer than a little beside it. From w = 5 one unclipped step follows "
            "it off the map; clipped by norm, no step is longer than η times τ, and descent goes on from where it was.",
            frame.assign(error=way.error, norm=way.norm),
            (self._map(way), self._across()),
            columns=2,
        )

    def _title(self, way: Descent) -> str:
        steps = "1 step leads" if self.steps == 1 else f"{self.steps} steps lead"
        who = f"{named(self.rule, self.threshold)}, {steps}"
        if not np.isfinite(way.path[-1]).all():
            return f"{who} to where there are no numbers"
        off = ", off the map" if held(way.path, LIMITS)[1] else ""
        away = float(np.linalg.norm(way.path[-1] - way.path[0]))
        return f"{who} {said(away)} away{off}; the error goes from {said(float(way.error[0]))} to {said(float(way.error[-1]))}"

    def _map(self, way: Descent) -> Panel:
        w, b, errors = ground()
        path, left = held(way.path, LIMITS)
        x, y = path.T
        marks = (
            Heat(w, b, errors, limits=(-3.0, 0.0), log=True, unit="error"),
            Path(w, wall(w), "the wall", "paper", dashed=True),
            Path(x, y, "descent, on its ground", "paper"),
            Path(
                x,
                y,
                "descent",
                "ink",
                thin=True,
                dots=True,
                begin=True,
                end="arrow" if left else "diamond",
                label="off the map" if left else "descent",
            ),
        )
        return Panel(marks, Axis("w", limits=LIMITS[0]), Axis("b", limits=LIMITS[1]), "Error")

    def _across(self) -> Panel:
        panel = across(_beside(self.w))
        line = (Rule(float(np.log10(self.threshold)), "across", "τ", dashed=True),) if self.rule == "norm" else ()
        return Panel((*panel.marks, *line), panel.x, Axis("", "log", (-4.0, 4.0)), "Gradient beside the wall", note=panel.heading)


@lru_cache(maxsize=1)
def ground() -> tuple[Array, Array, Array]:
    """w, b, and log10 of the error over both."""
    w, b = (np.linspace(*ends, SIDE) for ends in LIMITS)
    return w, b, log10(surface(w[None], b[:, None]).error)


@lru_cache(maxsize=128)
def _beside(w: float) -> pd.DataFrame:
    return beside(w)


@lru_cache(maxsize=8)
def chosen(name: str) -> Array:
    """(2,) one of GRADIENTS."""
    if name == GRADIENTS[2]:
        return gradient(surface(*walk(5.0, 0.0, Way("none")).path[1]))  # where one unclipped step lands
    if name == GRADIENTS[3]:
        return np.array([30.0, 40.0])
    return at_wall(5.0, 0.001 if name == GRADIENTS[1] else 0.0)


@dataclass(frozen=True)
class Rules(Play):
    """One gradient, its length and its direction, as it is and by both rules."""

    name: ClassVar[str] = "Two rules, one gradient"
    alive: ClassVar[str] = "threshold"

    gradient: str = control("on the wall", "Gradient", choices=GRADIENTS, help="of the unit at w = 5, or one to reckon with")
    threshold: float = control(5.0, "Threshold τ", (0.1, 1000.0, 0))

    def draw(self) -> Description:
        before = chosen(self.gradient)
        after = {"as it is": before, **{f"by {rule}": clipped(before, rule, self.threshold) for rule in RULES[1:]}}
        lengths = np.array([length(vector) for vector in after.values()])
        cosines = np.array([angle(before, vector) for vector in after.values()])
        frame = pd.DataFrame({"rule": list(after), "w": [v[0] for v in after.values()], "b": [v[1] for v in after.values()]})
        return Description(
            "rules",
            self._title(lengths, cosines),
            f"The gradient {self.gradient}, {_vector(before)}, clipped to the norm {spelled(self.threshold)}, and with each entry held "
            f"within ±{spelled(self.threshold)}. Left: lengths, log scale. Right: directions, all drawn equally long.",
            "The norm’s rule shortens and keeps the direction, always. The other one turns the gradient, if one entry is cut and the other "
            "is not cut as much. A gradient below the threshold is left alone by both.",
            frame.assign(length=lengths, cosine=cosines),
            (self._lengths(tuple(after), lengths), _directions(after)),
            columns=2,
        )

    def _title(self, lengths: Array, cosines: Array) -> str:
        if lengths[0] == lengths[1] == lengths[2]:
            return f"{said(float(lengths[0]))} long, the gradient is not above the threshold, and neither rule touches it"
        told = " and ".join(
            f"{said(float(size))} by {rule} (cosine {said(round(float(turned), 4))})"
            for rule, size, turned in zip(RULES[1:], lengths[1:], cosines[1:], strict=True)
        )
        return f"{said(float(lengths[0]))} long, the gradient becomes {told}"

    def _lengths(self, names: tuple[str, ...], lengths: Array) -> Panel:
        hover = tuple(f"{name}: {said(float(size))}" for name, size in zip(names, lengths, strict=True))
        ticks = tuple((float(at), name) for at, name in enumerate(names))
        marks = (
            Bars(np.arange(3), log10(lengths), "length", "accent", base=-7.0, hover=hover),
            Rule(float(np.log10(self.threshold)), "across", "τ", dashed=True),
        )
        return Panel(marks, Axis("rule", limits=(-0.6, 2.6), ticks=ticks), Axis("", "log", (-7.0, 3.2)), "Length")


def _vector(vector: Array) -> str:
    return f"({said(float(vector[0]))}, {said(float(vector[1]))})"


def _directions(after: dict[str, Array]) -> Panel:
    colours = {"as it is": "ghost", "by norm": "accent", "by value": "rnn"}
    marks: list[Mark] = []
    for name, vector in after.items():
        x, y = (np.array([0.0, part]) for part in vector / length(vector))
        marks.append(Path(x, y, name, colours[name], dashed=name == "by norm", end="arrow", label=name))
    ends = (-1.3, 1.3)
    return Panel(tuple(marks), Axis("∂E/∂w", limits=ends), Axis("∂E/∂b", limits=ends), "Direction")

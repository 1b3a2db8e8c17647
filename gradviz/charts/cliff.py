"""The cliff: the wall in the error surface of one recurrent unit, and gradient descent at it, clipped and not."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import numpy as np
import pandas as pd

from gradviz.arrays import Array
from gradviz.charts._base import Chart
from gradviz.charts._description import Axis, Description, Heat, Line, Mark, Panel, Path, log10
from gradviz.dynamics.one_unit import PAPER, Descent, descents, refined, surface, wall
from gradviz.frames import Run
from gradviz.options import check, option
from gradviz.wording import number

WIDE, HIGH = (-0.7, 0.2), (-0.45, 0.25)  # how far the picture reaches from the beginning, in w and in b
SIDE = 120  # samples of the surface along each side
LOOK_FOR = (
    "The edge along the dashed line is the wall, and healthy is a descent that meets it and stays in the picture, as the clipped one does. "
    "A single step with the whole gradient of the wall throws the other so far that nothing it had learned is left."
)


@dataclass(frozen=True)
class Cliff(Chart):
    """x_t = w σ(x_{t−1}) + b for 50 steps, its end compared with a target. No run is needed, and none is shown."""

    needs = ()
    about_runs: ClassVar[bool] = False
    purpose = "what clipping does where the error has a wall: descents of a network of one unit"

    w: float = option(5.0, "recurrent weight at which descent begins; the wall is steep above 4.26", low=3.0, high=8.0)
    b: float = option(-2.3, "bias at which descent begins", low=-6.0, high=0.0)
    rate: float = option(0.05, "learning rate", low=1e-4, high=1.0)
    threshold: float = option(1.0, "norm to which the clipped descent shortens longer gradients", low=1e-3, high=1000.0)
    steps: int = option(200, "steps of descent", low=1, high=2000)

    def __post_init__(self) -> None:
        check(self)

    def describe(self, runs: Sequence[Run]) -> Description:
        return _drawn(self)

    def draw(self) -> Description:
        plain, clipped = descents((self.w, self.b), self.rate, self.steps, (None, self.threshold))
        near = across(beside(self.w))
        frame = pd.concat([_frame("plain", plain), _frame("clipped", clipped)], ignore_index=True)
        limits = (self.w + WIDE[0], self.w + WIDE[1]), (self.b + HIGH[0], self.b + HIGH[1])
        return Description(
            "cliff",
            _title(plain, clipped, limits),
            f"Above: the error (σ(x₅₀) − {PAPER.target:g})² of the unit x_t = w σ(x_{{t−1}}) + b over its two parameters, log colour; "
            f"dashed line: the wall; dots: {self.steps} steps of gradient descent at rate {self.rate:g}, plain and with longer gradients "
            f"shortened to {self.threshold:g}. Below: the norm of the gradient beside the wall at w = {number(self.w, 3)}, both scales "
            "log; it dips where the error is zero.",
            LOOK_FOR,
            frame,
            (_map(plain, clipped, limits), near),
            columns=1,
            shape="line",
            source="Pascanu, Mikolov and Bengio 2013, section 2.3 and figure 6",
        )


@lru_cache(maxsize=16)
def _drawn(cliff: Cliff) -> Description:
    return cliff.draw()


def beside(w: float) -> pd.DataFrame:
    """The norm of the gradient on either side of the wall, by samples that crowd towards it: an even grid misses the peak by orders of
    magnitude."""
    near = refined(np.array([w]))
    return pd.DataFrame({"w": w, "offset": near.offset[0], "norm": near.surface.norm[0]})


def across(near: pd.DataFrame) -> Panel:
    """That norm against the distance from the wall."""
    away, norms = near["offset"].to_numpy(), near["norm"].to_numpy()
    sides = (("above the wall", away > 0, "lstm", False), ("below the wall", away < 0, "rnn", True))
    lines = [Line(log10(np.abs(away[side])), log10(norms[side]), name, colour, dashed, label=name) for name, side, colour, dashed in sides]
    heading = f"w = {number(float(near['w'].iloc[0]), 3)}"
    return Panel(tuple(lines), Axis("distance in b from the wall", "log"), Axis("gradient norm", "log"), heading)


def _frame(name: str, one: Descent) -> pd.DataFrame:
    places = {"descent": name, "step": np.arange(len(one.path)), "w": one.path[:, 0], "b": one.path[:, 1]}
    return pd.DataFrame({**places, "error": one.error, "norm": one.norm})


Limits = tuple[tuple[float, float], tuple[float, float]]


def _map(plain: Descent, clipped: Descent, limits: Limits) -> Panel:
    w, b = (np.linspace(*ends, SIDE) for ends in limits)
    values = surface(w[None], b[:, None]).error
    on_wall = wall(w)
    inside = (limits[1][0] <= on_wall) & (on_wall <= limits[1][1])
    marks: tuple[Mark, ...] = (
        Heat(w, b, log10(values), limits=(-3.0, 0.0), log=True, unit="error"),
        Path(w[inside], on_wall[inside], "the wall", "paper", dashed=True),
        *_ways(plain, "plain", "rnn", limits),
        *_ways(clipped, "clipped", "gru", limits),
    )
    return Panel(marks, Axis("w", limits=limits[0]), Axis("b", limits=limits[1]), "The error and two descents")


def _ways(one: Descent, name: str, colour: str, limits: Limits) -> tuple[Path, ...]:
    """A descent on a ground of paper, seen on dark and bright alike; where it leaves the picture it says where it ends."""
    kept, left = held(one.path, limits)
    label = f"{name}: ends {_place(one.path[-1])}" if left else name
    x, y = kept.T
    ground = Path(x, y, name, "paper")
    return ground, Path(x, y, f"{name} descent", colour, thin=True, dots=True, begin=True, end="arrow" if left else "diamond", label=label)


def _place(point: Array) -> str:
    return f"at w = {number(float(point[0]))}, b = {number(float(point[1]))}" if np.isfinite(point).all() else "where there are no numbers"


def held(path: Array, limits: Limits) -> tuple[Array, bool]:
    """(n, 2) the part of a path that lies inside the limits, with the place on their edge where it leaves them for the first time, and
    whether it does."""
    low, high = np.array(limits).T
    out = np.flatnonzero(~((low <= path) & (path <= high)).all(axis=1))
    if not len(out):
        return path, False
    at = int(out[0])
    if at == 0 or not np.isfinite(path[at]).all():
        return path[: max(at, 1)], True
    step = path[at] - path[at - 1]
    with np.errstate(all="ignore"):
        shares = np.where(step > 0, (high - path[at - 1]) / step, np.where(step < 0, (low - path[at - 1]) / step, np.inf))
    edge = path[at - 1] + min(1.0, float(shares.min())) * step
    return np.concatenate([path[:at], np.clip(edge, low, high)[None]]), True


def longest(one: Descent) -> float:
    """The length of the longest step."""
    moved = np.linalg.norm(np.diff(one.path, axis=0), axis=1)
    return float("inf") if not np.isfinite(moved).all() else float(moved.max())


def _title(plain: Descent, clipped: Descent, limits: Limits) -> str:
    (first, thrown), (second, strayed) = held(plain.path, limits), held(clipped.path, limits)
    tamed = (
        f"clipped descent {f'leaves it at step {len(second) - 1}' if strayed else 'stays'}, no step longer than {number(longest(clipped))}"
    )
    ended = f"and ends at an error of {number(float(clipped.error[-1]))}"
    if thrown:
        return f"Plain descent leaves the picture at step {len(first) - 1} and jumps by up to {number(longest(plain))}; {tamed}, {ended}"
    return f"Plain descent stays in the picture and ends at an error of {number(float(plain.error[-1]))}; {tamed}, {ended}"

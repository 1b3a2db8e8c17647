"""Phase portrait: the ways of the state through its two main directions, and where it rests when no input comes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from gradviz.charts._base import Chart
from gradviz.charts._common import MARKERS, aside, colour, grid, heading, held, left_out, nothing, stack
from gradviz.charts._description import Axis, Description, Mark, Panel, Path, Points
from gradviz.charts._reopened import LEFT_OUT, Known, asked
from gradviz.charts._resting import LONG, View, view
from gradviz.charts._twice import twice
from gradviz.charts._words import sentence, spoken
from gradviz.dynamics.fixed_points import Point
from gradviz.errors import GradvizError
from gradviz.frames import Run
from gradviz.options import check, option
from gradviz.wording import listed, number, percent, span, steps

COLUMNS = ("run", "what", "sequence", "time", "first", "second", "q", "stability", "starts", "time_constant")
NUMBERS = {1: "one point", 2: "two points", 3: "three points"}
LOOK_FOR = (
    "Healthy are ways that spread out and stay apart while something is to be remembered, and points at which the slowest mode fades no "
    "faster than that. One stable point that draws everything in quickly has forgotten the sequence soon after its end."
)


@dataclass(frozen=True)
class Phase(Chart):
    """Of the hidden state of one layer; points are searched in the joint state of all layers."""

    needs = ()
    exact: ClassVar[bool] = True
    purpose = "the ways of the hidden state, and the points where it rests when no input comes"

    example: int = option(0, "first held-out sequence that is drawn, counted from 0", low=0)
    sequences: int = option(3, "how many sequences are drawn", low=1, high=20)
    layer: int = option(-1, "layer, counted from 0; -1 is the last", low=-1)
    starts: int = option(3, "states of the sequences from which points are searched, besides where they go without input", low=1, high=200)
    iterations: int = option(80, "most steps of the search from one state", low=1, high=2000)

    def __post_init__(self) -> None:
        check(self)

    def describe(self, runs: Sequence[Run]) -> Description:
        looked = twice(runs, self._view, self.example, start=False)
        if not looked.found:
            return nothing("phase", looked.why, COLUMNS, LOOK_FOR)
        shown, columns = grid(looked.runs)
        every = {one.run: one.now for one in looked.found}
        return Description(
            "phase",
            _title(shown, every),
            f"{self._subtitle(every)}{looked.why}{left_out(runs, shown, LEFT_OUT)}",
            LOOK_FOR,
            stack([_frame(run, every[run]) for run in shown], COLUMNS),
            tuple(_panel(run, every[run], shown) for run in shown),
            columns=columns,
            shape="plane",
            key=(("dot", "stable point"), ("ring", "unstable point")) if any(seen.portrait.points for seen in every.values()) else (),
            source="Sussillo and Barak 2013",
        )

    def _view(self, run: Run, known: Known) -> View:
        others = [asked([run], self.example + at)[0] for at in range(1, self.sequences)]
        more = tuple(one.known for found in others for one in found)
        layers = sorted({at for at, _ in known.network.parts.places})
        if self.layer >= len(layers):
            raise GradvizError(f"there is no layer {self.layer}; the network has {len(layers)}, counted from 0.")
        return view(known, more, layers[self.layer], self.starts, self.iterations)

    def _subtitle(self, every: dict[Run, View]) -> str:
        drawn = span([len(seen.ways) for seen in every.values()])
        reads = {seen.tokens for seen in every.values()}
        without = "no token" if reads == {True} else "an input of zeros" if reads == {False} else "no token or an input of zeros"
        started, failed = span([seen.portrait.starts for seen in every.values()]), span([seen.portrait.failed for seen in every.values()])
        return (
            f"Hidden states while {held(list(every))} sequences ({drawn} a run) are read, from the ring to the arrow, on their first two "
            f"principal components (PC, share of the variance). Points: where a state stays, or small where it lingers, under {without}, "
            f"searched from {started} states, {self.iterations} steps each at most; {failed} of them did not end, and there may be more "
            "points. Short line: the direction of a point’s most unstable mode."
        )


def _frame(run: Run, seen: View) -> pd.DataFrame:
    parts = [
        pd.DataFrame({"what": "state", "sequence": at, "time": np.arange(len(way)), "first": way[:, 0], "second": way[:, 1]})
        for at, way in enumerate(seen.ways)
    ]
    rows = [
        {
            "what": point.kind, "first": first, "second": second, "q": point.q, "stability": point.stability, "starts": point.starts,
            "time_constant": _slowest(point),
        }
        for point, (first, second) in zip(seen.portrait.points, seen.places, strict=True)
    ]  # fmt: skip
    return (
        pd.concat([*parts, *([pd.DataFrame(rows)] if rows else [])], ignore_index=True).assign(run=run.label).reindex(columns=list(COLUMNS))
    )


def _slowest(point: Point) -> float:
    """Steps in which the mode that fades last is left with 1/e; infinite where one grows or stays."""
    return float("inf") if point.stability != "stable" else float(point.modes.time_constants[0])


def _panel(run: Run, seen: View, shown: Sequence[Run]) -> Panel:
    (left, right), (bottom, top) = limits = [_limits(seen, way) for way in (0, 1)]
    length = 0.05 * max(right - left, top - bottom)
    marks: list[Mark] = [Path(way[:, 0], way[:, 1], f"{run.label}, sequence {at}", "ghost", thin=True) for at, way in enumerate(seen.ways)]
    for way in seen.ways:  # above all lines, which would cover them
        marks += [
            Path(way[:2, 0], way[:2, 1], "begin", thin=True, begin=True),
            Path(way[-2:, 0], way[-2:, 1], "end", thin=True, end="arrow"),
        ]
    for point, place, mode in zip(seen.portrait.points, seen.places, seen.modes, strict=True):
        ends = np.stack([place - length * mode, place + length * mode])
        marks.append(Path(ends[:, 0], ends[:, 1], "most unstable mode", colour(run), thin=True))
        marks.append(
            Points(
                place[:1], place[1:], f"{run.label}, {point.kind} point", colour(run), MARKERS.get(run.family, "circle"),
                point.stability == "stable", point.kind == "slow", (_hover(point),),
            )
        )  # fmt: skip
    names = [f"PC {at} ({percent(share)})" for at, share in enumerate(seen.shares, 1)]
    axes = [Axis(name, limits=ends) for name, ends in zip(names, limits, strict=True)]
    return Panel(tuple(marks), axes[0], axes[1], heading(run), colour(run), _note(run, seen, shown))


def _limits(seen: View, way: int) -> tuple[float, float]:
    values = np.concatenate([*(part[:, way] for part in seen.ways), seen.places[:, way]])
    values = values[np.isfinite(values)]
    low, high = (float(values.min()), float(values.max())) if len(values) else (0.0, 0.0)
    room = 0.08 * (high - low) or 0.1
    return low - room, high + room


def _hover(point: Point) -> str:
    tau = _slowest(point)
    fades = f"its slowest mode fades in {steps(tau)}" if np.isfinite(tau) else f"{point.modes.unstable} of its modes grow"
    return f"{point.kind} point, {point.stability}: q = {number(point.q)}, {fades}; found from {point.starts} starts"


def _note(run: Run, seen: View, shown: Sequence[Run]) -> str:
    fixed, slow = seen.portrait.fixed, seen.portrait.slow
    stable = sum(point.stability == "stable" for point in fixed)
    parts = [f"{len(fixed)} fixed, {stable} stable"] if fixed else ["no fixed point found"]
    if slow:
        parts.append(f"{len(slow)} slow, q {span([point.q for point in slow])}")
    return (f"{aside(run, shown)}: " if len(shown) > 1 else "") + "; ".join(parts)


def _title(shown: Sequence[Run], every: dict[Run, View]) -> str:
    """Where the sequences come to rest when input ends; runs of one fate together."""
    fates = [(fate, group) for fate in ("rests", "some", "moving") if (group := [run for run in shown if _fate(every[run]) == fate])]
    alone = len(fates) == 1
    parts = [_told(fate, spoken(group, shown), [every[run] for run in group], alone=alone) for fate, group in fates]
    return sentence(f"Without input {listed(parts)}", f"Where the state of {len(shown)} runs rests without input")


def _fate(seen: View) -> str:
    return "rests" if not seen.moving else "moving" if seen.moving == len(seen.ways) else "some"


def _told(fate: str, name: str, seen: Sequence[View], *, alone: bool) -> str:
    s, own = ("", "their") if len(seen) > 1 else ("s", "its")
    if fate in ("moving", "some"):
        whose = "" if fate == "moving" else "some sequences of "
        verb = "are" if whose or not s else "is"
        return f"{whose}{name} {verb} still moving after {LONG // 1000}\u202f000 steps"
    counts = sorted({len(one.rests) for one in seen})
    where = NUMBERS.get(counts[0], f"{counts[0]} points") if len(counts) == 1 else f"{span(counts)} points"
    each = " each" if len(seen) > 1 else ""
    slowest = [max(_slowest(point) for point in one.rests) for one in seen]
    if not np.isfinite(slowest).all():
        fades = ""
    elif alone:
        fades = f"; {own} slowest mode fades in {_within(slowest)}"
    else:
        fades = f" (slowest mode: {_within(slowest)})"
    return f"{name} come{s} to rest at {where}{each}{fades}"


def _within(counts: Sequence[float]) -> str:
    return steps(counts[0]) if len(counts) == 1 else f"{span(counts)}\u202fsteps"

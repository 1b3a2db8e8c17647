"""What lesson 2 draws: a step of one unit taken apart, and its map from state to state."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from gradviz.arrays import Array
from gradviz.charts import Description
from gradviz.charts._description import Axis, Bars, Line, Mark, Panel, Path, Points
from gradviz.lessons._basic_rnn import LENGTH, Rest, Steps, next_states, numbers, rests, run
from gradviz.lessons._play import Play, control
from gradviz.lessons._words import spelled
from gradviz.wording import listed

ECHO = "1 0 0 0"
LEAST = 2.5  # the axis of what is added up reaches so far at least
WAY = 24  # steps of the way through the map
STATE = (-1.0, 1.0)


@dataclass(frozen=True)
class Unit(Play):
    """h_t = tanh(w h_{t−1} + u x_t + b), one step at a time."""

    name: ClassVar[str] = "One unit, step by step"
    alive: ClassVar[str] = "w"

    step: int = control(1, "Step t", (1, LENGTH, 1))
    w: float = control(0.5, "Weight w of the state", (-2.5, 2.5, 0.05))
    u: float = control(1.0, "Weight u of the input", (0.0, 2.0, 0.1))
    b: float = control(0.0, "Bias b", (-1.0, 1.0, 0.1))
    inputs: str = control(
        ECHO, "Inputs x", help="up to 12 numbers from −2 to 2, then zeros. Try 1 0 0 0 (an echo) or, with w = 2, 2 0 0 −1."
    )

    def draw(self) -> Description:
        x, at = np.array(numbers(self.inputs)), self.step - 1
        it = run(tuple(x), self.w, self.u, self.b)
        parts = np.array([self.w * it.before, self.u * x, np.full(LENGTH, self.b)])
        columns = {"t": np.arange(1, LENGTH + 1), "x": x, "from_state": parts[0], "from_input": parts[1], "bias": parts[2]}
        edge = max(LEAST, float(np.ceil(np.abs(np.cumsum(parts, axis=0)).max())))
        said = [spelled(float(value)) for value in (*parts[:, at], it.z[at], it.after[at])]
        return Description(
            "unit",
            f"Step {self.step}: w·h = {said[0]}, u·x = {said[1]} and b = {said[2]} make z = {said[3]}; tanh turns it into {said[4]}",
            f"h is the state, x the input. First: the state after each step, linear scale; before the first it is 0. Then step {self.step} "
            "taken apart: what is added up, and tanh with the point on it.",
            "With |w| below 1 a single input leaves an echo that fades. With w well above 1 the state stays up: it has latched. A negative "
            "w turns the sign at every step.",
            pd.DataFrame({**columns, "z": it.z, "h": it.after}),
            (_over_time(it, at), _sum(parts[:, at], edge), _squash(it, at, edge)),
            columns=3,
        )


def _sum(parts: Array, edge: float) -> Panel:
    """Bars that stand on each other's ends, and their sum."""
    ends = np.cumsum(parts)
    names = ("w·h", "u·x", "b", "z")
    marks: list[Mark] = []
    for place, (name, low, high) in enumerate(zip(names, (0.0, *ends[:2], 0.0), (*ends, ends[-1]), strict=True)):
        says = (f"{name} = {spelled(float(high - low))}",)
        marks.append(Bars(np.array([place]), np.array([high]), name, "accent" if name == "z" else "ghost", float(low), says))
    marks.append(Line(np.array([-0.5, 3.5]), np.zeros(2), "zero", "axis"))
    return Panel(
        tuple(marks),
        Axis("what is added, and the sum z", words=names),
        Axis("", limits=(-edge, edge)),
        f"Added up: z = {spelled(float(ends[-1]))}",
    )


def _squash(it: Steps, at: int, edge: float) -> Panel:
    z = np.linspace(-edge, edge, 121)
    hover = (f"tanh({spelled(float(it.z[at]))}) = {spelled(float(it.after[at]))}",)
    marks = (Line(z, np.tanh(z), "tanh", "ghost"), Points(it.z[at : at + 1], it.after[at : at + 1], "this step", "accent", hover=hover))
    heading = f"Squashed: h = {spelled(float(it.after[at]))}"
    return Panel(marks, Axis("z", limits=(-edge, edge)), Axis("", limits=STATE), heading)


def _over_time(it: Steps, at: int) -> Panel:
    t = np.arange(1, LENGTH + 1)
    marks = (
        Line(t, np.zeros(LENGTH), "zero", "axis"),
        Line(t, it.after, "state", "ghost", marker="circle"),
        Points(t[at : at + 1], it.after[at : at + 1], "this step", "accent"),
    )
    return Panel(marks, Axis("step t", limits=(1, LENGTH)), Axis("", limits=STATE), "State over time")


@dataclass(frozen=True)
class Map(Play):
    """From one state to the next, under a constant input."""

    name: ClassVar[str] = "From one state to the next"
    alive: ClassVar[str] = "w"

    w: float = control(0.5, "Weight w of the state", (-2.5, 2.5, 0.05))
    drive: float = control(0.0, "Constant input u·x + b", (-1.0, 1.0, 0.05))
    start: float = control(0.1, "State before the first step", (-1.0, 1.0, 0.1))

    def draw(self) -> Description:
        found, it = rests(self.w, self.drive), run((0.0,) * WAY, self.w, b=self.drive, start=self.start)
        states = np.append(self.start, it.after)
        frame = pd.DataFrame({"t": np.arange(WAY + 1), "h": states})
        return Description(
            "map",
            f"With w = {spelled(self.w)}{_driven(self.drive)} the unit can rest at {_places(found)}",
            "Left: the next state against the state; where the curve meets the diagonal the state stays (dot: attracts, ring: repels). "
            f"The steps lead from {spelled(self.start)}. Right: the same states over time.",
            "A slope between −1 and 1 where the curve meets the diagonal attracts. Without input one point attracts up to w = 1; beyond "
            "it 0 repels, and two others attract: the unit keeps the side it is on. Below w = −1 it jumps from side to side.",
            frame,
            (_map(self.w, self.drive, states, found), _way(states, found)),
            columns=2,
        )


def _driven(drive: float) -> str:
    return f" and u·x + b = {spelled(drive)}" if drive else ""


def _places(found: tuple[Rest, ...]) -> str:
    return listed([f"{_at(rest.state)} (slope {spelled(rest.slope)})" for rest in found])


def _at(state: float) -> str:
    return "0" if abs(state) < 1e-3 else spelled(state)


def _map(w: float, drive: float, states: Array, found: tuple[Rest, ...]) -> Panel:
    h = np.linspace(-1, 1, 81)
    x = np.repeat(states[:-1], 2)
    y = np.append(states[0], np.repeat(states[1:], 2)[:-1])  # from the diagonal to the curve and back
    marks: list[Mark] = [
        Path(np.array([-1.0, 1.0]), np.array([-1.0, 1.0]), "stays as it is", "axis", thin=True),
        Path(h, next_states(w, drive, h), "next state", "ghost"),
        Path(x, y, "steps", "accent", begin=True),
    ]
    for attracts in (True, False):
        some = [rest for rest in found if (abs(rest.slope) < 1) == attracts]
        if some:
            at = np.array([rest.state for rest in some])
            hover = tuple(f"rests at {_at(rest.state)}, slope {spelled(rest.slope)}" for rest in some)
            marks.append(Points(at, at, "attracts" if attracts else "repels", "ink", filled=attracts, hover=hover))
    return Panel(tuple(marks), Axis("state", limits=STATE), Axis("next state", limits=STATE), "Map")


def _way(states: Array, found: tuple[Rest, ...]) -> Panel:
    t = np.arange(len(states))
    marks: list[Mark] = [
        Line(t, np.full(len(t), rest.state), f"rests at {_at(rest.state)}", "axis", dashed=True) for rest in found if abs(rest.slope) < 1
    ]
    return Panel((*marks, Line(t, states, "state", "accent", marker="circle")), Axis("step t"), Axis("", limits=STATE), "Over time")

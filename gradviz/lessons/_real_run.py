"""What the lesson on reading a run draws: its training at one update, and its film."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from gradviz.arrays import Array
from gradviz.charts import Description
from gradviz.charts._description import Axis, Heat, Line, Mark, Panel, Points, Rule, log10
from gradviz.lessons._first_bit import LENGTH, UPDATES, Course, course
from gradviz.lessons._play import Play, control
from gradviz.lessons._words import spelled

RUNS = ("A", "B", "C")
COIN = float(np.log(2))
UPDATE = Axis("update", limits=(1, UPDATES))
CELL = {"A": "LSTM, forget bias 0", "B": "LSTM, forget bias 3", "C": "Plain RNN"}
STATE = {"A": "∂L/∂c_t", "B": "∂L/∂c_t", "C": "∂L/∂h_t"}


@dataclass(frozen=True)
class Training(Play):
    """Four looks at a training."""

    name: ClassVar[str] = "A training at one update"
    alive: ClassVar[str] = "update"

    run: str = control("A", "Run", choices=RUNS, help="A, B: LSTMs with forget bias 0 and 3; C: a plain RNN without clipping")
    update: int = control(1, "Update", (1, UPDATES, 0))

    def draw(self) -> Description:
        one, at = course(self.run), self.update
        loss, before = one.column("loss"), one.column("norm_before")
        return Description(
            "training",
            f"Run {self.run} at update {at}: loss {spelled(loss[at - 1])}, gradient norm {spelled(before[at - 1])}; "
            f"{_arriving(one.ratio(at))}",
            f"{CELL[self.run]}. Above: loss, dashed what a coin scores; the gradient’s norm before (dots) and after clipping (line), log "
            f"scale. Below: ‖{STATE[self.run]}‖ at this update, log scale; and {_saturation(self.run)}.",
            "Healthy: the loss leaves the coin’s line, the norm has no spikes, the line of the gradient is level, and few units or gates "
            "are stuck. Look at update 1, at which nothing has been learned or broken yet, and then at update 2.",
            _frame(one),
            _panels(one, at),
            columns=2,
            shape="multiples",
        )


def _saturation(run: str) -> str:
    return "the share of hidden units beyond ±0.9" if run == "C" else "the share of forget gates below 0.1"


def _arriving(ratio: float) -> str:
    """How much of the gradient at step 30 there is at step 1."""
    if ratio == 0:
        return "nothing of it arrives at step 1"
    return f"from step {LENGTH} to step 1 it {'grows' if ratio > 1 else 'changes' if ratio == 1 else 'fades'} to {spelled(ratio)} times"


def _frame(one: Course) -> pd.DataFrame:
    columns = {name: one.column(name) for name in ("loss", "norm_before", "norm_after")}
    ratio = one.gradients[:, 0] / one.gradients[:, -1]
    return pd.DataFrame({"update": np.arange(1, UPDATES + 1), **columns, "first_to_last": ratio, "saturated": one.saturated})


def _panels(one: Course, at: int) -> tuple[Panel, ...]:
    x, t = np.arange(1, UPDATES + 1), np.arange(1, LENGTH + 1)
    loss, before, after = one.column("loss"), log10(one.column("norm_before")), log10(one.column("norm_after"))
    now: Mark = Rule(at, "up", dashed=True)
    place = np.array([float(at)])
    marks = (
        Points(place, loss[at - 1 : at], "now"),
        Points(place, after[at - 1 : at], "now"),
        Points(place, one.saturated[at - 1 : at], "now"),
    )
    low, high = _decades(one.gradients)
    return (
        Panel(
            (Line(x, loss, "loss", "accent"), Rule(COIN, dashed=True, label="a coin"), now, marks[0]),
            UPDATE,
            Axis("", limits=_room(loss)),
            "Loss",
        ),
        Panel(
            (Points(x, before, "before", "ghost", small=True), Line(x, after, "after", "accent"), now, marks[1]),
            UPDATE,
            Axis("", "log"),
            "Gradient norm",
        ),
        Panel(
            (Line(t, log10(one.gradients[at - 1]), STATE_LINE, "accent"),),
            Axis("time step t", limits=(1, LENGTH)),
            Axis("", "log", (low, high)),
            f"Gradient at update {at}",
        ),
        Panel((Line(x, one.saturated, "stuck", "accent"), now, marks[2]), UPDATE, Axis("", limits=(-0.02, 1.02)), "Stuck"),
    )


STATE_LINE = "gradient"
LOWEST = -60.0  # powers of ten: what is less is drawn at the edge's rail


def _decades(gradients: Array) -> tuple[float, float]:
    """One axis for all updates."""
    logs = log10(gradients)
    finite = logs[np.isfinite(logs)]
    return max(LOWEST, float(finite.min())), float(finite.max())


def _room(loss: Array) -> tuple[float, float]:
    finite = loss[np.isfinite(loss)]
    return 0.0, max(1.05 * float(finite.max()), 2 * COIN)


@dataclass(frozen=True)
class Film(Play):
    """The gradient at every step of every update."""

    name: ClassVar[str] = "The film of a training"
    alive: ClassVar[str] = "run"

    run: str = control("A", "Run", choices=RUNS)

    def draw(self) -> Description:
        one = course(self.run)
        logs = log10(one.gradients)
        x, t = np.arange(1, UPDATES + 1), np.arange(1, LENGTH + 1)
        frame = pd.DataFrame({"update": np.repeat(x, LENGTH), "t": np.tile(t, UPDATES), "gradient": one.gradients.ravel()})
        heat = Heat(x, t, logs.T, limits=(-8.0, 2.0), log=True, unit=f"‖{STATE[self.run]}‖")
        start, end = (_arriving(one.ratio(at)).replace("it ", "the gradient ", 1) for at in (1, UPDATES))
        return Description(
            "training_film",
            f"Run {self.run}: at update 1, {start}; at update {UPDATES}, {end}",
            f"{CELL[self.run]}. ‖{STATE[self.run]}‖ at time step t (up) in each update (across), log colour.",
            "A network that can learn what lies far back has colour from top to bottom. Dark below is a gradient that never arrives; a "
            "picture that turns dark at once was broken by a step too long.",
            frame,
            (Panel((heat,), UPDATE, Axis("time step t", limits=(0.5, LENGTH + 0.5))),),
            columns=1,
            shape="film",
        )

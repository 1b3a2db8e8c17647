"""What lesson 5 draws: the gradient matrix as a table, and the shares of the steps in dL/dw."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from gradviz.arrays import Array
from gradviz.charts import Description
from gradviz.charts._description import Axis, Bars, Heat, Line, Panel, Rule
from gradviz.lessons._backpropagation import Flow, difference, flow
from gradviz.lessons._play import Play, control
from gradviz.lessons._table import blank, table
from gradviz.lessons._words import spelled

LONGEST, WRITTEN, FEW = 12, 8, 4  # steps; up to so many their numbers stand in the cells, and with four places
LEAST = 2.5  # of the colour axis
SHORT = 6  # characters
KINDS = ("linear", "tanh")
LOSSES = ("at each step", "at the end")


@dataclass(frozen=True)
class Triangle(Play):
    """∂L_t/∂h_k of one unit: k to the right, t downwards."""

    name: ClassVar[str] = "The gradient, loss by loss"
    alive: ClassVar[str] = "w"

    steps: int = control(3, "Length T", (2, LONGEST, 1))
    w: float = control(0.5, "Weight w", (-1.5, 1.5, 0.05))
    kind: str = control("linear", "Unit", choices=KINDS)
    loss: str = control("at each step", "Loss", choices=LOSSES)
    cut: int = control(LONGEST, "Cut every … steps", (1, LONGEST, 1), help="1: every loss reaches its own step alone; T or more: no cut")

    def draw(self) -> Description:
        free = flow(self.steps, self.w, self.kind, self.loss)
        it = flow(self.steps, self.w, self.kind, self.loss, self.cut)
        gone = (it.matrix == 0) & (free.matrix != 0)
        t, k = np.meshgrid(np.arange(1, self.steps + 1), np.arange(1, self.steps + 1), indexing="ij")
        columns = {"loss": t, "state": k, "gradient": it.matrix, "cut": gone}
        return Description(
            "triangle",
            _title(it, free),
            "Row t, column k: ∂L_t/∂h_k, what the loss of step t feels of the state of step k, with its sign. Inputs 1, losses h²/2 "
            f"{self.loss}. Below: each column’s sum, and the part of the step’s own loss.",
            "On the diagonal is a loss at its own step, below it what comes through time. Above it is nothing: no loss feels later states. "
            "Each step to the left multiplies by w, with tanh by its slope too. A cut leaves dots, and shorter sums.",
            pd.DataFrame({name: values.ravel() for name, values in columns.items()}),
            (_grid(it, gone),),
            columns=1,
            shape="multiples",
        )


def _title(it: Flow, free: Flow) -> str:
    whole = _told(it.whole)
    if (it.matrix != free.matrix).any():
        return f"With the gradient cut, dL/dw is {whole} instead of {_told(free.whole)}"
    if not it.total.any():
        return "The losses are at their minimum: no state has a gradient, and dL/dw is 0"
    most = int(np.abs(it.total).argmax())
    return f"The state of step {most + 1} has the largest total, {_told(float(it.total[most]))}; dL/dw = {whole}"


def _told(value: float) -> str:
    """Whole where it is short, such as 2.375 and 4.125; without what rounding adds behind the tenth digit."""
    text = f"{value:.10g}".replace("-", "−")
    return text if len(text) <= SHORT and "e" not in text else spelled(value)


def _grid(it: Flow, gone: Array) -> Panel:
    steps = len(it.total)
    values, hover = blank(steps + 3, steps + 1), [[""] * (steps + 1) for _ in range(steps + 3)]
    letters = [["t\\k", *map(str, range(1, steps + 1))], *([str(t + 1), *[""] * steps] for t in range(steps))]
    letters += [["total", *[""] * steps], ["direct", *[""] * steps]]
    if steps > WRITTEN:
        letters[-2][0], letters[-1][0] = "Σ", "own"
    cells = [(1 + t, 1 + k, it.matrix[t, k], f"∂L_{t + 1}/∂h_{k + 1}") for t in range(steps) for k in range(t + 1) if it.matrix[t].any()]
    cells += [(steps + 1, 1 + k, value, f"total at h_{k + 1}") for k, value in enumerate(it.total)]
    cells += [(steps + 2, 1 + k, value, f"direct at h_{k + 1}") for k, value in enumerate(it.direct)]
    for row, column, value, name in cells:
        if row <= steps and gone[row - 1, column - 1]:
            letters[row][column], hover[row][column] = "·", f"{name}: cut"
            continue
        values[row, column], hover[row][column] = value, f"{name} = {spelled(float(value))}"
        letters[row][column] = _short(float(value), steps) if steps <= WRITTEN else ""
    edge = max(LEAST, float(np.abs(values).max()))
    like = Heat(np.zeros(0), np.zeros(0), values, "tide", (-edge, edge), unit="gradient", hover=tuple(map(tuple, hover)))
    return table(letters, values, like)


def _short(value: float, steps: int) -> str:
    """As many digits as a cell has room for; what is not zero never looks like it."""
    size = abs(value)
    if size == 0:
        return "0"
    if steps <= FEW and 0.001 <= size < 100:
        text = f"{value:.4f}".rstrip("0").rstrip(".")
    elif 0.005 <= size < 1000:
        text = f"{value:.2f}" if size < 10 else f"{value:.1f}" if size < 100 else f"{value:.0f}"
    else:
        text = f"{value:.0e}".replace("e-0", "e-").replace("e+0", "e")
    return text.replace("-", "−")


@dataclass(frozen=True)
class Shares(Play):
    """What each step gives to the gradient of the weight that all steps share."""

    name: ClassVar[str] = "One weight, many steps"
    alive: ClassVar[str] = "w"

    steps: int = control(50, "Length T", (2, 50, 1))
    w: float = control(0.9, "Weight w", (-1.5, 1.5, 0.05))
    kind: str = control("linear", "Unit", choices=KINDS)
    loss: str = control("at the end", "Loss", choices=LOSSES)

    def draw(self) -> Description:
        it, slope = flow(self.steps, self.w, self.kind, self.loss), difference(self.steps, self.w, self.kind, self.loss)
        t = np.arange(1, self.steps + 1)
        late = np.cumsum(it.shares[::-1])
        hover = tuple(f"step {at}: {spelled(float(share))}" for at, share in zip(t, it.shares, strict=True))
        steps = Panel((Bars(t, it.shares, "share", "accent", hover=hover),), Axis("step t"), Axis("share"), "Share of each step")
        marks = (Rule(slope, "across", "finite difference", dashed=True), Line(t, late, "sum of the last steps", "accent", marker="circle"))
        reach = float(min(0.0, late.min(), slope)), float(max(0.0, late.max(), slope))
        ticks = tuple((float(n), str(n)) for n in t) if self.steps <= LONGEST else None
        sums = Panel(
            marks,
            Axis("last steps, how many", limits=(1, self.steps), ticks=ticks),
            Axis("sum", limits=reach if reach[1] > reach[0] else None),
            "Sum of the last steps",
        )
        return Description(
            "shares",
            _balance(it, slope),
            "Left: ∂L/∂h_t · ∂h_t/∂w, what step t alone gives to dL/dw; linear scale. Right: their sum from the last step back. "
            f"Inputs 1, losses h²/2 {self.loss}.",
            "The sum of all ends at the finite difference, which knows no backward pass. With |w| below 1 and the loss at the end, the "
            "late steps hold nearly all: the weight learns from the near past.",
            pd.DataFrame({"step": t, "share": it.shares, "state": it.states, "total": it.total}),
            (steps, sums),
            columns=2,
        )


def _balance(it: Flow, slope: float) -> str:
    """What the late steps hold, where that can be said: where no shares cancel."""
    steps = len(it.shares)
    last = max(1, steps // 5)
    sums = f"dL/dw = {_told(it.whole)}; a finite difference says {_told(slope)}"
    if it.whole == 0 or (it.shares / it.whole < 0).any():
        return f"The {steps} shares sum to {sums}"
    part = spelled(float(100 * it.shares[-last:].sum() / it.whole))
    return f"The last {f'{last} of {steps} steps hold' if last > 1 else f'of {steps} steps holds'} {part} % of {sums}"

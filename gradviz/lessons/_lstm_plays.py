"""The plays of lesson 9: a memory with three gates, and the highway of its gradient."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from gradviz.arrays import Array
from gradviz.charts import Description
from gradviz.charts._description import Axis, Bars, Line, Mark, Panel
from gradviz.lessons._lstm import LONGEST, kept, mixed, roads, written
from gradviz.lessons._play import Play, control
from gradviz.lessons._words import spelled

STEPS = 20
LN10 = float(np.log(10))
BIASES = (0.0, 1.0, 2.0, 5.0)


@dataclass(frozen=True)
class Memory(Play):
    """What is kept and what is written make the memory; the output gate decides what of it is seen."""

    name: ClassVar[str] = "A memory with three gates"
    alive: ClassVar[str] = "forget"

    forget: float = control(1.0, "Forget gate", (0.0, 1.0, 0.05), help="share of the memory that is kept: Γf, or f")
    write: float = control(1.0, "Input gate", (0.0, 1.0, 0.05), help="share of the candidate that is written: the notes’ Γu, or i")
    output: float = control(1.0, "Output gate", (0.0, 1.0, 0.05), help="share of tanh(memory) that is seen: Γo, or o")
    candidate: float = control(0.76, "Candidate", (-1.0, 1.0, 0.02), help="what there is to write")
    steps: int = control(STEPS, "Steps", (1, STEPS, 1))

    def draw(self) -> Description:
        cell, seen = written(self.steps, self.forget, self.write, self.output, self.candidate)
        gru = mixed(self.steps, self.write, self.candidate)
        carried = self.forget * np.concatenate([[0.0], cell[:-1]])
        t = np.arange(1, self.steps + 1)
        values = {"kept": carried, "written": cell - carried, "memory": cell, "output": seen}
        axis = Axis("step t", limits=(0.3, STEPS + 0.7), ticks=tuple((float(at), str(at)) for at in (1, 5, 10, 15, 20)))
        sign = -1 if self.candidate < 0 else 1
        panels = tuple(
            Panel(_marks(name, t, array, gru), axis, _range(name, sign), name, note=f"{array[-1]:.3f}".replace("-", "−"))
            for name, array in values.items()
        )
        plural = "s" if self.steps > 1 else ""
        return Description(
            "memory",
            f"After {self.steps} step{plural} the LSTM’s memory is {_told(cell)}, its output {_told(seen)}; a GRU’s memory is {_told(gru)}",
            "Gates and candidate stand still. Kept: forget gate × memory before. Written: input gate × candidate. Memory: both together. "
            "Output: output gate × tanh(memory). Line: a GRU whose update gate takes the input gate’s share of the new. Beside each name "
            "its last value.",
            "With both gates at 1 the memory counts: it grows without end, which a GRU’s cannot, since what it writes it must forget. Shut "
            "the output gate, and the memory stays as it is, unseen.",
            pd.DataFrame({"t": t, **values, "gru": gru}),
            panels,
            columns=2,
        )


def _told(values: Array) -> str:
    return spelled(round(float(values[-1]), 3))


def _range(name: str, sign: int) -> Axis:
    """On the side of zero where the candidate is; it stands still while the gates move."""
    end = 1.0 if name in ("written", "output") else float(STEPS)
    low, high = sorted((0.0, sign * end))
    ticks = tuple((at, f"{at:g}".replace("-", "−")) for at in (low, (low + high) / 2, high))
    return Axis(limits=(1.08 * low, 1.08 * high), ticks=ticks)


def _marks(name: str, t: Array, values: Array, gru: Array) -> tuple[Mark, ...]:
    hover = tuple(f"step {at}: {name} {value:.4f}".replace("-", "−") for at, value in zip(t, values, strict=True))
    bars = Bars(t, values, name, "accent" if name == "memory" else "lstm", hover=hover)
    return (bars, Line(t, gru, "GRU", "gru", marker="circle", filled=False)) if name == "memory" else (bars,)


@dataclass(frozen=True)
class Road(Play):
    """∂c_T/∂c_t by the forget gates alone, and all of it."""

    name: ClassVar[str] = "The highway back"
    alive: ClassVar[str] = "bias"

    bias: float = control(1.0, "Forget bias", (-2.0, 6.0, 0.25))
    steps: int = control(100, "Length T", (10, LONGEST, 10))
    weight: float = control(0.0, "Candidate’s recurrent weight", (0.0, 4.0, 0.05), help="the other road, through h; at 0 there is none")

    def draw(self) -> Description:
        way = roads(self.bias, self.weight, self.steps)
        lag = np.arange(self.steps + 1)
        gates, whole = way.gates / LN10, way.whole / LN10
        others = [
            Line(lag, lag * np.log10(kept(bias)), f"bias {bias:g}", "ghost", dashed=True, label=f"bias {bias:g}")
            for bias in BIASES
            if bias != self.bias
        ]
        low = 1.05 * self.steps * np.log10(kept(0.0))
        limits = min(low, float(gates.min())), max(-0.1 * low, float(whole.max()))
        return Description(
            "road",
            self._title(float(gates[-1]), float(whole[-1])),
            f"∂c_T/∂c_t against the lag T − t, log scale. One unit that rests at 0, its input and output gates at 1/2. Forget gate: "
            f"{kept(self.bias):.4f}. Dashed: by the forget gates alone, for other biases.",
            "Turn the bias up, and the line of the gates turns towards level; it never rises. Turn the recurrent weight up, and the whole "
            "leaves the highway: what it gains came through h, past the forget gates.",
            pd.DataFrame({"lag": lag, "log10_gates": gates, "log10_whole": whole}),
            (Panel((*others, *self._own(lag, gates, whole)), Axis("steps back", limits=(0, self.steps)), Axis("", "log", limits)),),
            columns=1,
            shape="line",
        )

    def _own(self, lag: Array, gates: Array, whole: Array) -> tuple[Line, ...]:
        if self.weight == 0:
            return (Line(lag, gates, "by the gates: all of it", "accent", label=f"bias {self.bias:g}: all".replace("-", "−")),)
        return Line(lag, gates, "by the gates", "lstm", label="by the gates"), Line(lag, whole, "all of it", "accent", label="all of it")

    def _title(self, gates: float, whole: float) -> str:
        said = f"With forget bias {spelled(self.bias)} the gates let {spelled(10.0**gates)} pass over {self.steps} steps"
        if self.weight == 0:
            return f"{said}, and there is no other way"
        return f"{said}; with the road through h it is {spelled(10.0**whole)}"

"""The plays of lesson 8: the gate microscope, and what the end of the sentence still feels."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from gradviz.arrays import Array
from gradviz.charts import Description
from gradviz.charts._description import Axis, Bars, Line, Mark, Panel, Points, log10
from gradviz.lessons._gru import EVERY, FREE, KINDS, WORDS, Hold, Reading, read
from gradviz.lessons._play import Play, control
from gradviz.lessons._words import spelled

CLAMPS = ("none", *(f"{at + 1} {word}" for at, word in enumerate(WORDS)), "all")
PARTS = ("proposal", "update gate", "kept of the old memory", "memory", "P(were)", "reset gate")
TICKS = tuple((float(at), word) for at, word in enumerate(WORDS))
LEAST = (-6.0, 0.5)  # powers of ten: the axis stands still while a gate moves


def hold_of(clamped: str, value: float) -> Hold:
    """What a choice among `CLAMPS` holds."""
    if clamped == "none":
        return FREE
    return Hold(EVERY if clamped == "all" else (CLAMPS.index(clamped) - 1,), value)


def place(clamped: str) -> str:
    return "every word" if clamped == "all" else f"“{clamped[2:]}”"


def where(clamped: str, value: float) -> str:
    return f"the update gate held at {spelled(value)} at {place(clamped)}"


@dataclass(frozen=True)
class Microscope(Play):
    """A column a word: what the unit proposes, how far its gates stand open, what it keeps, and what comes out."""

    name: ClassVar[str] = "Gate microscope"
    alive: ClassVar[str] = "clamp"

    step: int = control(6, "Words read", (1, 6, 1))
    clamp: str = control("none", "Hold the update gate at", choices=CLAMPS)
    value: float = control(0.5, "Held at, share of the new", (0.0, 1.0, 0.05), help="0 keeps the old memory, 1 replaces it")
    clause: bool = control(True, "Clause is marked", help="whether the unit sees which words stand in “that the dog chased”")
    kind: str = control("simplified", "GRU", choices=KINDS, help="the full one has a reset gate, and its proposal reads the old memory")

    def draw(self) -> Description:
        hold = hold_of(self.clamp, self.value)
        seen, free = (read(each, clause=self.clause, kind=self.kind) for each in (hold, FREE))
        values, others = parts(seen), parts(free)
        axis = Axis(ticks=TICKS, limits=(-0.6, len(WORDS) - 0.4))
        panels = tuple(
            Panel(_bars(name, values[name], others[name], self.step, hold), axis, _range(name), name, note=self._note(values[name]))
            for name in (PARTS[:-1] if self.kind == KINDS[0] else PARTS)
        )
        frame = pd.DataFrame({"word": WORDS, **{name: values[name] for name in PARTS}, "memory, no gate held": free.memory})
        return Description(
            "microscope",
            self._title(seen, free),
            f"One unit reads “{' '.join(WORDS)} …”, a column a word, and keeps in mind whether “was” or “were” must follow. Update gate: "
            "share of the new value (1 − PyTorch’s z). Beside each name its value at the last word read; rings: with no gate held.",
            "memory = update gate × proposal + what is kept. A gate that is held changes its own column and those after it, never one "
            "before. Hold “dog” open, and then every word half open.",
            frame[: self.step],
            panels,
            columns=2,
        )

    def _note(self, values: Array) -> str:
        return f"{values[self.step - 1]:.3f}".replace("-", "−")

    def _title(self, seen: Reading, free: Reading) -> str:
        at = self.step - 1
        memory, chance = spelled(round(float(seen.memory[at]), 3)), f"{seen.were[at]:.3f}"
        said = f"After “{WORDS[at]}” the memory is {memory}, and “were” has the probability {chance}"
        if self.clamp == "none":
            return said
        if min(hold_of(self.clamp, self.value).words) > at:
            return f"{said}; what is held at {place(self.clamp)} comes later"
        return f"{said}, with {where(self.clamp, self.value)}; {free.were[at]:.3f} without"


def parts(seen: Reading) -> dict[str, Array]:
    return dict(zip(PARTS, (seen.proposal, seen.new, seen.kept, seen.memory, seen.were, seen.reset), strict=True))


def _range(name: str) -> Axis:
    signed = name in ("proposal", "kept of the old memory", "memory")
    ticks = ((-1.0, "−1"), (0.0, "0"), (1.0, "1")) if signed else ((0.0, "0"), (0.5, "0.5"), (1.0, "1"))
    return Axis(limits=(-1.1, 1.1) if signed else (0.0, 1.1), ticks=ticks)


def _bars(name: str, values: Array, others: Array, step: int, hold: Hold) -> tuple[Mark, ...]:
    places = np.arange(step)
    held = np.isin(places, hold.words) & (name == "update gate")
    marks: list[Mark] = []
    for chosen, title, colour in ((~held, name, "gru"), (held, f"{name}, held", "accent")):
        if chosen.any():
            hover = tuple(f"{WORDS[at]}: {title} {values[at]:.4f}".replace("-", "−") for at in places[chosen])
            marks.append(Bars(places[chosen], values[:step][chosen], title, colour, hover=hover))
    if hold.words:
        hover = tuple(f"{WORDS[at]}: {others[at]:.4f} with no gate held".replace("-", "−") for at in places)
        marks.append(Points(places, others[:step], f"{name}, no gate held", "ink", filled=False, hover=hover))
    return tuple(marks)


@dataclass(frozen=True)
class Felt(Play):
    """What the memory after the last word feels of the memory after each."""

    name: ClassVar[str] = "What the end still feels"
    alive: ClassVar[str] = "value"

    clamp: str = control("all", "Hold the update gate at", choices=CLAMPS)
    value: float = control(0.5, "Held at, share of the new", (0.0, 1.0, 0.05), help="0 keeps the old memory, 1 replaces it")
    clause: bool = control(True, "Clause is marked")
    kind: str = control("simplified", "GRU", choices=KINDS)

    def draw(self) -> Description:
        hold = hold_of(self.clamp, self.value)
        seen, free = (read(each, clause=self.clause, kind=self.kind).back for each in (hold, FREE))
        places, held = np.arange(len(WORDS)), bool(hold.words)
        lines = [Line(places, log10(seen), "as set", "accent", marker="circle", label="as set" if held else "")]
        if held:
            lines.insert(0, Line(places, log10(free), "no gate held", "ghost", dashed=True, label="not held"))
        said = f", with {where(self.clamp, self.value)}; {spelled(float(free[1]))} without" if held else ""
        return Description(
            "felt",
            f"The last memory feels {spelled(float(seen[1]))} of a change of the memory after “{WORDS[1]}”{said}",
            "Derivative of the memory after “chased” with respect to the memory after each word, log scale. In the simplified GRU it "
            "is the product of 1 − update gate over the words in between.",
            "Level is kept, a slope is lost. A gate that is shut lets the gradient pass whole; one that is wide open cuts it to exactly 0 "
            "for all words before. A gate held at one word leaves what comes after it as it was.",
            pd.DataFrame({"word": WORDS, "felt": seen, "felt_free": free}),
            (Panel(tuple(lines), Axis(ticks=TICKS, limits=(-0.4, len(WORDS) - 0.6)), Axis("", "log", LEAST)),),
            columns=1,
            shape="line",
        )

"""Which array of a cell says what is kept, and how its values are drawn."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from gradviz.arrays import Array
from gradviz.frames import Run

WAYS = ("", "forward", "backward")  # that a layer may read in; empty: forward if there is one


@dataclass(frozen=True)
class Shown:
    """point: last parts of the hook point; words: what a value means; name: one or two words; gate: values lie in 0…1, else in -1…1."""

    point: str
    words: str
    name: str
    gate: bool

    @property
    def scale(self) -> Literal["depth", "tide"]:
        return "depth" if self.gate else "tide"

    @property
    def limits(self) -> tuple[float, float]:
        return (0.0, 1.0) if self.gate else (-1.0, 1.0)


KEEPS = {"lstm": "gate.forget", "gru": "gate.update"}
WORDS = {
    "gate.forget": ("share of the cell state kept (forget gate)", "share kept"),
    "gate.update": ("share of the hidden state kept (update gate; 1 − Γu in the course notes)", "share kept"),
    "gate.input": ("share of the candidate let in (input gate)", "share let in"),
    "gate.output": ("share of the cell state shown (output gate)", "share shown"),
    "gate.reset": ("share of the hidden state the candidate sees (reset gate)", "share seen"),
}


def shown(run: Run, gate: str, points: set[str]) -> Shown | None:
    """What to draw of `run`: `gate` ("forget", "hidden" …); empty: the gate that keeps, or the hidden state of a cell without gates."""
    wanted = KEEPS.get(run.family, "hidden") if not gate else gate if gate in ("hidden", "cell", "candidate") else f"gate.{gate}"
    if wanted not in points:
        return None
    is_gate = wanted.startswith("gate.")
    words, name = WORDS.get(wanted, (wanted.removeprefix("gate.").replace("_", " ") + (" gate" if is_gate else " state"),) * 2)
    return Shown(wanted, words, name, is_gate)


def way(table: pd.DataFrame, direction: str) -> str:
    """The direction to take of those in the rows of one layer: the one asked for, else forward if there is one."""
    there = list(dict.fromkeys(table["direction"]))
    return direction or ("forward" if "forward" in there or not there else str(there[0]))


def most_varied(values: Array) -> int:
    """(time, unit) -> the unit with the largest standard deviation; one that is not finite counts as the least."""
    with np.errstate(invalid="ignore"):
        spread = np.where(np.isfinite(values).all(axis=0), values.std(axis=0), -1.0)
    return int(np.argmax(spread))

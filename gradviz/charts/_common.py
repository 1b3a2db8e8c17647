"""What charts share: how a run is drawn, how runs become panels, and what stands where nothing was recorded."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TypedDict

import numpy as np
import pandas as pd

from gradviz.arrays import Array
from gradviz.charts._description import Axis, Description, Marker, Panel, Rule
from gradviz.charts._words import FAMILIES
from gradviz.config import IMPORTED
from gradviz.frames import Run

UNKNOWN = "clipping unknown"
MARKERS: dict[str, Marker] = {"rnn": "circle", "gru": "square", "lstm": "diamond"}


class Style(TypedDict):
    colour: str
    marker: Marker
    dashed: bool
    filled: bool


def colour(run: Run) -> str:
    """The theme's name for the run's colour: its family, or ink."""
    return run.family if run.family in FAMILIES else "ink"


def style(run: Run) -> Style:
    """Hue and shape say the cell, dash and fill the clipping."""
    return Style(colour=colour(run), marker=MARKERS.get(run.family, "circle"), dashed=not run.clipped, filled=run.clipped)


def families(runs: Sequence[Run]) -> list[tuple[str, list[Run]]]:
    """Heading and runs of each panel when there is one panel per family: RNN, GRU, LSTM, then what is none of them."""
    order = [*FAMILIES, *(run.family for run in runs)]
    names = [name for name in dict.fromkeys(order) if any(run.family == name for run in runs)]
    return [(FAMILIES.get(name, "Other cells"), [run for run in runs if run.family == name]) for name in names]


def heading(run: Run) -> str:
    return FAMILIES.get(run.family, run.label)


def short(run: Run, group: Sequence[Run]) -> str:
    """What tells a run from the others of its panel: nothing, its clipping, or the rest of its label."""
    if len(group) == 1:
        return ""
    if sorted(peer.clipped for peer in group) == [False, True]:
        return clipping(run)
    return run.label.removeprefix(heading(run)).removeprefix(", ") or run.label


def clipping(run: Run) -> str:
    return "clipped" if run.clipped else UNKNOWN if "clipped" in run.unmeasured else "not clipped"


def aside(run: Run, runs: Sequence[Run]) -> str:
    """The note beside a panel of one run, what its heading does not say: its clipping, or the rest of its label."""
    said = short(run, [peer for peer in runs if peer.family == run.family])
    return said if said and said != heading(run) else clipping(run)


def grid(runs: Sequence[Run]) -> tuple[list[Run], int]:
    """Runs in reading order and the number of columns, one panel a run: families side by side if each has as many runs."""
    groups = [group for _, group in families(runs)]
    flat = [run for group in groups for run in group]
    if len(groups) < 2 or len({len(group) for group in groups}) > 1:
        return flat, min(3, len(flat))
    return [group[row] for row in range(len(groups[0])) for group in groups], len(groups)


def fit(values: Iterable[Array | Sequence[float]], least: float = 1.0, low: float | None = None) -> tuple[float, float]:
    """Limits that hold every finite value, halves of whole numbers, at least `least` apart; (0, 1) if nothing is finite."""
    flat = np.concatenate([np.asarray(part, dtype=np.float64).ravel() for part in values] or [np.zeros(0)])
    flat = flat[np.isfinite(flat)]
    if not len(flat):
        return 0.0, 1.0
    bottom = float(np.floor(2 * flat.min()) / 2) if low is None else low
    return bottom, max(float(np.ceil(2 * flat.max()) / 2), bottom + least)


def training(frame: pd.DataFrame) -> Axis:
    """The x axis of pictures over training, wide enough for every run."""
    return Axis("training step", limits=(0.0, float(max(frame["step"].max(), 1))))


def once(panels: Sequence[Panel]) -> tuple[Panel, ...]:
    """Panels whose rules all say the same keep the labels of rules in the last one only."""
    rules = [tuple(mark for mark in panel.marks if isinstance(mark, Rule)) for panel in panels]
    if len(set(rules)) != 1:
        return tuple(panels)
    quiet = [
        replace(panel, marks=tuple(replace(mark, label="") if isinstance(mark, Rule) else mark for mark in panel.marks)) for panel in panels
    ]
    return (*quiet[:-1], panels[-1])


def samples(runs: Sequence[Run]) -> list[tuple[str, str]]:
    """Line samples for the key, if both clipped and unclipped runs are shown."""
    kinds = {run.clipped for run in runs}
    unknown = " or unknown" if any(clipping(run) == UNKNOWN for run in runs) else ""
    return [("clipped", "clipped"), ("unclipped", f"not clipped{unknown}")] if len(kinds) == 2 else []


def specials(values: Iterable[Array], log: bool = True) -> list[tuple[str, str]]:
    """Key entries for values on no scale, only for those that occur."""
    flat = np.concatenate([np.asarray(part, dtype=np.float64).ravel() for part in values] or [np.zeros(0)])
    found = {
        "zero": log and bool(np.isneginf(flat).any()),
        "infinite": bool(np.isposinf(flat).any() or (not log and np.isneginf(flat).any())),
        "nan": bool(np.isnan(flat).any()),
    }
    words = {"zero": "exactly 0", "infinite": "infinite", "nan": "not a number"}
    return [(kind, words[kind]) for kind, there in found.items() if there]


def rails(values: Iterable[Array], log: bool = True) -> list[tuple[str, str]]:
    """The same for pictures of lines and points, where such values are marks."""
    marks = {"zero": ("ring", "on the lowest line: exactly 0"), "infinite": ("ring", "on the highest line: infinite")}
    return [marks.get(kind, ("cross", text)) for kind, text in specials(values, log)]


def smooth(values: Array, window: int) -> Array:
    """Centred mean of the finite values in a window, shorter at the ends; what is not finite stays as it is."""
    finite = np.isfinite(values)
    kernel = np.ones(min(window, len(values)) or 1)
    total = np.convolve(np.where(finite, values, 0.0), kernel, "same")
    count = np.convolve(finite.astype(np.float64), kernel, "same")
    return np.where(finite, total / np.maximum(count, 1.0), values)


def nothing(name: str, missing: str, columns: Sequence[str], look_for: str = "") -> Description:
    """The description of a picture for which no run holds the data."""
    return Description(name, "Nothing to draw yet", "", look_for, pd.DataFrame(columns=list(columns)), missing=missing)


def left_out(runs: Sequence[Run], shown: Sequence[Run], what: str = "Not recorded") -> str:
    """The end of a subtitle that names the runs that are not shown: those for which nothing was recorded, or what else is the matter."""
    names = [run.label for run in runs if run not in shown]
    return f" {what}: {', '.join(names)}." if names else ""


def held(runs: Sequence[Run]) -> str:
    """Which sequences were looked at: "held-out" ones; of watched models those of the recorded batches, "watched" ones; of imported logs
    whatever was logged."""
    kinds = dict.fromkeys(
        "logged" if run.setting("task", "name") == IMPORTED else "watched" if "watched" in run.meta else "held-out" for run in runs
    )
    return " or ".join(kinds) or "held-out"


def stack(frames: Sequence[pd.DataFrame], columns: Sequence[str]) -> pd.DataFrame:
    """Frames below each other, with `columns` also if there are none."""
    full = [frame for frame in frames if len(frame)]
    return pd.concat(full, ignore_index=True) if full else pd.DataFrame(columns=list(columns))

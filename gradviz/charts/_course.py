"""How far the gradient reaches over training: one row per recorded step of every run, and when a run's loss crosses a line."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from gradviz.arrays import Array
from gradviz.charts import _reach
from gradviz.charts._common import smooth, stack
from gradviz.charts._words import chunks, spoken
from gradviz.frames import Run
from gradviz.wording import listed, number, span

COLUMNS = ("run", "step", *_reach.FACTORS, "half_life", "horizon")
WINDOW = 10  # updates averaged before a loss counts as having crossed a line
FEW = 3  # up to so many runs are told one by one, from first to last


def table(runs: Sequence[Run], point: str, layer: int) -> tuple[pd.DataFrame, dict[str, int]]:
    """Decay per step, half-life and horizon of every run at every recorded step; the largest lag of every run, by label."""
    found = {run.label: _reach.rows(run, point, layer) for run in runs}
    held = {label: rows for label, rows in found.items() if len(rows)}
    parts = [_reach.decays(rows).assign(run=label)[list(COLUMNS)] for label, rows in held.items()]
    return stack(parts, COLUMNS), {label: int(rows["lag"].max()) for label, rows in held.items()}


def of(frame: pd.DataFrame, run: Run, column: str) -> Array:
    return frame[column].to_numpy(np.float64)[(frame["run"] == run.label).to_numpy()]


def crossing(run: Run, line: float) -> int | None:
    """First training step at which the averaged loss is below `line`; None if it never is, or was so from the beginning."""
    if run.steps.empty:
        return None
    loss = smooth(run.steps["loss"].to_numpy(np.float64), WINDOW)
    below = loss < line
    return int(run.steps["step"].to_numpy()[np.argmax(below)]) if below.any() and not below[0] else None


def baseline(run: Run) -> tuple[str, float] | None:
    """The lowest loss that needs no network, and its name."""
    found = run.meta.get("baselines") or {}
    return min(((name, float(value)) for name, value in found.items()), key=lambda item: item[1], default=None)


def far(value: float, last: int) -> str:
    """A reach in words; `last` is the largest lag there is."""
    if np.isnan(value):
        return "nothing"
    return "the whole sequence" if value > last else f"{number(value)} steps"


def reaches(runs: Sequence[Run], horizon: dict[str, Array], last: dict[str, int]) -> str:
    """Few runs: from where to where the gradient's reach moves. Many: where it ends."""
    if len(runs) <= FEW:
        parts = [f"{_way([far(value, last[run.label]) for value in horizon[run.label]])} in {spoken([run], runs)}" for run in runs]
        return f"the gradient’s reach {listed(parts)}"
    ends = {run.label: float(horizon[run.label][-1]) for run in runs}
    whole = [run for run in runs if ends[run.label] > last[run.label]]
    nothing = [run for run in runs if np.isnan(ends[run.label])]
    rest = [run for run in runs if run not in whole and run not in nothing]
    parts = [f"{span([ends[run.label] for run in part])} steps in {spoken(part, runs)}" for part in chunks(rest, runs)]
    parts += [f"{words} in {spoken(some, runs)}" for words, some in (("the whole sequence", whole), ("not at all", nothing)) if some]
    return f"at the end the gradient reaches back {listed(parts)}"


def _way(words: list[str]) -> str:
    first, end = words[0], words[-1]
    if first == end:
        return f"stays at {first}" if len(set(words)) == 1 else f"ends where it began, at {first}"
    return f"goes from {first.removesuffix(' steps') if end.endswith(' steps') else first} to {end}"

"""How far the gradient reaches over training: one row per recorded step of every run, and when a run's loss crosses a line."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from gradviz.arrays import Array
from gradviz.charts import _reach
from gradviz.charts._common import smooth, stack
from gradviz.charts._words import chunks, listed, number, spoken
from gradviz.frames import Run

COLUMNS = ("run", "step", "decay", "half_life", "horizon")
WINDOW = 10  # updates averaged before a loss counts as having crossed a line
FEW = 3  # up to so many runs are told one by one, from first to last


def table(runs: Sequence[Run], point: str, layer: int) -> tuple[pd.DataFrame, dict[str, int]]:
    """Decay per step, half-life and horizon of every run at every recorded step; the largest lag of every run, by label."""
    found = {run.label: _reach.rows(run, point, layer) for run in runs}
    held = {label: rows for label, rows in found.items() if len(rows)}
    parts = [_reach.decays(rows).assign(run=label)[list(COLUMNS)] for label, rows in held.items()]
    return stack(parts, COLUMNS), {label: int(rows["lag"].max()) for label, rows in held.items()}


def of(frame: pd.DataFrame, run: Run, column: str) -> Array:
    return frame.loc[frame["run"] == run.label, column].to_numpy(np.float64)


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
        ways = [tuple(far(float(horizon[run.label][at]), last[run.label]) for at in (0, -1)) for run in runs]
        parts = [f"{_way(*way)} in {spoken([run], runs)}" for way, run in zip(ways, runs, strict=True)]
        return f"the gradient’s reach {listed(parts)}"
    groups = [part for family in chunks(runs, runs) for part in _alike(family, horizon, last)]
    return f"at the end the gradient reaches back {listed([f'{_ends(part, horizon, last)} in {spoken(part, runs)}' for part in groups])}"


def _way(first: str, end: str) -> str:
    return f"stays at {first}" if first == end else f"goes from {first} to {end}"


def _alike(family: list[Run], horizon: dict[str, Array], last: dict[str, int]) -> list[list[Run]]:
    """Runs of one family whose reach ends within the sequence, and those where it does not."""
    whole = [run for run in family if not horizon[run.label][-1] <= last[run.label]]
    return [part for part in ([run for run in family if run not in whole], whole) if part]


def _ends(part: list[Run], horizon: dict[str, Array], last: dict[str, int]) -> str:
    ordered = sorted(part, key=lambda run: float(horizon[run.label][-1]))
    words = list(dict.fromkeys(far(float(horizon[run.label][-1]), last[run.label]) for run in ordered))
    return words[0] if len(words) == 1 else f"{words[0].removesuffix(' steps')}–{words[-1]}"

"""The table of runs: a row of numbers, the loss over training as a small line, and the finding."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gradviz.backends import theme
from gradviz.findings._summary import row
from gradviz.frames import Run
from gradviz.reports.kinds._base import by_task
from gradviz.wording import factor, number, percent, steps

COLUMNS = ("Loss", "Held-out loss", "Gradient per step back, start", "Gradient per step back, end", "Half-life, end", "Steps shortened")
SPARK = (88, 28)  # width and height, px
SPARK_POINTS = 44


@dataclass(frozen=True)
class Face:
    """How a run is named: its family in its colour, the rest muted."""

    family: str
    glyph: str
    name: str
    rest: str


@dataclass(frozen=True)
class Row:
    """cells: (column, text) pairs; spark: points of a polyline, empty if there is no finite loss; trend: the same in words."""

    run: Run
    cells: tuple[tuple[str, str], ...]
    severity: str
    word: str
    spark: str
    trend: str


def face(run: Run) -> Face:
    known = theme.TOKENS["cell"].get(run.family)
    name, _, rest = run.label.partition(", ")
    return Face(run.family if known else "other", known["glyph"] if known else "▲", name, rest)


def table(runs: Sequence[Run]) -> list[tuple[str, list[Row]]]:
    """Rows by task. The small lines of one task share their scale, so that they can be compared."""
    return [(task, [_row(run, _scale(members)) for run in members]) for task, members in by_task(runs).items()]


def _row(run: Run, scale: tuple[float, float]) -> Row:
    said = row(run)
    texts = (
        number(float(said["loss"])),
        number(float(said["held_out_loss"])),
        factor(float(said["decay_start"])),
        factor(float(said["decay_end"])),
        _half(float(said["half_life"]), float(said["decay_end"])),
        percent(float(said["share_clipped"])),
    )
    cells = tuple((name, _dash(text)) for name, text in zip(COLUMNS, texts, strict=True))
    loss = thinned(run.steps["loss"].to_numpy(dtype=np.float64))
    return Row(run, cells, str(said["severity"]), str(said["word"]), spark(loss, scale), trend(loss))


def caveats(runs: Sequence[Run]) -> list[str]:
    """A sentence for each run that did not finish, and for each table that could not be read to its end."""
    said = []
    for run in runs:
        done, wanted = run.meta.get("updates_done", 0), run.meta["experiment"]["training"]["updates"]
        if run.status == "running":
            said.append(f"{run.label}: still being written, or its writer was killed; here are the first {done} of {wanted} updates.")
        elif run.status != "finished":
            reason = f" ({run.meta['error']})" if run.meta.get("error") else ""
            said.append(f"{run.label}: {run.status} after {done} of {wanted} updates{reason}.")
        said += [f"{run.label}: {note}." for note in (*run.notes, *run.remarks)]
    return said


def _half(half_life: float, decay: float) -> str:
    if math.isnan(half_life):
        return "–"
    return steps(half_life) if math.isfinite(half_life) else "grows" if decay > 1 else "none"


def _dash(text: str) -> str:
    return "–" if text in ("NaN", "not fitted") else text


def thinned(values: np.ndarray) -> np.ndarray:
    """Means of as many equal parts as the small line has points; parts without a finite value are NaN."""
    parts = np.array_split(values, min(SPARK_POINTS, len(values))) if len(values) else []
    return np.array([part[np.isfinite(part)].mean() if np.isfinite(part).any() else np.nan for part in parts])


def _scale(runs: Sequence[Run]) -> tuple[float, float]:
    every = np.concatenate([thinned(run.steps["loss"].to_numpy(dtype=np.float64)) for run in runs])
    finite = every[np.isfinite(every)]
    return (float(finite.min()), float(np.quantile(finite, 0.98))) if len(finite) else (0.0, 1.0)


def spark(loss: np.ndarray, scale: tuple[float, float]) -> str:
    """Points "x,y x,y …" of the line in a box of SPARK; values outside the scale lie on its edge, gaps are left out."""
    width, height = SPARK
    low, high = scale
    share = np.clip((loss - low) / ((high - low) or 1.0), 0.0, 1.0)
    x = 1 + (width - 2) * np.arange(len(loss)) / max(len(loss) - 1, 1)
    y = (height - 2) - (height - 4) * share
    return " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True) if np.isfinite(b))


def trend(loss: np.ndarray) -> str:
    finite = loss[np.isfinite(loss)]
    if not len(finite):
        return "no finite loss"
    ended = "" if np.isfinite(loss[-1]) else ", then not finite"
    return f"loss from {number(float(finite[0]))} to {number(float(finite[-1]))}{ended}"

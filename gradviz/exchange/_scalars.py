"""The scalars of a run, table by table. TensorBoard groups tags by what stands before the first slash and sorts them by name."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

from gradviz.dynamics.decay import decay_per_step, half_life, horizon
from gradviz.exchange._series import Scalar, place, plain
from gradviz.frames import Run

MAYBE = ("threshold", "penalty", "rate", "seconds", "accuracy")  # NaN there says that there is none
STEPS = {
    "training/loss": "loss",
    "training/loss_sum": "loss_sum",
    "training/rate": "rate",
    "training/penalty": "penalty",
    "clipping/norm_before": "norm_before",
    "clipping/norm_after": "norm_after",
    "clipping/threshold": "threshold",
    "clipping/clipped": "clipped",
    "clipping/cosine": "cosine",
}
NORMS = ("norm_before", "norm_after")
SIZES = ("weight", "gradient_before", "gradient_after", "update", "ratio", "distance")


def steps(run: Run) -> Iterator[Scalar]:
    yield from _columns(run.steps, STEPS, run.unmeasured)


def held_out(run: Run) -> Iterator[Scalar]:
    yield from _columns(run.held_out, {"held_out/loss": "loss", "held_out/accuracy": "accuracy"}, ())


def _columns(table: pd.DataFrame, tags: dict[str, str], unmeasured: Sequence[str]) -> Iterator[Scalar]:
    for tag, name in tags.items():
        values = table[name].to_numpy(float)
        if name in unmeasured or (name in MAYBE and np.isnan(values).all()):
            continue
        for step, value in zip(table["step"], values, strict=True):
            if not (name in MAYBE and np.isnan(value)):
                yield Scalar(tag, int(step), float(value), wide=name in NORMS)


def time_steps(run: Run) -> Iterator[Scalar]:
    """The mean over the time steps of a sequence of what was recorded of each: means of gates and states, norms of gradients …"""
    for row in _rows(run, "timesteps"):
        with np.errstate(invalid="ignore", over="ignore"):
            value = float(np.mean(row.mean)) if len(row.mean) else float("nan")
        yield Scalar(plain(f"time_steps_{row.quantity}/{place(row)}"), int(row.step), value, wide=True)


def reach(run: Run) -> Iterator[Scalar]:
    """How the gradient of the last step's loss fades: factor per step back, half-life and horizon in time steps; infinite where it does
    not fade, NaN where no line can be fitted."""
    for row in _rows(run, "reach"):
        decay = decay_per_step(np.asarray(row.mean, float))
        for name, value in (("decay", decay), ("half_life", half_life(decay)), ("horizon", horizon(np.asarray(row.mean, float)))):
            yield Scalar(plain(f"reach_{name}/{place(row)}"), int(row.step), float(value))


def parameters(run: Run) -> Iterator[Scalar]:
    for row in _rows(run, "parameters"):
        name = f"{row.parameter}.{row.gate}" if row.gate else str(row.parameter)
        for size in SIZES:
            if size not in run.unmeasured:
                yield Scalar(plain(f"parameters_{size}/{name}"), int(row.step), float(getattr(row, size)), wide=True)


def saturation(run: Run) -> Iterator[Scalar]:
    """Shares of time steps, examples and units at either end."""
    for row in _rows(run, "saturation"):
        for side in ("left", "right"):
            values = np.asarray(getattr(row, side), float)
            yield Scalar(plain(f"saturated_{side}/{place(row)}"), int(row.step), float(np.mean(values)) if len(values) else float("nan"))


def _rows(run: Run, table: str) -> Iterator[Any]:
    """Rows with their lists, a few at a time."""
    count = len(run.facts(table))
    for first in range(0, count, 500):
        yield from run.rows(table, range(first, min(count, first + 500))).itertuples()

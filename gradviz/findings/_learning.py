"""How large the updates of the weights are beside the weights: what the rules about the pace of learning look at."""

import numpy as np
import pandas as pd

from gradviz.arrays import norm
from gradviz.frames import Run

USUAL = 1e-3  # Karpathy's rule of thumb
FLOOR = 1e-2  # norm of a matrix below which its ratio says that it began at zero, not that it moves fast
ENOUGH = 5  # recorded training steps in the second half


def ratios(run: Run) -> pd.DataFrame:
    """One row per weight matrix and recorded step of the second half of training: step, parameter, weight, update, ratio = update / weight.

    The norms of a matrix's gates are put together. Biases and peepholes are left out: they begin at zero or near it, and one number
    that small makes any ratio. Rows that are not finite, or with a norm of the weights below FLOOR, are left out as well.
    """
    table = run.parameters
    if table.empty:
        return pd.DataFrame(columns=["step", "parameter", "weight", "update", "ratio"])
    names = table["parameter"].astype(str).str.rsplit(".", n=1).str[-1]
    table = table[names.str.startswith("weight")]
    norms = table.groupby(["step", "parameter"], sort=True)[["weight", "update"]].agg(_length).reset_index()
    late = norms[norms["step"] >= (norms["step"].min() + norms["step"].max()) / 2]
    usable = np.isfinite(late[["weight", "update"]].to_numpy(float)).all(axis=1) & (late["weight"].to_numpy(float) >= FLOOR)
    kept = late[usable]
    found: pd.DataFrame = kept.assign(ratio=kept["update"] / kept["weight"]).reset_index(drop=True)
    return found


def _length(norms: pd.Series) -> float:
    """The norm of a whole out of those of its parts."""
    return float(norm(norms.to_numpy(float)))


def medians(rows: pd.DataFrame) -> dict[str, float]:
    """Median ratio of each matrix that has enough recorded steps."""
    counted = rows.groupby("parameter", sort=True)["ratio"].agg(["median", "size"])
    return {str(name): float(row["median"]) for name, row in counted.iterrows() if row["size"] >= ENOUGH}


def falling(run: Run) -> bool:
    """Whether the training loss still falls: its last quarter lies below the quarter before by more than two standard errors.

    The losses of batches are taken as independent, which those of random batches at a standstill are.
    """
    losses = run.steps["loss"].to_numpy(float) if len(run.steps) else np.empty(0)
    size = len(losses) // 4
    if size < ENOUGH or not np.isfinite(losses[-2 * size :]).all():
        return False
    before, after = losses[-2 * size : -size], losses[-size:]
    error = np.sqrt((np.var(before, ddof=1) + np.var(after, ddof=1)) / size)
    return bool(np.mean(before) - np.mean(after) > 2 * error)

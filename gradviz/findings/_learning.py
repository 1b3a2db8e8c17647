"""How large the updates of the weights are beside the weights: what the rules about the pace of learning look at."""

import numpy as np
import pandas as pd

from gradviz.arrays import Array, norm
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
    codes, names = pd.factorize(table["parameter"], sort=True)
    kept = np.flatnonzero(np.array([str(name).rsplit(".", 1)[-1].startswith("weight") for name in names])[codes])
    order = kept[np.lexsort((codes[kept], table["step"].to_numpy()[kept]))]
    step, code = table["step"].to_numpy()[order], codes[order]
    starts = np.flatnonzero(np.r_[True, (np.diff(step) != 0) | (np.diff(code) != 0)][: len(step)])
    weight, update = (_lengths(table[name].to_numpy(float)[order], starts) for name in ("weight", "update"))
    step, code = step[starts], code[starts]
    if len(step):
        usable = (step >= (step.min() + step.max()) / 2) & np.isfinite(weight) & np.isfinite(update) & (weight >= FLOOR)
        step, code, weight, update = (values[usable] for values in (step, code, weight, update))
    return pd.DataFrame({"step": step, "parameter": names[code], "weight": weight, "update": update, "ratio": update / weight})


def _lengths(norms: Array, starts: Array) -> Array:
    """The norms of wholes out of those of their parts, which lie one after the other: (part,), first parts (whole,) -> (whole,)."""
    sizes = np.diff(np.r_[starts, len(norms)])
    found = np.empty(len(starts))
    for size in np.unique(sizes):
        alike = sizes == size
        found[alike] = norm(norms[starts[alike][:, None] + np.arange(size)], -1)
    return found


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

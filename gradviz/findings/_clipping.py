"""What clipping did to the steps of a run, as the rules about it count."""

import numpy as np
import pandas as pd

from gradviz.arrays import Array
from gradviz.frames import Run


def without(run: Run) -> str:
    """Why rules about clipping have nothing to judge."""
    return f"Not applicable: {'the log says nothing of clipping' if 'clipped' in run.unmeasured else 'this run does not clip'}"


def share_clipped(steps: pd.DataFrame) -> float:
    """Share of these training steps that clipping changed; NaN without steps."""
    return float(steps["clipped"].astype(float).mean()) if len(steps) else float("nan")


def cuts(steps: pd.DataFrame) -> Array:
    """Of each step the share of the gradient's length that was removed, 1 - after / before. Left out: norms that are 0 or not finite."""
    before, after = steps["norm_before"].to_numpy(float), steps["norm_after"].to_numpy(float)
    usable = np.isfinite(before) & np.isfinite(after) & (before > 0)
    removed: Array = 1 - after[usable] / before[usable]
    return removed


def share_removed(steps: pd.DataFrame) -> float:
    """Mean over steps of the share of the gradient's length that clipping removed; NaN if no norm is usable.

    A mean of shares and not a share of the sum: one exploding gradient would be all of the sum.
    """
    removed = cuts(steps)
    return float(np.mean(removed)) if len(removed) else float("nan")

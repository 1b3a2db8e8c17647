"""What several findings look at: how far back the gradient of the last step's loss reaches, and whether the network learned anything."""

from dataclasses import dataclass
from functools import cached_property
from typing import cast

import numpy as np
import pandas as pd

from gradviz.arrays import Array
from gradviz.dynamics.decay import decay_per_step, half_life, horizon
from gradviz.frames import Run

LAST = 20  # losses of so many training steps are averaged
EXPLOSIVE = 2.0  # decades by which the gradient of the last step must have grown somewhere on its way back


@dataclass(frozen=True)
class Path:
    """One state (layer, direction, point) through which the gradient travels back.

    rows: the rows of table `reach`, by step; profiles: log10 norm per lag, one array a row.
    """

    layer: int
    direction: str
    point: str
    rows: pd.DataFrame
    profiles: list[Array]

    @property
    def steps(self) -> list[int]:
        """Recorded training steps."""
        return [int(step) for step in self.rows["step"]]

    @cached_property
    def decays(self) -> list[float]:
        return [decay_per_step(profile) for profile in self.profiles]

    @cached_property
    def growths(self) -> list[float]:
        """Decades from lag 0 to the largest norm, one a recorded step; NaN without a gradient at lag 0."""
        return [float(np.nanmax(profile) - profile[0]) if len(profile) and np.isfinite(profile[0]) else np.nan for profile in self.profiles]

    @property
    def explosive(self) -> list[bool]:
        """Whether the gradient exploded at each recorded step: it grows per step back, and hundredfold over the sequence."""
        # A decay of NaN does not acquit: a profile that grew into infinity cannot be fitted.
        return [growth >= EXPLOSIVE and not decay <= 1 for growth, decay in zip(self.growths, self.decays, strict=True)]

    @property
    def where(self) -> str:
        return f"{self.point} state of layer {self.layer}" + ("" if self.direction == "forward" else f", {self.direction}")

    def evidence(self) -> pd.DataFrame:
        """The rows with what was computed from them, without the curves."""
        kept = self.rows[["step", "layer", "direction", "point"]].reset_index(drop=True)
        horizons = [horizon(profile) for profile in self.profiles]
        return kept.assign(decay=self.decays, half_life=[half_life(decay) for decay in self.decays], horizon=horizons, growth=self.growths)


def paths(run: Run) -> list[Path]:
    """All states whose reach was recorded."""
    table = run.table("reach")
    if table.empty:
        return []
    found: list[Path] = []
    for key, rows in table.sort_values("step", kind="stable").groupby(["layer", "direction", "point"], sort=True):
        layer, direction, point = cast(tuple[int, str, str], key)
        found.append(Path(int(layer), direction, point, rows, [np.asarray(mean, float) for mean in rows["mean"]]))
    return found


def longest(run: Run) -> Path | None:
    """The path on which the gradient reaches furthest at the last recorded step: memory is as long as its best path.

    An LSTM's cell state may carry what its hidden state lets go. The hidden state comes first where both reach equally far.
    """

    def reach(path: Path) -> tuple[float, float]:
        far, half = horizon(path.profiles[-1]), half_life(path.decays[-1])
        return (-1.0 if np.isnan(far) else far, -1.0 if np.isnan(half) else half)

    found = sorted(paths(run), key=lambda path: path.point != "hidden")
    return max(found, key=reach, default=None)


def steepest(run: Run) -> Path | None:
    """The path on which the gradient grew most at any recorded step."""
    return max(paths(run), key=lambda path: np.nanmax([-np.inf, *path.growths]), default=None)


def exploded(run: Run) -> bool:
    """Whether the gradient exploded at any recorded step."""
    return any(any(path.explosive) for path in paths(run))


def loss_at_end(run: Run) -> float:
    """The larger of training loss and held-out loss: a network has learned only what shows in both. NaN if one is, or none is known."""
    held_out = run.held_out["loss"].to_numpy(float)[-1:]
    return float(np.max([training_loss(run), *held_out]))


def training_loss(run: Run) -> float:
    """Mean loss of the last training steps, NaN without any."""
    return float(np.mean(run.steps["loss"].to_numpy(float)[-LAST:])) if len(run.steps) else float("nan")


def learned(run: Run) -> bool | None:
    """Whether the network ended better than every prediction that needs no network; None if no such baseline or no loss is known."""
    baselines = [float(loss) for loss in run.meta.get("baselines", {}).values()]
    if not baselines or run.steps.empty:
        return None
    return loss_at_end(run) < min(baselines)

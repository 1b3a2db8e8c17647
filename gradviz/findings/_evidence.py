"""What several findings look at: how far back the gradient of the last step's loss reaches, and whether the network learned anything."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import cast

import numpy as np
import pandas as pd

from gradviz.arrays import Array
from gradviz.dynamics.decay import decay_per_step, half_life, horizon
from gradviz.findings._memory import remembered
from gradviz.findings._words import spoken
from gradviz.frames import Run
from gradviz.wording import number

LAST = 20  # losses of so many training steps are averaged
LOST = -3.0  # decades at the task's lag, ten half-lives: below, a gradient drowns in that of nearer steps
EXPLOSIVE = 2.0  # decades by which the gradient of the last step must have grown somewhere on its way back


@dataclass(frozen=True)
class Path:
    """One state (layer, direction, point) through which the gradient travels back.

    rows: the rows of table `reach`, by step; profiles: log10 norm per lag, one array a row; part: encoder or decoder, empty in
    networks that have no such parts.
    """

    layer: int
    direction: str
    point: str
    rows: pd.DataFrame
    profiles: list[Array]
    part: str = ""

    @property
    def steps(self) -> list[int]:
        """Recorded training steps."""
        return [int(step) for step in self.rows["step"]]

    @property
    def first(self) -> "Path":
        """The same at the first recorded step alone."""
        return replace(self, rows=self.rows.iloc[:1], profiles=self.profiles[:1])

    @cached_property
    def decays(self) -> list[float]:
        return [decay_per_step(profile) for profile in self.profiles]

    @cached_property
    def intervals(self) -> list[tuple[float, float, float]]:
        """Decay of the mean profile with the ends of its interval, one a recorded step; NaN ends where none was recorded."""
        lows, highs = (self.rows[name].astype(float) for name in ("decay_low", "decay_high"))
        return list(zip(self.decays, lows, highs, strict=True))

    @cached_property
    def horizons(self) -> list[float]:
        """Lags until less than 1 % is left, one a recorded step."""
        return [horizon(profile) for profile in self.profiles]

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
        layer = f"layer {self.layer} ({self.part})" if self.part else f"layer {self.layer}"
        return f"{spoken(self.point)} of {layer}" + ("" if self.direction == "forward" else f", {self.direction}")

    def evidence(self) -> pd.DataFrame:
        """The rows with what was computed from them, without the curves."""
        kept = self.rows[["step", "layer", "direction", "point"]].reset_index(drop=True)
        ends = {"decay_low": [low for _, low, _ in self.intervals], "decay_high": [high for _, _, high in self.intervals]}
        half_lives = [half_life(decay) for decay in self.decays]
        return kept.assign(decay=self.decays, **ends, half_life=half_lives, horizon=self.horizons, growth=self.growths)


@remembered()
def paths(run: Run) -> list[Path]:
    """All states whose reach was recorded."""
    table = run.table("reach")
    if table.empty:
        return []
    found: list[Path] = []
    for key, rows in table.sort_values("step", kind="stable").groupby(["layer", "direction", "point"], sort=True):
        layer, direction, point = cast(tuple[int, str, str], key)
        profiles = [np.asarray(mean, float) for mean in rows["mean"]]
        found.append(Path(int(layer), direction, point, rows, profiles, run.part(int(layer))))
    return found


def longest(run: Run) -> Path | None:
    """The path on which the gradient reaches furthest at the last recorded step: memory is as long as its best path.

    An LSTM's cell state may carry what its hidden state lets go. Of paths with equal horizons the one with more left at the far end counts.
    Through an encoder and a decoder the gradient has to travel one after the other: of the best path of each the one that reaches less of
    its own sequence counts, the longer one if both reach all of it.
    """

    def reach(path: Path) -> tuple[float, float]:
        profile = path.profiles[-1]
        far, known = horizon(profile), profile[~np.isnan(profile)]
        return (far, float(known[-1] - profile[0])) if not np.isnan(far) else (-1.0, -np.inf)

    def covered(path: Path) -> tuple[float, int]:
        length = len(path.profiles[-1])
        return min(1.0, reach(path)[0] / max(1, length)), -length

    found = sorted(paths(run), key=lambda path: path.point != "cell")
    best = [max((path for path in found if path.part == part), key=reach) for part in dict.fromkeys(path.part for path in found)]
    return min(best, key=covered, default=None)


def arriving(path: Path, lag: int) -> tuple[int, float]:
    """The lag, or the last one that was measured if it lies beyond, and log10 of the share of the gradient at lag 0 that arrives there."""
    profile = path.profiles[-1]
    known = np.flatnonzero(~np.isnan(profile))
    at = min(lag, int(known[-1])) if len(known) else 0
    return at, float(profile[at] - profile[0])


def steepest(run: Run) -> Path | None:
    """The path on which the gradient grew most at any recorded step."""
    return max(paths(run), key=lambda path: np.nanmax([-np.inf, *path.growths]), default=None)


def exploded(run: Run) -> bool:
    """Whether the gradient exploded at any recorded step."""
    return any(any(path.explosive) for path in paths(run))


def training_loss(run: Run) -> float:
    """Mean loss of the last training steps, NaN without any."""
    return float(np.mean(run.steps["loss"].to_numpy(float)[-LAST:])) if len(run.steps) else float("nan")


def learned(run: Run) -> bool | None:
    """Whether the network ended better than every prediction that needs no network; None if no such baseline or no loss is known.

    Judged on the held-out sequences, for which the baselines stand. Where values are predicted, R² has to be above zero too: the best
    constant for these very sequences may beat the baseline by chance.
    """
    loss, baseline, explained = _end(run)
    if np.isnan(baseline) or run.steps.empty:
        return None
    return bool(loss < baseline and not explained <= 0)


def against_baseline(run: Run) -> str:
    """How the network ended, beside the best baseline: "loss 2.67, letter pairs 2.24"."""
    loss, baseline, explained = _end(run)
    name = min(run.meta.get("baselines", {}), key=lambda key: float(run.meta["baselines"][key]), default="no baseline")
    said = f"loss {number(loss)}, {name} {number(baseline)}"
    return said if np.isnan(explained) else f"{said}, R² {number(explained)}"


def _end(run: Run) -> tuple[float, float, float]:
    """Loss (of training, if none was held out), best baseline, and R² of a network that predicts values; NaN for what is not known."""
    baseline = min((float(loss) for loss in run.meta.get("baselines", {}).values()), default=float("nan"))
    if run.held_out.empty:
        return training_loss(run), baseline, float("nan")
    last = run.held_out.iloc[-1]
    values = run.meta.get("signature", {}).get("loss") == "squared"
    return float(last["loss"]), baseline, float(last["accuracy"]) if values else float("nan")

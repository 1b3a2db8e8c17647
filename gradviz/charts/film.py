"""Film: the waterfall of every recorded training step side by side, norm as colour."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd

from gradviz.charts import _course, _reach
from gradviz.charts._base import Chart
from gradviz.charts._common import aside, colour, grid, heading, held, left_out, nothing, specials, stack, training
from gradviz.charts._description import Axis, Description, Heat, Mark, Panel, Rule
from gradviz.charts._words import sentence
from gradviz.frames import Run
from gradviz.options import check, option
from gradviz.wording import number

COLUMNS = ("run", "step", "lag", "mean", "decay")
LIMITS = (-15.0, 5.0)
UNIT = "gradient norm"
MOST = 400  # training steps drawn: a panel has no more pixels than that
LOOK_FOR = (
    "Healthy is a picture lit from bottom to top, or whose lit part grows upwards while the network learns: it reaches that far back. "
    "A dark picture has no signal from the past; a very bright one explodes; vertical streaks mean that the reach jumps between steps."
)


@dataclass(frozen=True)
class Film(Chart):
    """step: marks the last recorded step up to it; layer -1: the last; point "": the cell state of an LSTM, else the hidden state."""

    needs = ("reach",)
    purpose = "how far the gradient reaches at every training step, as a picture"

    step: int = option(-1, "training step to mark, with the reach of each run there; -1 marks none", low=-1)
    layer: int = option(-1, "layer, counted from 0; -1 is the last", low=-1)
    point: str = option("", "state the gradient is taken of; empty chooses the cell state of an LSTM", choices=("", "hidden", "cell"))

    def __post_init__(self) -> None:
        check(self)

    def describe(self, runs: Sequence[Run]) -> Description:
        tables = {run.label: _reach.rows(run, self.point, self.layer) for run in runs}
        shown, columns = grid([run for run in runs if len(tables[run.label])])
        if not shown:
            return nothing("film", _reach.RECORD, COLUMNS, LOOK_FOR)
        frame = stack([tables[run.label].assign(run=run.label)[list(COLUMNS)] for run in shown], COLUMNS)
        parts = {run.label: _parts(run, run.stamp, self.point, self.layer) for run in shown}
        fits = {label: fit for label, (_, fit) in parts.items()}
        reaches = {label: fit["horizon"].to_numpy() for label, fit in fits.items()}
        lags = {run.label: int(tables[run.label]["lag"].max()) for run in shown}
        axes = training(frame), Axis("steps back", limits=(0.0, float(frame["lag"].max())))
        panels = tuple(
            Panel((parts[run.label][0], *self._mark(fits[run.label])), *axes, heading(run), colour(run), self._note(run, shown, fits))
            for run in shown
        )
        return Description(
            "film",
            sentence(_course.reaches(shown, reaches, lags), f"How far the gradient reaches in {len(shown)} runs"),
            f"Norm of {_reach.what(shown, self.point, self.layer)} (colour: log scale, the same for all) by training step "
            f"and steps back; geometric mean over the {held(shown)} sequences. "
            f"Reach: steps back until less than 1\u202f% of the norm at lag 0 is left.{left_out(runs, shown)}",
            LOOK_FOR,
            frame,
            panels,
            columns=columns,
            shape="film",
            key=tuple(specials([frame["mean"].to_numpy()])),
            source="Pascanu, Mikolov and Bengio 2013; drawn over training as in RNNbow (Cashman et al. 2017)",
        )

    def _mark(self, fits: pd.DataFrame) -> tuple[Mark, ...]:
        return () if self.step < 0 else (Rule(float(_reach.nearest(list(fits["step"]), self.step)), "up"),)

    def _note(self, run: Run, shown: Sequence[Run], fits: dict[str, pd.DataFrame]) -> str:
        """What tells the run from others, and its reach at the step that is marked."""
        if self.step < 0:
            return aside(run, shown)
        found = fits[run.label].set_index("step")["horizon"]
        reach = float(found[_reach.nearest(list(found.index), self.step)])
        return f"{aside(run, shown)}, reach {'all' if np.isinf(reach) else number(reach)}"


@lru_cache(maxsize=_reach.KEPT)
def _parts(run: Run, stamp: object, point: str, layer: int) -> tuple[Heat, pd.DataFrame]:
    """The picture of one run and its fits: the same wherever the mark of a slider stands."""
    table = _reach.rows(run, point, layer)
    return _heat(table), _reach.decays(table)


def _heat(table: pd.DataFrame) -> Heat:
    steps, column = np.unique(table["step"].to_numpy(), return_inverse=True)
    lags, row = np.unique(table["lag"].to_numpy(), return_inverse=True)
    square, values = np.full((len(lags), len(steps)), np.nan), table["mean"].to_numpy(np.float64)
    shown = np.linspace(0, len(steps) - 1, min(len(steps), MOST)).round().astype(int)
    known = np.flatnonzero(~np.isnan(values))[::-1]  # of a step recorded twice the first number stands
    square[row[known], column[known]] = values[known]
    return Heat(steps[shown], lags, square[:, shown], "depth", LIMITS, log=True, unit=UNIT)

"""Gradient matrix: what the loss of every step feels of the state at every earlier one."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import pandas as pd

from gradviz.arrays import Array
from gradviz.batch import Batch
from gradviz.charts._base import Chart
from gradviz.charts._common import aside, colour, fit, grid, heading, held, left_out, nothing, rails, specials, stack, style
from gradviz.charts._course import far
from gradviz.charts._description import Axis, Description, Heat, Line, Panel, Rule, log10
from gradviz.charts._reopened import LEFT_OUT, WEIGHTS, Asked, Known, asked, place
from gradviz.charts._words import chunks, sentence, spoken
from gradviz.dynamics.decay import horizon
from gradviz.dynamics.matrix import GradientMatrix, gradient_matrix
from gradviz.errors import GradvizError
from gradviz.frames import Run
from gradviz.options import check, option
from gradviz.wording import listed, span

COLUMNS = ("run", "loss", "state", "back", "norm", "share")
LONGEST = 200  # steps of a sequence with a loss at each: the work grows with their square
REMEMBERED = 32  # matrices
DECADES = 12.0  # of the colours, below the largest norm
SHARES = (-0.5, 0.5)  # of the colours
UNIT = "gradient norm"
LOOK_FOR = (
    "Healthy is a triangle lit far below its diagonal: late losses still move early states. "
    "If only a narrow strip along the diagonal is lit, every loss teaches the last few steps alone, however long the sequence is."
)
ONE = (
    "Healthy is a line that stays level to the left: the one loss at the end still moves the first states. "
    "If it falls off towards the left, what was read there cannot be learned from this loss."
)


@dataclass(frozen=True)
class LossAgainstState(Chart):
    """token: a step whose loss is looked at by itself; -1: none. layer -1: the last; point "": the cell state of an LSTM, else hidden."""

    needs = ()
    exact = True
    purpose = "what the loss of every step feels of the state at every earlier one"

    token: int = option(-1, "step whose loss is looked at by itself, counted from 0; -1 looks at all", low=-1)
    example: int = option(0, "which of the recorded held-out sequences", low=0)
    layer: int = option(-1, "layer, counted from 0; -1 is the last", low=-1)
    point: str = option("", "state the gradient is taken of; empty chooses the cell state of an LSTM", choices=("", "hidden", "cell"))
    weights: str = option("last", "weights at the end, those with the lowest held-out loss, or those at the start", choices=WEIGHTS)

    def __post_init__(self) -> None:
        check(self)

    def tokens(self, runs: Sequence[Run]) -> tuple[str, ...]:
        known = [one.known for one in asked(runs, self.example, self.weights)[0]]
        read = {one.words[:LONGEST] for one in known if one.network.signature.at == "every"}
        return read.pop() if len(read) == 1 else ()

    def describe(self, runs: Sequence[Run]) -> Description:
        found, missing = asked(runs, self.example, self.weights)
        if not found:
            return nothing("gradient_matrix", missing, COLUMNS, LOOK_FOR)
        pictures = self._pictures(found)
        shown, columns = grid([one.run for one in found if one.run.label in pictures])
        every = [pictures[run.label] for run in shown]
        norms = [picture.norms for picture in every]
        low, high = fit([values[np.isfinite(values)] for values in norms])
        limits = (max(low, high - DECADES), high)
        upper = [picture.upper(shown, limits) for picture in every]
        lower = [picture.lower() for picture in every if picture.square]
        heads = [panel for panel, picture in zip(upper, every, strict=True) if picture.square]  # on a phone they stand further apart
        lower = [replace(one, heading=up.heading, colour=up.colour, note=up.note) for one, up in zip(lower, heads, strict=True)]
        alone = [values[picture.row] for picture, values in zip(every, norms, strict=True) if self.token >= 0 or not picture.square]
        return Description(
            "gradient_matrix",
            self._title(every, shown),
            f"Norm of the gradient of each step’s loss (upwards) with respect to the state at every step up to it (across), log scale. "
            f"{self._below(every)}Reach: steps back until less than 1\u202f% of the norm at the loss’s own step is left"
            f"{', median over the second half of the losses' if lower and self.token < 0 else ''}. One {held(shown)} sequence."
            f"{_cut(every)}{left_out(runs, shown, LEFT_OUT)}",
            LOOK_FOR if lower else ONE,
            stack([picture.frame() for picture in every], COLUMNS),
            (*upper, *lower),
            columns=columns if len(shown) > 1 else 2,
            shape="film" if lower else "multiples",
            key=tuple(specials([np.ma.compressed(picture.heat) for picture in every if picture.square]) or rails(alone)),
            source="Cashman et al. 2018, RNNbow; Pascanu, Mikolov and Bengio 2013, eq. 4 and 5",
        )

    def _pictures(self, found: Sequence[Asked]) -> dict[str, "_Picture"]:
        """By label, without the runs that this cannot be asked of; if it can be of none, the error of the first."""
        pictures: dict[str, _Picture] = {}
        refused: list[GradvizError] = []
        for one in found:
            try:
                pictures[one.run.label] = _Picture(one, self)
            except GradvizError as error:
                refused.append(error)
        if not pictures:
            raise refused[0]
        return pictures

    def _title(self, every: Sequence["_Picture"], runs: Sequence[Run]) -> str:
        """For each kind of loss looked at, as tasks with a loss at every step and with one at the end may be side by side."""
        kinds = {what: [picture for picture in every if picture.what == what] for what in (picture.what for picture in every)}
        said = [f"{what} reaches back {self._reached(some, runs)}" for what, some in kinds.items()]
        return sentence("; ".join(said), f"Which loss feels which state in {len(runs)} runs")

    def _reached(self, every: Sequence["_Picture"], runs: Sequence[Run]) -> str:
        reaches = {picture.run.label: picture.reach for picture in every}
        last = {picture.run.label: picture.norms.shape[1] - 1 for picture in every}
        dead = {picture.run.label for picture in every if not picture.broken}
        told: dict[str, list[Run]] = {}
        for part in chunks([run for run in runs if run.label in reaches], runs):
            whole = [run for run in part if reaches[run.label] > last[run.label]]
            rest = [run for run in part if run not in whole and not np.isnan(reaches[run.label])]
            if rest:
                told.setdefault(f"{span([reaches[run.label] for run in rest])} steps", []).extend(rest)
            if whole:
                told.setdefault(far(np.inf, 0), []).extend(whole)
            for run in part:
                if run not in whole and run not in rest:
                    told.setdefault("nothing" if run.label in dead else "an unknown number of steps", []).append(run)
        return listed([f"{words} in {spoken(some, runs)}" for words, some in told.items()])

    def _below(self, every: Sequence["_Picture"]) -> str:
        if not any(picture.square for picture in every):
            return ""
        where = "Below:" if len(every) > 1 else "Beside or below:"
        if self.token >= 0:
            return f"{where} the loss at step {self.token} alone, the line in the other picture. "
        return f"{where} the share of each loss in the whole gradient of a state, with its sign; shares of a state sum to 1. "


@lru_cache(maxsize=REMEMBERED)
def _matrix(known: Known, where: str) -> GradientMatrix:
    batch = known.batch
    if known.network.signature.at == "every" and batch.reading.steps > LONGEST:
        batch = Batch(batch.inputs[:LONGEST], batch.targets[:LONGEST])
    return gradient_matrix(known.network, batch, where)


class _Picture:
    """The panels of one run."""

    def __init__(self, one: Asked, chart: LossAgainstState) -> None:
        self.run, self.words = one.run, one.known.words
        self.matrix = _matrix(one.known, place(one.known, chart.layer, chart.point))
        self.square = len(self.matrix.losses) > 1
        self.token = chart.token if self.square else -1
        if self.token >= len(self.matrix.losses):
            raise GradvizError(
                f"there is no loss at step {self.token}; the sequence shown has the steps 0 to {len(self.matrix.losses) - 1}."
            )
        self.norms = log10(self.matrix.norms)
        self.read = one.known.batch.reading.steps

    @property
    def what(self) -> str:
        """The loss whose reach is told."""
        return f"the loss at step {self.token}" if self.token >= 0 else "the median loss" if self.square else "the loss at the end"

    @property
    def broken(self) -> bool:
        """Whether some norm is no finite number, so that no reach is known rather than none there."""
        return bool(np.isnan(self.norms).any() or np.isposinf(self.norms).any())

    @property
    def row(self) -> int:
        """The loss that is looked at by itself."""
        return self.token if self.square else 0

    @property
    def heat(self) -> Array:
        """Norms without the future, which is empty rather than zero."""
        return np.ma.array(self.norms, mask=np.triu(np.ones(self.norms.shape, bool), 1))

    @property
    def reach(self) -> float:
        """Of the loss looked at, else the median over the later half of all; a loss without any gradient has none."""
        if not self.square or self.token >= 0:
            return self._reach(self.row)
        reaches = np.array([self._reach(t) for t in range(len(self.norms) // 2, len(self.norms))])
        known = reaches[~np.isnan(reaches)]
        return float(np.median(known)) if len(known) and not self.broken else np.nan

    def _reach(self, t: int) -> float:
        return horizon(self.norms[t, : self.matrix.losses[t] + 1][::-1])

    def upper(self, runs: Sequence[Run], limits: tuple[float, float]) -> Panel:
        steps = np.arange(self.norms.shape[1])
        across = Axis("state at step", limits=(0.0, float(max(len(steps) - 1, 1))))
        names = heading(self.run), colour(self.run), aside(self.run, runs)
        if not self.square:
            return Panel((self._line(0),), across, Axis("gradient norm", "log", limits), *names)
        heat = Heat(steps, self.matrix.losses, self.heat, "depth", limits, log=True, unit=UNIT)
        chosen = (Rule(float(self.token)),) if self.token >= 0 else ()
        return Panel((heat, *chosen), across, Axis("loss at step", limits=across.limits), *names)

    def lower(self) -> Panel:
        steps = np.arange(self.norms.shape[1])
        across = Axis("state at step", limits=(0.0, float(max(len(steps) - 1, 1))))
        if self.token >= 0:
            return Panel((self._line(self.token), Rule(float(self.token), "up")), across, Axis("gradient norm", "log"))
        shares = np.ma.array(self.matrix.shares, mask=np.ma.getmaskarray(self.heat))
        heat = Heat(steps, self.matrix.losses, shares, "tide", SHARES, unit="share of the gradient")
        return Panel((heat,), across, Axis("loss at step", limits=across.limits))

    def _line(self, row: int) -> Line:
        end = self.matrix.losses[row] + 1
        return Line(np.arange(end), self.norms[row, :end], self.run.label, **style(self.run))

    def frame(self) -> pd.DataFrame:
        return _rows(self.matrix).assign(run=self.run.label)[list(COLUMNS)]


@lru_cache(maxsize=REMEMBERED)
def _rows(matrix: GradientMatrix) -> pd.DataFrame:
    """One row per loss and state up to it: the same whichever token a slider has chosen."""
    past = np.arange(matrix.norms.shape[1]) <= matrix.losses[:, None]
    rows, states = np.nonzero(past)
    losses = matrix.losses[rows]
    steps = {"loss": losses, "state": states, "back": losses - states}
    return pd.DataFrame({**steps, "norm": matrix.norms[rows, states], "share": matrix.shares[rows, states]})


def _cut(every: Sequence[_Picture]) -> str:
    longest = max(picture.read for picture in every if picture.square) if any(picture.square for picture in every) else 0
    return f" Its first {LONGEST} of {longest} steps." if longest > LONGEST else ""

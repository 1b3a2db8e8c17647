"""Step-Jacobian fan: how much each time step stretches and shrinks the state, direction by direction."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd

from gradviz.arrays import Array
from gradviz.charts._base import Chart
from gradviz.charts._common import aside, colour, fit, grid, heading, held, left_out, nothing, rails, stack
from gradviz.charts._description import Axis, Band, Description, Line, Mark, Panel, Rule, log10
from gradviz.charts._reopened import LEFT_OUT, MOST, WEIGHTS, Known, asked
from gradviz.charts._words import chunks, sentence, spoken
from gradviz.dynamics.jacobians import in_pieces
from gradviz.dynamics.products import Scaled
from gradviz.dynamics.recurrent import Recurrent, recurrent
from gradviz.errors import GradvizError
from gradviz.frames import Run
from gradviz.options import check, option
from gradviz.wording import factor, listed, number, span

COLUMNS = ("run", "time", "low", "tenth", "median", "ninetieth", "high", "growth")
PARTS = (0.0, 0.1, 0.5, 0.9, 1.0)  # quantiles over the directions of the state
DECADES = 6.0  # of the axis, below the largest value
LOOK_FOR = (
    "Healthy is a fan whose upper edge and whose black line stay near 1: some directions pass every step hardly changed. "
    "A fan that lies below 1 shrinks every gradient at every step; a black line above 1 is an explosion on its way back."
)


@dataclass(frozen=True)
class Fan(Chart):
    needs = ()
    exact = True
    purpose = "how much each time step stretches and shrinks the state, direction by direction"

    example: int = option(0, "which of the recorded held-out sequences", low=0)
    weights: str = option("last", "weights at the end, those with the lowest held-out loss, or those at the start", choices=WEIGHTS)

    def __post_init__(self) -> None:
        check(self)

    def describe(self, runs: Sequence[Run]) -> Description:
        found, missing = asked(runs, self.example, self.weights)
        fans: dict[str, _Spread] = {}
        for one in found:
            try:
                fans[one.run.label] = _spread(one.known)
            except GradvizError as error:
                missing = missing or f"{one.run.label}: {error}"
        if not fans:
            return nothing("jacobian_fan", missing, COLUMNS, LOOK_FOR)
        shown, columns = grid([run for run in runs if run.label in fans])
        frame = stack([_frame(run, fans[run.label]) for run in shown], COLUMNS)
        low, high = fit([log10(frame[name].to_numpy()) for name in COLUMNS[2:]] + [np.zeros(1)])
        axes = (
            Axis("time step", limits=(1.0, float(max(frame["time"].max(), 2)))),
            Axis("factor", "log", (max(low, high - DECADES), high + 0.5)),
        )
        panels = tuple(Panel(_marks(run, fans[run.label]), *axes, heading(run), colour(run), _note(run, shown, fans)) for run in shown)
        return Description(
            "jacobian_fan",
            _title(shown, fans),
            "Singular values of the Jacobian of each step, all states of all layers together (an LSTM’s hidden and cell state): shaded "
            "from the smallest to the largest, darker from the 10th to the 90th percentile, line: median. Black: growth per step of the "
            f"product of all steps so far. Log scale; one {held(shown)} sequence. Of a plain RNN’s recurrent weights σ is the largest "
            "singular "
            f"value, ρ the spectral radius; a gated cell’s bound nothing and are left out.{left_out(runs, shown, LEFT_OUT)}",
            LOOK_FOR,
            frame,
            panels,
            columns=columns,
            key=tuple(rails([log10(frame[name].to_numpy()) for name in COLUMNS[2:]])),
            source="Pascanu, Mikolov and Bengio 2013, eq. 5 to 7; Pennington, Schoenholz and Ganguli 2017",
        )


@dataclass(frozen=True)
class _Spread:
    """quantiles: (part, time) of the singular values; growth: (time,) factor per step of the product so far; weights: of a plain RNN."""

    quantiles: Array
    growth: Array
    weights: Recurrent | None


@lru_cache(maxsize=MOST)
def _spread(known: Known) -> _Spread:
    product, quantiles, growth = Scaled.of(np.eye(known.path.width)), [], []
    for pieces in in_pieces(known.path):
        values = np.linalg.svd(pieces, compute_uv=False)
        quantiles.append(np.quantile(values, PARTS, axis=1))
        for step in pieces:
            product = product.after(step)
            growth.append(product.log_norm)
    every, plain = np.array(growth), known.network.model.cell.family == "rnn"
    with np.errstate(over="ignore", under="ignore"):
        per_step = np.exp(every / np.arange(1, len(every) + 1))
    return _Spread(np.concatenate(quantiles, axis=1), per_step, recurrent(known.network)[-1] if plain else None)


def _frame(run: Run, fan: _Spread) -> pd.DataFrame:
    parts = dict(zip(COLUMNS[2:7], fan.quantiles, strict=True))
    return pd.DataFrame({"run": run.label, "time": np.arange(1, len(fan.growth) + 1), **parts, "growth": fan.growth}, columns=list(COLUMNS))


def _marks(run: Run, fan: _Spread) -> tuple[Mark, ...]:
    time = np.arange(1, len(fan.growth) + 1)
    low, tenth, median, ninetieth, high = log10(fan.quantiles)
    return (
        Band(time, low, high, colour(run)),
        Band(time, tenth, ninetieth, colour(run)),
        Line(time, median, "median singular value", colour(run), label="median"),
        Line(time, log10(fan.growth), "growth per step so far", "ink", label="growth per step"),
        *_rules(fan.weights),
    )


def _rules(known: Recurrent | None) -> list[Rule]:
    """ρ is never above σ, so that one label at the upper line can name both."""
    if known is None:
        return []
    radius, stretch = log10([known.radius, known.stretch])
    return [Rule(float(radius), dashed=True), Rule(float(stretch), label=f"σ {number(known.stretch)}, below it ρ {number(known.radius)}")]


def _note(run: Run, runs: Sequence[Run], fans: dict[str, _Spread]) -> str:
    return f"{aside(run, runs)}, {factor(float(fans[run.label].growth[-1]))} per step"


def _title(runs: Sequence[Run], fans: dict[str, _Spread]) -> str:
    """The growth per step of the whole product, family by family; of one family, the median of all singular values as well."""
    parts, groups = [], chunks(runs, runs)
    for part in groups:
        growth = [float(fans[run.label].growth[-1]) for run in part]
        middle = [float(np.median(fans[run.label].quantiles[2])) for run in part]
        also = f" (median direction {span(middle, factor)})" if len(groups) == 1 else ""
        parts.append(f"{span(growth, factor)} in {spoken(part, runs)}{also}")
    return sentence(f"one step changes a gradient {listed(parts)}", f"What one step does to a gradient in {len(runs)} runs")

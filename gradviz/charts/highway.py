"""Highway ledger: what the gates alone let through of the gradient, beside all that arrives."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd

from gradviz.arrays import Array
from gradviz.charts._base import Chart
from gradviz.charts._common import colour, families, fit, held, left_out, nothing, rails, samples, short, stack, style
from gradviz.charts._description import Axis, Band, Description, Line, Mark, Panel
from gradviz.charts._reopened import LEFT_OUT, MOST, WEIGHTS, Known, asked
from gradviz.charts._words import sentence, spoken
from gradviz.dynamics.highway import KEEPERS, Highway, highway
from gradviz.errors import GradvizError
from gradviz.frames import Run
from gradviz.options import check, option
from gradviz.wording import listed, percent, span

COLUMNS = ("run", "lag", "direct", "direct_low", "direct_high", "rest", "share")
DECADES = 20.0  # of the axis, below the largest value
NO_GATES = (
    "None of these runs has a gate that scales its memory: an LSTM has one, the forget gate, and a GRU, the share kept. "
    "Train one with `gradviz train my.txt --cell lstm`."
)
LOOK_FOR = (
    "Healthy is a gated path that falls slowly and stays near all that arrives: the memory itself carries the gradient, step by step. "
    "If it falls far below, what arrives has come through the recurrent weights, which no gate protects."
)


@dataclass(frozen=True)
class Ledger(Chart):
    """layer -1: the last."""

    needs = ()
    exact = True
    purpose = "what the gates alone let through of the gradient, beside all that arrives"

    example: int = option(0, "which of the recorded held-out sequences", low=0)
    layer: int = option(-1, "layer, counted from 0; -1 is the last", low=-1)
    weights: str = option("last", "weights at the end, those with the lowest held-out loss, or those at the start", choices=WEIGHTS)

    def __post_init__(self) -> None:
        check(self)

    def describe(self, runs: Sequence[Run]) -> Description:
        gated = [run for run in runs if run.family in KEEPERS]
        found, missing = asked(gated, self.example, self.weights)
        ways: dict[str, Highway] = {}
        for one in found:
            try:
                ways[one.run.label] = _highway(one.known, self.layer)
            except GradvizError as error:
                missing = missing or f"{one.run.label}: {error}"
        shown = [run for run in gated if run.label in ways]
        if not shown:
            return nothing("highway", missing if gated else NO_GATES, COLUMNS, LOOK_FOR)
        frame = stack([_frame(run, ways[run.label]) for run in shown], COLUMNS)
        low, high = fit([frame[name].to_numpy() for name in ("direct", "rest")], least=3)
        axes = (
            Axis("steps back", limits=(0.0, float(frame["lag"].max()))),
            Axis("size of the derivative", "log", (max(low, high - DECADES), high)),
        )
        return Description(
            "highway",
            _title(shown, ways),
            "How large the derivative of the last memory with respect to earlier ones is (Frobenius norm over √units, log scale): by the "
            "gates alone, their product unit by unit, shaded from the 10th to the 90th percentile of units; and by all other ways, "
            "through the recurrent weights. LSTM: cell state and forget gate; GRU: hidden state and share kept. One "
            f"{held(shown)} sequence."
            f"{_without(runs)}{left_out(gated, shown, LEFT_OUT)}",
            LOOK_FOR,
            frame,
            tuple(Panel(_marks(group, ways), *axes, title, colour(group[0])) for title, group in families(shown)),
            columns=min(3, len(families(shown))),
            key=(
                ("start", "all other ways"),
                *(samples(shown) or [("clipped" if shown[0].clipped else "unclipped", "by the gates alone")]),
                *rails([frame["direct"].to_numpy(), frame["rest"].to_numpy()]),
            ),
            source="Gers, Schmidhuber and Cummins 2000; Kanuparthi et al. 2019, h-detach",
        )


def _without(runs: Sequence[Run]) -> str:
    """Runs whose cell has no such path."""
    plain = [run for run in runs if run.family not in KEEPERS]
    return f" No gate scales the memory of {spoken(plain, runs)}." if plain else ""


@lru_cache(maxsize=MOST)
def _highway(known: Known, layer: int) -> Highway:
    layers = len(known.network.parts.places)
    return highway(known.path, layers + layer if layer < 0 else layer)


def _frame(run: Run, way: Highway) -> pd.DataFrame:
    """log10 of sizes, as root mean squares over units; -inf for an exact zero."""
    units, root = way.log_direct / np.log(10), np.log10(way.log_direct.shape[1]) / 2
    values = {
        "direct": way.log_direct_norm / np.log(10) - root,
        "direct_low": _quantile(units, 0.1),
        "direct_high": _quantile(units, 0.9),
        "rest": way.log_rest / np.log(10) - root,
        "share": way.share,
    }
    return pd.DataFrame({"run": run.label, "lag": np.arange(len(units)), **values}, columns=list(COLUMNS))


def _quantile(units: Array, share: float) -> Array:
    """Over units, of values that may be -inf: one of them, so that nothing is interpolated."""
    ordered: Array = np.sort(units, axis=1)
    return ordered[:, round(share * (ordered.shape[1] - 1))]


def _marks(group: Sequence[Run], ways: dict[str, Highway]) -> tuple[Mark, ...]:
    bands: list[Mark] = []
    lines: list[Mark] = []
    for run in group:
        rows = _frame(run, ways[run.label])
        lag = rows["lag"].to_numpy()
        if len(group) == 1:
            bands.append(Band(lag, rows["direct_low"].to_numpy(), rows["direct_high"].to_numpy(), colour(run)))
        name = short(run, group)
        lines.append(
            Line(
                lag,
                rows["rest"].to_numpy(),
                f"{run.label}, all other ways",
                "ghost",
                dashed=not run.clipped,
                label=f"{name} others".strip(),
            )
        )
        lines.append(Line(lag, rows["direct"].to_numpy(), f"{run.label}, gates alone", **style(run), label=f"{name} gates".strip()))
    return (*bands, *lines)


def _nothing_arrives(way: Highway) -> bool:
    """Across the whole sequence; then the share is no number, as it is where a size is none."""
    return bool(np.isneginf(way.log_direct_norm[-1]) and np.isneginf(way.log_rest[-1]))


def _title(runs: Sequence[Run], ways: dict[str, Highway]) -> str:
    """The share that gates alone carry across the whole sequence."""
    parts = []
    for _, group in families(runs):
        shares = {run.label: float(ways[run.label].share[-1]) for run in group}
        known = [run for run in group if np.isfinite(shares[run.label])]
        empty = [run for run in group if _nothing_arrives(ways[run.label])]
        unknown = [run for run in group if run not in known and run not in empty]
        if known:
            parts.append(f"{span([shares[run.label] for run in known], percent)} in {spoken(known, runs)}")
        if empty:
            parts.append(f"nothing, for nothing arrives, in {spoken(empty, runs)}")
        if unknown:
            parts.append(f"an unknown share in {spoken(unknown, runs)}")
    lag = {len(ways[run.label].share) - 1 for run in runs}
    across = f"across {lag.pop()} steps" if len(lag) == 1 else "across the sequence"
    return sentence(f"of what arrives {across} the gates alone carry {listed(parts)}", f"What the gates alone carry in {len(runs)} runs")

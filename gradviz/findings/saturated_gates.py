"""Are gates and states stuck where their slope is zero?"""

from collections.abc import Hashable
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from gradviz.arrays import Array
from gradviz.findings._base import Finding, Verdict
from gradviz.findings._evidence import against_baseline, learned
from gradviz.findings._words import spoken
from gradviz.frames import Run
from gradviz.wording import percent

STUCK = 0.95
HOLDING = {"gate.forget": "right", "gate.update": "right", "gate.input": "left"}  # saturated on this side a gate keeps memory


class SaturatedGates(Finding):
    title: ClassVar = "Whether gates and states are saturated"
    meaning: ClassVar = (
        "A gate near 0 or 1 and a tanh near −1 or 1 have almost no slope, so no gradient reaches the weights that set them. Gates of a "
        "trained network often are switches, and that is well; a network that has not learned and is saturated cannot learn any more."
    )
    remedy: ClassVar = (
        "Start with smaller recurrent and input weights, clip from the first step on, and lower the learning rate. What is saturated "
        "seldom recovers: train again."
    )
    source: ClassVar = "Karpathy, Johnson & Li 2015 (thresholds 0.1 and 0.9, left and right saturation); Hochreiter & Schmidhuber 1997"
    chart: ClassVar = "saturation"
    rank: ClassVar = 40
    rule: ClassVar = (
        "At the last recorded step, per layer and gate: the mean over units of the share of time steps below 0.1 (left) and above 0.9 "
        "(right); for tanh states and candidates below −0.9 and above 0.9. If the two together reach 95 %: critical for hidden states "
        "and a warning for gates if the network is no better than its best baseline, else a note. A forget gate or share kept that is "
        "open, and an input gate that is shut, hold memory and are not counted on that side. A unit is stuck if what counts "
        "reaches 95 % of the time for it alone. A baseline is a prediction without a "
        "network; held-out sequences decide, and where values are predicted R² has to be above 0 as well."
    )

    def check(self, run: Run) -> Verdict:
        table = run.saturation
        if table.empty:
            return self.verdict("none", "no data", "Saturation was not recorded.")
        rows = _shares(table, _tanh_points(run))
        if rows.empty:
            return self.verdict("none", "no data", "Not applicable: this network has neither gates nor tanh states that were recorded.")
        records = rows.to_dict("records")
        numbers = {f"{side} {at['point']} {at['layer']} {at['direction']}": float(at[side]) for at in records for side in ("left", "right")}
        numbers |= {f"stuck units {at['point']} {at['layer']} {at['direction']}": float(at["stuck"]) for at in records}
        worst = max(records, key=lambda at: float(at["counted"]))
        said = f"The most saturated is the {spoken(worst['point'])} of {run.layer_name(int(worst['layer']))}"
        said += "" if worst["direction"] == "forward" else f" ({worst['direction']})"
        said += f": {percent(worst['left'])} of the time at its lower end and {percent(worst['right'])} at its upper, mean over units."
        said += _unit(worst)
        if not worst["counted"] >= STUCK:
            return self.verdict("good", "alive", said, numbers, rows)
        if learned(run) is False:
            hidden = worst["point"] == "hidden"
            return self.verdict(
                "critical" if hidden else "warning",
                "saturated",
                f"{said} The network is no better than a prediction without one ({against_baseline(run)}).",
                numbers,
                rows,
            )
        return self.verdict("note", "switches", said, numbers, rows)


def _tanh_points(run: Run) -> list[str]:
    """States and candidates that come straight out of a tanh. Gated cells mix or scale their hidden state afterwards."""
    cell = run.meta.get("experiment", {}).get("model", {}).get("cell", {})
    if run.family == "rnn":
        return ["hidden"] if cell.get("activation", "tanh") == "tanh" else []
    return ["candidate"]


def _shares(table: pd.DataFrame, tanh: list[str]) -> pd.DataFrame:
    """One row per layer, direction and point at the last recorded step: left, right, and what counts against it."""
    last = table[table["step"] == table["step"].max()]
    points = last["point"].astype(str)
    last = last[points.str.startswith("gate.") | points.isin(tanh)]
    rows = last[["step", "layer", "direction", "point"]].reset_index(drop=True)
    left, right = (np.array([_mean(values) for values in last[side]], float) for side in ("left", "right"))
    side = [HOLDING.get(point, "") for point in rows["point"]]
    held = np.where([name == "left" for name in side], left, 0.0) + np.where([name == "right" for name in side], right, 0.0)
    each = [_counted(low, high, holding) for low, high, holding in zip(last["left"], last["right"], side, strict=True)]
    shares: pd.DataFrame = rows.assign(left=left, right=right, counted=np.nan_to_num(left + right - held))
    return shares.assign(stuck=[_mean(units >= STUCK) for units in each], of_units=pd.Series(each, dtype=object))


def _counted(left: Any, right: Any, holding: str) -> Array:
    """Share of the time that counts against each unit, (units,)."""
    none = np.zeros(len(left))
    counted: Array = (none if holding == "left" else np.asarray(left, float)) + (none if holding == "right" else np.asarray(right, float))
    return counted


def _unit(worst: dict[Hashable, Any]) -> str:
    """How many units of the worst are stuck, and which most of all."""
    each = worst["of_units"]
    if not len(each) or np.isnan(each).all():
        return ""
    at, stuck = int(np.nanargmax(each)), round(float(worst["stuck"]) * len(each))
    said = f" {stuck} of its {len(each)} units {'is' if stuck == 1 else 'are'} there at least {percent(STUCK)} of the time"
    return f"{said}, most of all unit {at} ({percent(float(each[at]))})."


def _mean(values: Any) -> float:
    return float(np.mean(np.asarray(values, float))) if len(values) else float("nan")

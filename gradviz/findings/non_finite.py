"""Where did the first NaN or infinity appear?"""

from typing import ClassVar

import numpy as np
import pandas as pd

from gradviz.findings._base import Finding, Verdict
from gradviz.findings._words import spoken
from gradviz.frames import Run
from gradviz.wording import number


class NonFinite(Finding):
    title: ClassVar = "Whether a number stops being one"
    meaning: ClassVar = (
        "One NaN or infinity spreads: through the loss into every gradient, and with the next update into every weight. What matters is "
        "where the first one arose: in the forward pass the states overflowed, in the backward pass the gradient did."
    )
    remedy: ClassVar = (
        "If the forward pass broke first, bound the states (tanh, smaller recurrent weights, a lower rate). If the backward pass did, "
        "clip by norm and start with smaller recurrent weights. Clipping cannot repair a norm that is NaN already."
    )
    source: ClassVar = "Pascanu, Mikolov & Bengio 2013 (their code replaces such gradients); IEEE 754 arithmetic"
    chart: ClassVar = "clip_ledger"
    rank: ClassVar = 10
    rule: ClassVar = (
        "Critical if any recorded state, gate, gradient, loss or norm is NaN or infinite. The first is the one of the earliest training "
        "step; within it forward before backward, then the earliest time step (in a backward pass the latest), then the lowest layer "
        "(the highest)."
    )

    def check(self, run: Run) -> Verdict:
        trouble, broken = run.trouble, _broken(run)
        if trouble.empty and run.steps.empty:
            return self.verdict("none", "no data", "No training step was recorded.")
        if trouble.empty and broken.empty:
            losses = "losses and " if "loss" in _measured(run) else ""
            return self.verdict(
                "good",
                "all finite",
                f"All {len(run.steps)} recorded {losses}gradient norms are finite, and no state or gradient was not.",
            )
        numbers = {"steps_not_finite": float(len(broken))}
        if trouble.empty or (len(broken) and int(broken["step"].iloc[0]) < int(trouble["step"].min())):
            return self._from_steps(run, broken, numbers)
        order = _in_order(trouble)
        first = order.iloc[0]
        numbers |= {name: float(first[name]) for name in ("step", "layer", "time", "example", "unit")}
        return self.verdict("critical", _spelled(first["value"]), _sentence(run, first), numbers, order)

    def _from_steps(self, run: Run, broken: pd.DataFrame, numbers: dict[str, float]) -> Verdict:
        first = broken.iloc[0]
        name = "loss" if "loss" in _measured(run) and not np.isfinite(first["loss"]) else "gradient norm"
        value = number(float(first["loss" if name == "loss" else "norm_before"]))
        said = f"At training step {int(first['step'])} the {name} is {value}; where it arose was not recorded."
        return self.verdict("critical", value, said, numbers | {"step": float(first["step"])}, broken)


def _sentence(run: Run, first: pd.Series) -> str:
    way, what = ("backward", "the gradient of the") if first["gradient"] else ("forward", "the")
    inside = " ".join(word for word in (run.part(int(first["layer"])), first["direction"]) if word)
    where = f"{spoken(first['point'])} of layer {first['layer']} ({inside})"
    said = f"At training step {first['step']}, in the {way} pass, {what} {where} is {_spelled(first['value'])}"
    return f"{said} at time step {first['time']}, first in example {first['example']}, unit {first['unit']}."


def _broken(run: Run) -> pd.DataFrame:
    """Training steps with a loss or gradient norm that was measured and is not finite."""
    steps, measured = run.steps, _measured(run)
    return steps[~np.isfinite(steps[measured].to_numpy(float)).all(axis=1)] if len(steps) else steps


def _measured(run: Run) -> list[str]:
    return [name for name in ("loss", "norm_before") if name not in run.unmeasured]


def _in_order(trouble: pd.DataFrame) -> pd.DataFrame:
    """As the numbers were computed: forward through time and layers, then backward through both."""
    sign = np.where(trouble["gradient"].astype(bool), -1, 1)
    keyed = trouble.assign(_time=trouble["time"] * sign, _layer=trouble["layer"] * sign)
    return keyed.sort_values(["step", "gradient", "_time", "_layer"], kind="stable").drop(columns=["_time", "_layer"])


def _spelled(value: object) -> str:
    return {"nan": "NaN", "inf": "∞", "-inf": "−∞"}.get(str(value), str(value))

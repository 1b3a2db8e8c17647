"""Parameters over training: norms of weights, gradients and updates gate by gate, and the update ratio."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from gradviz.charts._base import Chart
from gradviz.charts._common import colour, families, fit, heading, left_out, nothing, once, rails, samples, short, stack, style, training
from gradviz.charts._description import Axis, Description, Line, Panel, Rule, log10
from gradviz.charts._words import in_part, sentence, spoken
from gradviz.frames import Run
from gradviz.options import check, option
from gradviz.wording import listed, number, power

COLUMNS = ("run", "step", "parameter", "gate", "measure", "value")
MEASURES = {
    "ratio": "norm of the update divided by the norm of the weights",
    "weight": "norm of the weights",
    "gradient_before": "norm of the gradient before clipping",
    "gradient_after": "norm of the gradient after clipping",
    "update": "norm of the update",
    "distance": "distance of the weights from where they started",
}
NAMES = {
    "ratio": "update ratio",
    "weight": "weight norm",
    "gradient_before": "gradient norm before clipping",
    "gradient_after": "gradient norm after clipping",
    "update": "update norm",
    "distance": "distance from the start",
}
GOOD_RATIO = -3.0
APART = 5.0  # a factor between the runs of a pair that is worth a title
LOOK_FOR = {
    "ratio": "Healthy is a ratio near 10⁻³ that falls slowly. "
    "Far above 10⁻² the weights are overwritten faster than they can learn; far below 10⁻⁵ they stand still.",
    "weight": "Healthy weights grow slowly and level off. "
    "A sudden step up is one update that was far too long; a gate that outgrows the others saturates.",
    "gradient_before": "Healthy gradients fall slowly, the gates within a decade or two of each other. "
    "Spikes are explosions; a gate at zero does not learn.",
    "gradient_after": "Healthy gradients fall slowly, the gates within a decade or two of each other. "
    "A flat top is the clipping threshold.",
    "update": "Healthy updates fall slowly. A jump is a step that was too long; zero means that nothing is learned any more.",
    "distance": "Healthy weights move away fast at first, then slowly. A jump moved them in one step; a flat line does not learn.",
}


@dataclass(frozen=True)
class Parameters(Chart):
    """One panel per family and gate. parameter: the end of its name, such as weight_hh, weight_ih, bias, readout.weight."""

    needs = ("parameters",)
    purpose = "norms of weights, gradients and updates by gate, and the update ratio"

    measure: str = option("ratio", "what to draw", choices=tuple(MEASURES))
    parameter: str = option("weight_hh", "which parameter: the end of its name")
    layer: int = option(-1, "layer, counted from 0; -1 is the last that has this parameter", low=-1)

    def __post_init__(self) -> None:
        check(self)

    def describe(self, runs: Sequence[Run]) -> Description:
        measured = [run for run in runs if self.measure not in run.unmeasured]
        frame = stack([self._frame(run) for run in measured], COLUMNS)
        look_for = LOOK_FOR[self.measure]
        if frame.empty:
            of = f" of layer {self.layer}" if self.layer >= 0 else ""
            missing = f"No run holds rows of `{self.parameter}`{of} in table `parameters`. Record them with every = 10."
            if runs and not measured:
                missing = f"The {NAMES[self.measure]} is not known of an imported run; choose another measure."
            return nothing("parameters", missing, COLUMNS, look_for)
        shown = [run for run in runs if run.label in set(frame["run"])]
        values = log10(frame["value"].to_numpy())
        axes = (
            training(frame),
            Axis(NAMES[self.measure], "log", fit([values, [GOOD_RATIO - 0.5] if self.measure == "ratio" else []], least=2)),
        )
        panels = tuple(panel for _, group in families(shown) for panel in self._panels(group, frame, axes))
        return Description(
            "parameters",
            _title(shown, frame, self.measure),
            f"{sentence(MEASURES[self.measure])}: {self.parameter}{self._where(shown)}, by gate. Log scale.{left_out(runs, shown)}",
            look_for,
            frame,
            once(panels),
            columns=min(4, len(panels)),
            key=(*samples(shown), *rails([values])),
            source="Karpathy, CS231n notes (update ratio near 10⁻³)" if self.measure == "ratio" else "",
        )

    def _frame(self, run: Run) -> pd.DataFrame:
        """Rows of one layer's parameter whose name ends as asked, forward direction first."""
        table = run.parameters
        names = [name for name in dict.fromkeys(table["parameter"]) if name == self.parameter or name.endswith(f".{self.parameter}")]
        if self.layer >= 0:
            names = [name for name in names if name.startswith(f"layers.{self.layer}.")]
        ahead = [name for name in names if ".backward." not in name] or names
        table = table[table["parameter"] == (ahead[-1] if ahead else None)]
        return table.assign(run=run.label, measure=self.measure, value=table[self.measure])[list(COLUMNS)]

    def _where(self, shown: Sequence[Run]) -> str:
        if self.parameter.split(".")[0] in ("readout", "embedding"):
            return ""
        return f" of {'the last layer' if self.layer < 0 else f'layer {self.layer}'}{in_part(shown, self.layer)}"

    def _panels(self, group: Sequence[Run], frame: pd.DataFrame, axes: tuple[Axis, Axis]) -> list[Panel]:
        rows = frame[frame["run"].isin([run.label for run in group])]
        rule = (Rule(GOOD_RATIO, label=power(-3), dashed=True),) if self.measure == "ratio" else ()
        out = []
        for gate in dict.fromkeys(rows["gate"].fillna("")):
            lines = []
            for run in group:
                mine = rows[(rows["run"] == run.label) & (rows["gate"].fillna("") == gate)]
                step, value = mine["step"].to_numpy(), log10(mine["value"].to_numpy())
                lines.append(Line(step, value, run.label, **style(run), label=short(run, group)))
            title = families(group)[0][0]
            out.append(Panel((*rule, *lines), *axes, f"{title} {gate}".strip(), colour(group[0])))
        return out


def _late(frame: pd.DataFrame, run: Run) -> float:
    """Median over gates and the second half of the recorded steps; NaN if one of them is not a number."""
    rows = frame[frame["run"] == run.label]
    late = rows.loc[rows["step"] >= rows["step"].max() / 2, "value"].to_numpy(np.float64)
    with np.errstate(invalid="ignore"):
        return float(np.median(late))


def _title(runs: Sequence[Run], frame: pd.DataFrame, measure: str) -> str:
    late = {run.label: _late(frame, run) for run in runs}
    known = sorted((run for run in runs if np.isfinite(late[run.label])), key=lambda run: -late[run.label])
    if not known:
        return f"The {NAMES[measure]} is not a number in the second half of training"
    pairs = [
        sorted(group, key=lambda run: run.clipped) for _, group in families(known) if sorted(run.clipped for run in group) == [False, True]
    ]
    apart = [
        (free, held) for free, held in pairs if max(late[free.label], late[held.label]) >= APART * min(late[free.label], late[held.label])
    ]
    if apart:
        parts = [
            f"{number(late[free.label])} in the {heading(free)} without clipping and {number(late[held.label])} with it"
            for free, held in apart
        ]
        return f"In the second half of training the {NAMES[measure]} is {listed(parts)}"
    most, least = known[0], known[-1]
    first = f"In the second half of training the {NAMES[measure]} is {number(late[most.label])} in {spoken([most], runs)}"
    return first if most is least else f"{first} and {number(late[least.label])} in {spoken([least], runs)}"

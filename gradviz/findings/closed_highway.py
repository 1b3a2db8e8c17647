"""Do the gates let anything through over the distance that the task needs?"""

from typing import ClassVar

import numpy as np
import pandas as pd

from gradviz.arrays import Array
from gradviz.dynamics.decay import horizon
from gradviz.findings._base import Finding, Severity, Verdict
from gradviz.findings._evidence import against_baseline, learned, longest
from gradviz.findings._words import spoken
from gradviz.frames import Run
from gradviz.wording import number, number_of_log, percent

KEEPERS = {"lstm": "gate.forget", "gru": "gate.update"}
CLOSED = -3.0  # decades that the best tenth of units lets through
BEST = 10  # one unit in so many


class ClosedHighway(Finding):
    title: ClassVar = "Whether the gates let memory through"
    meaning: ClassVar = (
        "A unit's memory, and its gradient, is multiplied by its forget gate (LSTM) or its share kept (GRU) at every step: the direct path "
        "back is the product of these gates. If it is closed in every unit, what reaches further goes through the recurrent weights only, "
        "as in a plain RNN, and the gated cell has lost what it is for."
    )
    remedy: ClassVar = (
        "Start the gates open: chrono initialisation with the longest lag of the task, or a forget bias of ln(lag − 1). Clip, and lower "
        "the learning rate, if the gates were open at the start and closed later."
    )
    source: ClassVar = "Gers, Schmidhuber & Cummins 2000; Tallec & Ollivier 2018; Jozefowicz, Zaremba & Sutskever 2015"
    chart: ClassVar = "gate_heatmap"
    rank: ClassVar = 32
    rule: ClassVar = (
        "Per layer, at the last step at which whole arrays were kept: mean of log10 of each unit's forget gate (share kept of a GRU) over "
        "all steps of the probe sequences, times the task's lag, or half of the sequence if it states none. Without such arrays the mean "
        "gate of each unit stands in, whose power is never less than the product. Closed if fewer than a tenth of the units let 1/1000 "
        "through in every layer of a part of the network. Then: a note if the horizon of the gradient (1 %) is not shorter than that "
        "distance all the same, or if the network learned and the task states no lag; critical if it states one and the network is no "
        "better than its best baseline; else a warning."
    )

    def check(self, run: Run) -> Verdict:
        gate = KEEPERS.get(run.family)
        if gate is None:
            return self.verdict("none", "no such gate", "Not applicable: this network has no gates that keep its memory.")
        table, exact = _probed(run, gate), True
        if not table:
            table, exact = _meant(run, gate), False
        if not table:
            return self.verdict("none", "no data", "The gates were not recorded: set recording.probe_every, or recording.every.")
        rows = _passed(run, table, gate)
        best = [some.sort_values("log10_best_tenth").iloc[-1] for _, some in rows.groupby("part")]
        worst = min(best, key=lambda row: float(row["log10_best_tenth"]))
        numbers = {name: float(worst[name]) for name in ("step", "layer", "distance", "log10_best_tenth", "log10_median", "share_open")}
        bound = "" if exact else "at most "
        said = f"Over {number(numbers['distance'])} steps the {spoken(gate)} of {run.layer_name(int(worst['layer']))} lets "
        said += f"{bound}{number_of_log(numbers['log10_best_tenth'])} through in its best tenth of units and "
        said += f"{bound}{number_of_log(numbers['log10_median'])} in the median one"
        if numbers["step"] == 0:
            return self.verdict(
                "none", "untrained", "Only the untrained network was recorded, and a first picture is no verdict.", numbers, rows
            )
        if not numbers["log10_best_tenth"] < CLOSED:
            return self.verdict("good", "open", f"{said}; {percent(numbers['share_open'])} of units pass 1/1000.", numbers, rows)
        severity, end = _severity(run, numbers["distance"])
        return self.verdict(severity, "closed", f"{said}: {end}.", numbers, rows)


def _severity(run: Run, distance: float) -> tuple[Severity, str]:
    path, better, lag = longest(run), learned(run), run.meta.get("lag")
    if path is not None and horizon(path.profiles[-1]) >= distance:
        return "note", f"the gates are closed, but the gradient reaches back all the same, through the {spoken(path.point)}'s other ways"
    if lag and better is False:
        return "critical", f"the gates are closed, and the network is no better than a prediction without one ({against_baseline(run)})"
    if better and not lag:
        return "note", "the gates are closed over that distance, which the task may not need: the network learned"
    return "warning", "the gates are closed"


Place = tuple[int, str]


def _probed(run: Run, gate: str) -> dict[Place, tuple[int, int, Array]]:
    """By layer and direction: training step, length, and mean log10 gate of each unit."""
    table = run.facts("probe")
    table = table[(table["point"] == gate) & ~table["gradient"].astype(bool)]
    found: dict[Place, tuple[int, int, Array]] = {}
    for (layer, direction), known in table[table["step"] == table["step"].max()].groupby(["layer", "direction"]):
        rows = run.rows("probe", known.index.tolist())
        arrays = [np.asarray(row["values"], float).reshape(-1, int(row["units"])) for row in rows.to_dict("records")]
        gates = np.concatenate(arrays)
        if gates.size and not np.isnan(gates).any():
            with np.errstate(divide="ignore"):
                longest_one = max(len(array) for array in arrays)
                found[int(layer), str(direction)] = int(rows["step"].iloc[0]), longest_one, np.log10(gates).mean(axis=0)
    return found


def _meant(run: Run, gate: str) -> dict[Place, tuple[int, int, Array]]:
    """The same with log10 of the mean gate."""
    table, lengths = (frame[frame["point"] == gate] for frame in (run.saturation, run.facts("timesteps")))
    found: dict[Place, tuple[int, int, Array]] = {}
    for row in table[table["step"] == table["step"].max()].to_dict("records"):
        same = lengths[(lengths["layer"] == row["layer"]) & (lengths["direction"] == row["direction"])]
        gates = np.asarray(row["mean"], float)
        length = len(run.rows("timesteps", same.index[-1:].tolist())["mean"].iloc[0]) if len(same) else 0
        if length and len(gates) and not np.isnan(gates).any():
            with np.errstate(divide="ignore"):
                found[int(row["layer"]), str(row["direction"])] = int(row["step"]), length, np.log10(gates)
    return found


def _passed(run: Run, table: dict[Place, tuple[int, int, Array]], gate: str) -> pd.DataFrame:
    """One row a layer and direction: what its units let through."""
    lag = int(run.meta.get("lag") or 0)
    rows = []
    for (layer, direction), (step, length, logs) in table.items():
        distance = min(lag, length) if lag else max(1, length // 2)
        passed = np.sort(distance * logs)[::-1]
        row = {"step": step, "layer": layer, "direction": direction, "point": gate, "part": run.part(layer), "distance": distance}
        best = float(passed[-(-len(passed) // BEST) - 1])
        rows.append(
            {**row, "log10_best_tenth": best, "log10_median": float(np.median(passed)), "share_open": float((passed >= CLOSED).mean())}
        )
    return pd.DataFrame(rows)

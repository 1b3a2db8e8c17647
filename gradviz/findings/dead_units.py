"""Are there relu units that never fire?"""

from typing import Any, ClassVar

import numpy as np
import pandas as pd

from gradviz.findings._base import Finding, Verdict
from gradviz.findings._evidence import learned
from gradviz.frames import Run
from gradviz.wording import percent

MANY, MOST = 0.25, 0.9
BATCHES = 5  # recorded training steps: a unit that is silent in one small batch may fire in the next


class DeadUnits(Finding):
    title: ClassVar = "Whether units are dead"
    meaning: ClassVar = (
        "A relu unit whose input is below zero is silent, and no gradient passes it. One that is silent at every time step of every "
        "sequence gets no gradient at all, so no update can wake it: the network is that much smaller than it was meant to be."
    )
    remedy: ClassVar = (
        "Lower the learning rate and clip from the first step on: one large step is what kills units. Start with the identity and biases "
        "at or above zero, or use tanh or a gated cell."
    )
    source: ClassVar = "Lu, Shin, Su & Karniadakis 2019 (dying ReLU); Le, Jaitly & Hinton 2015 (recurrent relu from the identity)"
    chart: ClassVar = "saturation"
    rank: ClassVar = 37
    rule: ClassVar = (
        "Only for relu. A unit is dead if its hidden state is exactly 0 at all time steps of all sequences of the training batches of the "
        "last 5 recorded steps (or of as many as there are): a mean of 0, for a relu is never negative. The layer with the largest share "
        "counts: critical from 90 %, a warning from 25 %, or a note if the network is better than its best baseline and fewer than 90 % "
        "are dead. The thresholds are chosen. That other sequences would not wake a unit cannot be shown."
    )

    def check(self, run: Run) -> Verdict:
        if run.family != "rnn" or run.setting("model", "cell", "activation") != "relu":
            return self.verdict("none", "no relu", "Not applicable: only a plain RNN with relu has units that can die.")
        rows = _dead(run.saturation)
        if rows.empty:
            return self.verdict("none", "no data", "Which units fire was not recorded, or is not finite.")
        records = rows.to_dict("records")
        numbers = {f"dead {at['layer']} {at['direction']}": float(at["share"]) for at in records}
        batch, batches = run.setting("training", "batch"), int(records[0]["batches"])
        numbers |= {"step": float(records[0]["step"])} | ({"sequences": float(batch) * batches} if batch.isdigit() else {})
        worst = max(records, key=lambda at: float(at["share"]))
        where = run.layer_name(int(worst["layer"])) + ("" if worst["direction"] == "forward" else f", {worst['direction']}")
        seen = f"all {int(batch) * batches} sequences" if batch.isdigit() else "all sequences"
        said = f"At training step {worst['step']} {worst['dead']} of {worst['units']} units of {where} ({percent(float(worst['share']))}) "
        said += f"are 0 at every time step of {seen} of the last {batches} recorded batches."
        if worst["share"] >= MOST:
            return self.verdict("critical", "dead", said, numbers, rows)
        if worst["share"] >= MANY:
            return self.verdict("note" if learned(run) else "warning", "many dead", said, numbers, rows)
        return self.verdict("good", "alive", said, numbers, rows)


def _dead(table: pd.DataFrame) -> pd.DataFrame:
    """One row per layer and direction: step (the last recorded), dead, units, share, which units, and how many batches were looked at.

    Layers whose means are not finite are left out.
    """
    hidden = table[table["point"] == "hidden"] if len(table) else table
    late = hidden[hidden["step"].isin(sorted(set(hidden["step"]))[-BATCHES:])]
    found: list[dict[str, Any]] = []
    for (layer, direction), rows in late.groupby(["layer", "direction"], sort=True):
        means = np.stack([np.asarray(mean, float) for mean in rows["mean"]])
        if means.size and np.isfinite(means).all():
            silent = np.flatnonzero((means == 0).all(axis=0))
            head = {"step": int(rows["step"].max()), "layer": layer, "direction": direction, "batches": len(rows)}
            count = {"dead": len(silent), "units": means.shape[1], "share": len(silent) / means.shape[1]}
            found.append(head | count | {"which": silent.tolist()})
    return pd.DataFrame(found)

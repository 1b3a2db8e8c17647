"""Are there relu units that never fire?"""

from typing import Any, ClassVar

import numpy as np
import pandas as pd

from gradviz.findings._base import Finding, Verdict
from gradviz.findings._evidence import learned
from gradviz.frames import Run
from gradviz.wording import percent

MANY, MOST = 0.25, 0.9


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
        "Only for relu. A unit is dead if its hidden state is exactly 0 at all time steps of all sequences of the training batch of the "
        "last recorded step: a mean of 0, for a relu is never negative. The layer with the largest share counts: critical from 90 %, a "
        "warning from 25 %, or a note if the network is better than its best baseline and fewer than 90 % are dead. The "
        "thresholds are chosen. One batch cannot show that other sequences would not wake a unit."
    )

    def check(self, run: Run) -> Verdict:
        if run.family != "rnn" or run.setting("model", "cell", "activation") != "relu":
            return self.verdict("none", "no relu", "Not applicable: only a plain RNN with relu has units that can die.")
        rows = _dead(run.saturation)
        if rows.empty:
            return self.verdict("none", "no data", "Which units fire was not recorded, or is not finite.")
        records = rows.to_dict("records")
        numbers = {f"dead {at['layer']} {at['direction']}": float(at["share"]) for at in records}
        batch = run.setting("training", "batch")
        numbers |= {"step": float(records[0]["step"])} | ({"sequences": float(batch)} if batch.isdigit() else {})
        worst = max(records, key=lambda at: float(at["share"]))
        where = run.layer_name(int(worst["layer"])) + ("" if worst["direction"] == "forward" else f", {worst['direction']}")
        seen = f"all {batch} sequences of that batch" if batch.isdigit() else "all sequences of that batch"
        said = f"At training step {worst['step']} {worst['dead']} of {worst['units']} units of {where} ({percent(float(worst['share']))}) "
        said += f"are 0 at every time step of {seen}."
        if worst["share"] >= MOST:
            return self.verdict("critical", "dead", said, numbers, rows)
        if worst["share"] >= MANY:
            return self.verdict("note" if learned(run) else "warning", "many dead", said, numbers, rows)
        return self.verdict("good", "alive", said, numbers, rows)


def _dead(table: pd.DataFrame) -> pd.DataFrame:
    """One row per layer and direction at the last recorded step: dead, units, share, and which units. Layers with NaN are left out."""
    last = table[(table["step"] == table["step"].max()) & (table["point"] == "hidden")] if len(table) else table
    found: list[dict[str, Any]] = []
    for at in last.to_dict("records"):
        mean = np.asarray(at["mean"], float)
        if len(mean) and np.isfinite(mean).all():
            silent = np.flatnonzero(mean == 0)
            kept = {name: at[name] for name in ("step", "layer", "direction")}
            found.append(kept | {"dead": len(silent), "units": len(mean), "share": len(silent) / len(mean), "which": silent.tolist()})
    return pd.DataFrame(found)

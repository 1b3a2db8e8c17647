"""Is what is shown of a watched model what PyTorch computed?"""

from typing import Any, ClassVar

import numpy as np
import pandas as pd

from gradviz.findings._base import Finding, Verdict
from gradviz.frames import Run
from gradviz.wording import number


class ReplayAgrees(Finding):
    title: ClassVar = "Whether the replay agrees with PyTorch"
    meaning: ClassVar = (
        "PyTorch's recurrent modules show neither gates nor inner gradients, so gradviz computes them again from weights, inputs and the "
        "gradients that arrived. If its outputs or its gradients of the parameters were not those of PyTorch, what is shown of the time "
        "steps would be of another computation."
    )
    remedy: ClassVar = (
        "Equal outputs and other gradients: the weights take part in the loss in a second way, such as a penalty on them or another module "
        "that shares them. Other outputs: the module's forward was overridden, its inputs were changed in place, or its weights were "
        "changed within the step, as LBFGS does. If it is none of these, report it with the module's settings."
    )
    source: ClassVar = "PyTorch's own gradients, of the same batch"
    chart: ClassVar = "gate_heatmap"
    rank: ClassVar = 5
    rule: ClassVar = (
        "Only of watched models. At every recorded step and of every recurrent module: norm of the difference by norm of PyTorch's, of all "
        "outputs and of the gradient of each parameter (those that are a thousandth of all or less by a thousandth of all). Critical "
        "beyond 10⁻⁸ in double, 2 · 10⁻³ in single and 0.1 in half precision; sums that cancel stay below. A note if some recurrent "
        "module was not replayed."
    )

    def check(self, run: Run) -> Verdict:
        watched = run.meta.get("watched")
        if not isinstance(watched, dict):
            return self.verdict("none", "not watched", "Not applicable: gradviz trained this network itself.")
        said: dict[str, dict[str, Any]] = watched.get("replay") or {}
        left = [text for text in run.remarks if "not replayed" in text or "only its parameters" in text]
        rows = _rows(said)
        if rows.empty:
            return self.verdict("none", "not replayed", f"Not applicable: nothing was replayed. {_sentences(left)}".strip())
        numbers = {f"{what} {row['module']}": float(row[what]) for row in rows.to_dict("records") for what in ("outputs", "gradients")}
        told = f"Outputs differ by at most {number(float(rows['outputs'].max()))} of their norm, "
        compared = rows["gradients"].notna().any()
        told += (
            f"gradients of parameters by at most {number(float(rows['gradients'].max()))}" if compared else "gradients were not compared"
        )
        bad = rows[rows["differs"] > 0]
        if len(bad):
            first = bad.iloc[0]
            sizes = [number(float(first[what])) for what in ("outputs", "gradients")]
            told = f"{first['module']} differs from PyTorch at training step {int(first['first'])}, in all at {int(first['differs'])} of "
            told += f"{int(first['compared'])} recorded steps: its outputs by up to {sizes[0]} of their norm, its gradients of the "
            told += f"parameters by up to {sizes[1]}."
            return self.verdict("critical", "differs", told, numbers, rows)
        if not rows["compared"].sum():
            return self.verdict("none", "not compared", "No recorded step had finite numbers to compare.", numbers, rows)
        if left:
            return self.verdict("note", "in part", f"{told}. {_sentences(left)}", numbers, rows)
        return self.verdict("good", "agrees", f"{told}; recorded steps compared: {int(rows['compared'].sum())}.", numbers, rows)


def _rows(said: dict[str, dict[str, Any]]) -> pd.DataFrame:
    """One row a module."""
    rows = []
    for module, found in said.items():
        steps = found.get("differs_at") or []
        row = {"module": module, "outputs": found.get("outputs", np.nan), "gradients": found.get("gradients", np.nan)}
        rows.append({**row, "compared": found.get("compared", 0), "differs": len(steps), "first": steps[0] if steps else -1})
    table = pd.DataFrame(rows, columns=["module", "outputs", "gradients", "compared", "differs", "first"])
    return table.astype({"outputs": float, "gradients": float})


def _sentences(texts: list[str]) -> str:
    return " ".join(f"{text[:1].upper()}{text[1:].rstrip('.')}." for text in texts)

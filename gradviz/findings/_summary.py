"""What a table shows of a run: its numbers in one row, and the one verdict that says most."""

from dataclasses import replace

import numpy as np

from gradviz.dynamics.decay import decay_per_step, half_life, horizon
from gradviz.findings import Verdict, verdicts
from gradviz.findings._evidence import Path, longest, paths, training_loss
from gradviz.frames import Run

PRAISED = "vanishing"  # that the gradient reaches back is praise; all other good verdicts say only that nothing is wrong

REMARK = ("closed_highway", "note")  # the gradient, or the network, has found another way: beside praise, and never in its place


def headline(run: Run) -> Verdict:
    """The most severe verdict. If nothing is wrong: that the gradient reaches back, or else that the run is healthy, if it was trained."""
    said = [verdict for verdict in verdicts(run) if (verdict.code, verdict.severity) != REMARK]
    if said[0].severity != "good":
        return said[0]
    if run.steps.empty and not any(path.steps[-1] > 0 for path in paths(run)):
        return replace(said[0], severity="none", word="untrained", summary="No training step was recorded.")
    praise = next((verdict for verdict in said if verdict.code == PRAISED and verdict.severity == "good"), None)
    return praise or replace(said[0], word="healthy")


def row(run: Run) -> dict[str, float | int | str]:
    """One row of a table of runs. What is not known is NaN; half-life and horizon are infinite where the gradient does not fade.

    Losses are means per counted step; decay, half-life (steps) and horizon (steps) are those of the state that reaches furthest back
    at the end, whose name is under `state`.
    """
    verdict, path = headline(run), longest(run)
    return {
        "name": run.name,
        "label": run.label,
        "family": run.family,
        "status": run.status,
        "updates": len(run.steps),
        "seconds": _last(run, "steps", "seconds"),
        "loss": training_loss(run),
        "held_out_loss": _last(run, "held_out", "loss"),
        "accuracy": _last(run, "held_out", "accuracy"),
        **_reach(path),
        "share_clipped": float(run.steps["clipped"].astype(float).mean()) if run.clipped and len(run.steps) else float("nan"),
        **_norms(run),
        "severity": verdict.severity,
        "word": verdict.word,
        "code": verdict.code,
        "summary": verdict.summary,
    }


def _reach(path: Path | None) -> dict[str, float | str]:
    if path is None:
        return {"state": "", **dict.fromkeys(("decay_start", "decay_end", "half_life", "horizon"), float("nan"))}
    end = decay_per_step(path.profiles[-1])
    return {
        "state": path.point,
        "decay_start": decay_per_step(path.profiles[0]),
        "decay_end": end,
        "half_life": half_life(end),
        "horizon": horizon(path.profiles[-1]),
    }


def _norms(run: Run) -> dict[str, float]:
    """Largest and median gradient norm before clipping; infinite or NaN norms make the largest so."""
    norms = run.steps["norm_before"].to_numpy(float) if len(run.steps) else np.empty(0)
    if not len(norms):
        return {"largest_norm": float("nan"), "median_norm": float("nan")}
    return {"largest_norm": float(np.max(norms)), "median_norm": float(np.median(norms))}


def _last(run: Run, table: str, column: str) -> float:
    """Last value of a column, NaN if the table is empty."""
    values = run.table(table)[column]
    return float(values.iloc[-1]) if len(values) else float("nan")

"""Does the gradient explode on its way back, and what did that do to training?"""

from typing import ClassVar

import numpy as np
import pandas as pd

from gradviz.arrays import Array
from gradviz.findings import _medians
from gradviz.findings._base import Finding, Severity, Verdict
from gradviz.findings._evidence import LAST, Path, against_baseline, learned, steepest, training_loss
from gradviz.frames import Run
from gradviz.wording import factor, number, number_of_log, percent

SPIKE = 1000.0  # times the median of all norms before it
BEFORE = 20  # norms needed to call one a spike


class Exploding(Finding):
    title: ClassVar = "Whether the gradient explodes"
    meaning: ClassVar = (
        "If the gradient grows by a factor at every step back, its norm grows exponentially with the length of the sequence. One such "
        "step moves the weights so far that tanh saturates, and the optimizer's memory of it stalls later steps."
    )
    remedy: ClassVar = (
        "Clip by global norm at the size of an ordinary gradient (watch the norms of a few hundred steps), and start smaller: clipping "
        "rescues, it does not replace initialisation. Adam is no substitute for clipping."
    )
    source: ClassVar = "Pascanu, Mikolov & Bengio 2013, sections 2 and 3.2; Bengio, Simard & Frasconi 1994"
    chart: ClassVar = "clip_ledger"
    rank: ClassVar = 20
    rule: ClassVar = (
        "The gradient explodes at a recorded training step if the gradient of the last step's loss grows per step back and becomes more "
        "than 100 times as large somewhere as at lag 0. Critical if it still does at the last recorded step. If it no longer does and "
        "most of those steps were shortened: a note (tamed), or a warning if the network ended no better than the best baseline or with "
        "a gradient that is exactly zero. If they were taken at full length: critical in those two cases and if the gradient does not "
        "fade at the end, else a warning. A norm above 1000 times the median of all before it (at least 20) is a spike: critical if "
        "taken at full length and the loss ended higher, a note if shortened, else a warning. An infinite norm, or NaN after "
        "hundredfold growth, is critical. Otherwise, without a finite gradient above zero at the last recorded step, there is no verdict. "
        "A baseline is a prediction without a network; held-out sequences decide, and where values are predicted R² has to be above 0 "
        "as well."
    )

    def check(self, run: Run) -> Verdict:
        path, numbers = steepest(run), _norms(run.steps)
        if path is None and run.steps.empty:
            return self.verdict("none", "no data", "Neither gradient norms nor their reach were recorded.")
        if (broken := _overflow(run.steps)) is not None:
            step, value = broken
            said = f"The gradient norm grew up to {number(numbers['largest_norm'])} and was {value} at training step {step}."
            return self.verdict("critical", "exploded", said, numbers | {"step": float(step)}, _around(run.steps, step))
        if path is not None and any(path.explosive):
            return self._exploded(run, path, numbers)
        if (spike := _spike(run.steps)) is not None:
            return self._spiked(run, spike, numbers)
        if path is None:
            return self.verdict(
                "none",
                "no data",
                "No norm stands out, but how far back the gradient reaches was not recorded: set recording.reach_every.",
                numbers,
            )
        return self._calm(path, numbers)

    def _calm(self, path: Path, numbers: dict[str, float]) -> Verdict:
        largest = f"; the largest gradient norm is {number(numbers['largest_norm'])}." if numbers else "."
        if np.isnan(path.growths[-1]):
            said = f"At training step {path.steps[-1]} the gradient of the last time step is zero or not finite: nothing is left to judge"
            return self.verdict("none", "no gradient", said + largest, numbers, path.evidence())
        said = f"It changes by {factor(path.decays[0])} per step back at the start and {factor(path.decays[-1])} at the end"
        if np.isnan(path.decays[-1]):
            said = f"On its way back it becomes at most {number(10 ** max(path.growths))} times as large ({path.where})"
        return self.verdict("good", "stable", said + largest, numbers | _paces(path), path.evidence())

    def _exploded(self, run: Run, path: Path, numbers: dict[str, float]) -> Verdict:
        when = [step for step, explodes in zip(path.steps, path.explosive, strict=True) if explodes]
        peak = int(np.nanargmax(path.growths))
        shortened = _shortened(run, when[0], when[-1])
        numbers |= _paces(path) | {
            "step": float(path.steps[peak]),
            "first_step": float(when[0]),
            "last_step": float(when[-1]),
            "growth_decades": path.growths[peak],
            "share_shortened": shortened,
            **_stretch(path.profiles[peak]),
        }
        rows = path.evidence().loc[lambda frame: frame["step"].isin(when)]
        said = f"At training step {path.steps[peak]} the gradient grows {number_of_log(path.growths[peak])}-fold over "
        said += f"{len(path.profiles[peak])} steps back in the {path.where} ({factor(path.decays[peak])} per step; it grows from lag "
        said += f"{numbers['grows_from_lag']:.0f} and is largest at lag {numbers['largest_at_lag']:.0f})"
        if path.explosive[-1]:
            return self.verdict(
                "critical", "explodes", f"{said}. It explodes from step {when[0]} on, still at step {path.steps[-1]}.", numbers, rows
            )
        severity, word, end = _outcome(run, path, shortened)
        span = f"It explodes at step {when[0]} only" if when[0] == when[-1] else f"It explodes from step {when[0]} to {when[-1]}"
        return self.verdict(severity, word, f"{said}. {span}; {end}", numbers, rows)

    def _spiked(self, run: Run, spike: int, numbers: dict[str, float]) -> Verdict:
        row = run.steps.iloc[spike]
        before, after = float(run.steps["loss"].iloc[max(0, spike - LAST) : spike].mean()), training_loss(run)
        numbers |= {"step": float(row["step"]), "spike": float(row["norm_before"]), "loss_before": before, "loss_end": after}
        said = f"At training step {int(row['step'])} the gradient norm jumps to {number(row['norm_before'])}"
        rows = _around(run.steps, int(row["step"]))
        if row["norm_after"] < row["norm_before"] / 2:
            return self.verdict("note", "tamed", f"{said}; clipping shortened that step to {number(row['norm_after'])}.", numbers, rows)
        if {"loss", "norm_after"} & {*run.unmeasured}:
            told = "whether it was shortened, or what it did to the loss, was not logged"
            return self.verdict("warning", "spikes", f"{said}; {told}.", _known(numbers), rows)
        if after > before:
            return self.verdict(
                "critical",
                "exploded",
                f"{said}; taken at full length, it raised the loss from {number(before)} to {number(after)} at the end.",
                numbers,
                rows,
            )
        return self.verdict("warning", "spikes", f"{said}, taken at full length; training recovered (loss {number(after)}).", numbers, rows)


def _known(numbers: dict[str, float]) -> dict[str, float]:
    return {name: value for name, value in numbers.items() if not np.isnan(value)}


def _outcome(run: Run, path: Path, shortened: float) -> tuple[Severity, str, str]:
    """Severity, word and end of the sentence for a gradient that exploded and no longer does."""
    dead, fades, better = path.decays[-1] == 0, path.decays[-1] < 1, learned(run)
    if shortened > 0.5:
        took = f"clipping shortened {percent(shortened)} of those steps"
        if better is False or dead:
            return "warning", "exploded", f"{took}, yet {_end(run, dead, better)}"
        return "note", "tamed", f"{took}, and the gradient is {factor(path.decays[-1])} per step back at the end."
    took = "those steps were taken at full length"
    if dead or better is False or not fades:
        return "critical", "exploded", f"{took}, and {_end(run, dead, better)}"
    return "warning", "exploded", f"{took}; it calmed down by itself ({factor(path.decays[-1])} per step back at the end)."


def _end(run: Run, dead: bool, better: bool | None) -> str:
    if dead:
        return "the recurrent gradient ended exactly zero: the explosion ended in vanishing."
    if better is False:
        return f"the network ended no better than a prediction without one ({against_baseline(run)})."
    return "the gradient still does not fade on its way back."


def _paces(path: Path) -> dict[str, float]:
    return {"decay_start": path.decays[0], "decay_end": path.decays[-1]}


def _stretch(profile: Array) -> dict[str, float]:
    """Between which lags the gradient grows: from the smallest norm before the largest, to the largest."""
    top = int(np.nanargmax(profile))
    lowest = np.nanmin(profile[: top + 1])
    start = int(np.flatnonzero(profile[: top + 1] == lowest)[-1])
    return {"grows_from_lag": float(start), "largest_at_lag": float(top)}


def _norms(steps: pd.DataFrame) -> dict[str, float]:
    """Largest and median finite norm before clipping."""
    norms = steps["norm_before"].to_numpy(float) if len(steps) else np.empty(0)
    finite = np.flatnonzero(np.isfinite(norms))
    if not len(finite):
        return {}
    largest = finite[np.argmax(norms[finite])]
    return {
        "largest_norm": float(norms[largest]),
        "largest_norm_step": float(steps["step"].iloc[largest]),
        "median_norm": float(np.median(norms[finite])),
    }


def _shortened(run: Run, first: int, last: int) -> float:
    """Share of the steps from `first` to `last` that clipping shortened; 0 if none were recorded."""
    if run.steps.empty:
        return 0.0
    chosen = run.steps["step"].between(first, last)
    return float(run.steps.loc[chosen, "clipped"].astype(float).mean()) if chosen.any() else 0.0


def _overflow(steps: pd.DataFrame) -> tuple[int, str] | None:
    """Training step and value of the first norm that is infinite, or NaN after finite norms had grown hundredfold."""
    norms = steps["norm_before"].to_numpy(float) if len(steps) else np.empty(0)
    broken = np.flatnonzero(~np.isfinite(norms))
    if not len(broken) or not broken[0]:
        return None
    first = int(broken[0])
    if np.isinf(norms[first]) or np.max(norms[:first]) >= 100 * np.min(norms[:first]):
        return int(steps["step"].iloc[first]), number(norms[first])
    return None


def _spike(steps: pd.DataFrame) -> int | None:
    """Row of the largest norm that is a spike against all before it."""
    norms = steps["norm_before"].to_numpy(float) if len(steps) else np.empty(0)
    with np.errstate(over="ignore"):
        smallest = np.fmin.accumulate(norms)  # which no median is below
        large = np.flatnonzero(norms > SPIKE * smallest)
        spikes = large[norms[large] > SPIKE * _medians.before(norms, large, BEFORE)]
    return int(spikes[np.argmax(norms[spikes])]) if len(spikes) else None


def _around(steps: pd.DataFrame, step: int) -> pd.DataFrame:
    """The rows of training steps next to one."""
    return steps[steps["step"].between(step - 3, step + 3)]

"""Does the gradient reach as far back as the task needs?"""

import math
from typing import ClassVar

import numpy as np

from gradviz.arrays import Array
from gradviz.dynamics.decay import half_life, horizon
from gradviz.findings._base import Finding, Verdict
from gradviz.findings._evidence import LOST, Path, arriving, exploded, longest
from gradviz.findings._words import pace
from gradviz.frames import Run
from gradviz.wording import THIN, number_of_log, steps

SHORT = 2  # without a stated lag, reaching less than one part in so many of the sequence is a note
STUMP = 3.0  # steps: a network that reaches no further hardly is recurrent


class Vanishing(Finding):
    title: ClassVar = "How far back the gradient reaches"
    meaning: ClassVar = (
        "The loss at the last step can teach the network about an early step only as far as its gradient reaches back. Multiplied by "
        "the same factor at every step, the gradient fades exponentially, and nearer steps drown it long before it is zero."
    )
    remedy: ClassVar = (
        "Use a gated cell and start it remembering: a forget bias of 1 or more, or chrono initialisation with the longest lag of the "
        "task. For a plain RNN start with an orthogonal or identity recurrent matrix. Clipping does not help: it shortens, it does not "
        "lengthen."
    )
    source: ClassVar = (
        "Hochreiter & Schmidhuber 1997; Bengio, Simard & Frasconi 1994; Pascanu, Mikolov & Bengio 2013, section 2; chrono "
        "initialisation: Tallec & Ollivier 2018"
    )
    chart: ClassVar = "waterfall"
    rank: ClassVar = 30
    rule: ClassVar = (
        "Norm of the gradient of the last step's loss with respect to the state, per step back, at the last recorded training step, on "
        "the state that reaches furthest (the longest horizon, then the most left at the far end; an LSTM's cell state counts; with an "
        "encoder and a decoder, in the one where it reaches less of its own sequence). The "
        "horizon is the first lag with less than 1 % of the norm at lag 0. If the task states a lag: critical if at that lag less "
        "than a thousandth arrives and the horizon is shorter, else good; that memory is shorter than the lag is "
        "short_memory's to say. If it states none: critical if the gradient is exactly zero within 8 steps, a warning if the horizon is "
        "at most 3 steps, a note if it is shorter than half of the sequence, else good unless the gradient exploded. In "
        "brackets stands the 95 % interval from sequence to sequence."
    )

    def check(self, run: Run) -> Verdict:
        path = longest(run)
        if path is None:
            return self.verdict("none", "no data", "How far back the gradient reaches was not recorded: set recording.reach_every.")
        if path.steps[-1] == 0:
            return self.verdict(
                "none", "untrained", "Only the untrained network was measured, and a first picture is no verdict.", rows=path.evidence()
            )
        profile, numbers = path.profiles[-1], _numbers(path)
        if math.isnan(numbers["decay_end"]):
            return self.verdict(
                "none",
                "no fit",
                f"Not enough data: no line fits the gradient of the {path.where} at training step {path.steps[-1]}, {_why(profile)}.",
                numbers,
                path.evidence(),
            )
        if path.explosive[-1]:
            return self.verdict(
                "none",
                "grows",
                "Not applicable: the gradient grows on its way back; see what is said of explosion.",
                numbers,
                path.evidence(),
            )
        lag = run.meta.get("lag")
        return self._with_lag(int(lag), path, numbers) if lag else self._without_lag(run, path, numbers)

    def _with_lag(self, lag: int, path: Path, numbers: dict[str, float]) -> Verdict:
        lag, arrives = arriving(path, lag)
        numbers |= {"lag": float(lag), "log10_at_lag": arrives}
        at = pace(*path.intervals[-1])
        said = (
            f"{at}: of the gradient at the end, {number_of_log(arrives)} arrives {lag} steps back, where the task needs it ({path.where})."
        )
        if numbers["horizon_end"] >= lag:
            said = f"{at}: the gradient is still above 1{THIN}% of its size {lag} steps back, where the task needs it ({path.where})."
            return self.verdict("good", "reaches back", said, numbers, path.evidence())
        if arrives <= LOST:
            return self.verdict("critical", "vanishing", said, numbers, path.evidence())
        said = f"{said[:-1]}; it is not lost."
        return self.verdict("good", "not vanished", said, numbers, path.evidence())

    def _without_lag(self, run: Run, path: Path, numbers: dict[str, float]) -> Verdict:
        reach, length = numbers["horizon_end"], len(path.profiles[-1])
        numbers["length"] = float(length)
        at = pace(*path.intervals[-1])
        said = f"{at}: less than 1{THIN}% of the gradient is left {steps(reach)} back, of {length} ({path.where})."
        if numbers["decay_end"] == 0:
            zero = int(np.argmax(np.isneginf(path.profiles[-1])))
            return self.verdict(
                "critical", "vanished", f"The gradient is exactly zero from {steps(zero)} back on ({path.where}).", numbers, path.evidence()
            )
        if reach <= STUMP:
            return self.verdict("warning", "vanishing", said, numbers, path.evidence())
        if reach < length / SHORT:
            return self.verdict("note", "short memory", said, numbers, path.evidence())
        if exploded(run):
            return self.verdict(
                "none",
                "no fading",
                "Not applicable: the gradient exploded in training, so that it does not fade is no sign of memory.",
                numbers,
                path.evidence(),
            )
        if math.isinf(reach):
            said = f"{at}: the gradient keeps more than 1{THIN}% of its size over all {length} steps ({path.where})."
        return self.verdict("good", "reaches back", said, numbers, path.evidence())


def _numbers(path: Path) -> dict[str, float]:
    """Pace and reach at the first and the last recorded training step."""
    numbers = {"step": float(path.steps[-1])}
    for when, profile, at in (("start", path.profiles[0], path.intervals[0]), ("end", path.profiles[-1], path.intervals[-1])):
        decay, low, high = at
        numbers |= {
            f"decay_{when}": decay,
            f"decay_low_{when}": low,
            f"decay_high_{when}": high,
            f"half_life_{when}": half_life(decay),
            f"half_life_low_{when}": half_life(low),
            f"half_life_high_{when}": half_life(high),
            f"horizon_{when}": horizon(profile),
            f"log10_share_of_first_tenth_{when}": _first_tenth(profile),
        }
    return numbers


def _first_tenth(profile: Array) -> float:
    """log10 of the share of all norms that lies in the first tenth of the sequence (even: -1); NaN if all are zero."""
    top = np.max(profile, initial=-np.inf)
    if not np.isfinite(top):
        return math.nan
    early = profile[len(profile) - max(1, len(profile) // 10) :]
    peak = np.max(early)
    if np.isneginf(peak):
        return -math.inf
    return float(peak + np.log10(np.sum(10 ** (early - peak))) - top - np.log10(np.sum(10 ** (profile - top))))


def _why(profile: Array) -> str:
    if np.isnan(profile).all() or np.isposinf(profile).any():
        return "which is not finite"
    zero = np.isneginf(profile[:1]).any()
    return "which is zero at the last step already" if zero else f"whose {len(profile)} steps are too few, or hold NaN"

"""Did the network begin where a gradient can reach as far as the task needs?"""

import math
from typing import ClassVar

import numpy as np

from gradviz.dynamics.decay import horizon, slope
from gradviz.findings._base import Finding, Verdict
from gradviz.findings._evidence import Path, learned, paths
from gradviz.findings._words import pace
from gradviz.frames import Run
from gradviz.wording import number, number_of_log

OFF = 3.0  # decades over the distance


class Initialization(Finding):
    title: ClassVar = "Where the network began"
    meaning: ClassVar = (
        "Training can only lengthen a memory whose gradient arrives at all. A network that begins with a factor per step far from 1 has to "
        "find its way to the edge first, with a gradient that tells it nothing of early steps, or far too much."
    )
    remedy: ClassVar = (
        "Gated cells: chrono initialisation, forget biases ln U(1, T − 1) for a longest lag T, so that memories of 2 to T steps are "
        "there at once; or one forget bias of ln(T − 1). Plain RNNs: an orthogonal recurrent matrix whose gain brings the factor to 1, and "
        "small input weights, for saturation takes from it."
    )
    source: ClassVar = (
        "Tallec & Ollivier 2018 (chrono); Gers, Schmidhuber & Cummins 2000, Jozefowicz, Zaremba & Sutskever 2015 (forget bias); Saxe, "
        "McClelland & Ganguli 2014 (orthogonal); Le, Jaitly & Hinton 2015 (identity)"
    )
    chart: ClassVar = "waterfall"
    rank: ClassVar = 90
    rule: ClassVar = (
        "The fitted factor per step back of the untrained network, on the state that keeps most, to the power of a distance: where it "
        "fades the task's lag, or half of the sequence if it states none; where it grows the whole sequence. Good between 1/1000 and "
        "1000, or if training led it there (where it fades: the horizon of 1 % to that distance), or the network became better than its "
        "best baseline all the same; else, once it was trained, a warning if the task states a lag and a note if it states "
        "none. Never critical: it is the start, not the end."
    )

    def check(self, run: Run) -> Verdict:
        lag = int(run.meta.get("lag") or 0)
        began = [path for path in paths(run) if path.steps[0] == 0 and len(path.profiles[0]) > 1]
        if not began:
            return self.verdict("none", "no data", "The reach of the untrained network was not recorded: set recording.reach_every.")
        fitted = [(*_left(path, lag), path) for path in began]
        fitted = [item for item in fitted if not math.isnan(item[0])]
        if not fitted:
            return self.verdict("none", "no fit", "Not enough data: no line fits the gradient of the untrained network.")
        left, distance, path = max(fitted, key=lambda item: item[0])
        first = path.first
        decay, low, high = first.intervals[0]
        numbers = {"decay_start": decay, "distance": float(distance), "log10_left": left}
        times = number(10**left) if abs(left) < OFF else number_of_log(left)
        said = f"The untrained network starts with {pace(decay, low, high)}, times {times} over {distance} steps ({path.where})"
        if abs(left) <= OFF:
            return self.verdict("good", "near the edge", f"{said}.", numbers, first.evidence())
        if learned(run) or _came(path, distance, left):
            how = "the network learned" if learned(run) else "the gradient has come to the edge by now"
            return self.verdict("good", "overcome", f"{said}; {how} all the same.", numbers, first.evidence())
        advice, suggested = _advice(run, decay, distance, left)
        if path.steps[-1] == 0:
            said = f"Only the untrained network was measured. {said}. {advice}"
            return self.verdict("none", "untrained", said, numbers | suggested, first.evidence())
        return self.verdict("warning" if lag else "note", "far off", f"{said}. {advice}", numbers | suggested, first.evidence())


def _left(path: Path, lag: int) -> tuple[float, int]:
    """Decades that the first gradient gains over the distance that counts, and the distance. What grows grows over the whole sequence."""
    profile, pace = path.profiles[0], slope(path.profiles[0])
    whole = len(profile) - 1
    distance = whole if pace > 0 else min(lag, whole) if lag else max(1, len(profile) // 2)
    return pace * distance, distance


def _came(path: Path, distance: int, left: float) -> bool:
    """Whether training has brought the gradient to the edge."""
    end = path.profiles[-1]
    near = horizon(end) >= distance if left < 0 else abs(slope(end) * distance) <= OFF
    return path.steps[-1] > 0 and near


def _advice(run: Run, decay: float, distance: int, left: float) -> tuple[str, dict[str, float]]:
    """What to try, with numbers."""
    if run.family in ("lstm", "gru") and left < 0:
        longest = max(3, distance)
        bias = math.log(longest - 1)
        numbers = {"chrono": float(longest), "forget_bias_low": 0.0, "forget_bias_high": bias, "mean_memory": 1 + longest / 2}
        gate = "forget biases" if run.family == "lstm" else "biases of the update gate (share kept)"
        said = f"Try chrono {longest}: {gate} from 0 to {number(bias, 3)}, memories of 2 to {longest} steps, {number(1 + longest / 2)} on "
        return f"{said}average; or {number(bias, 3)} for all.", numbers
    gain = _gain(run)
    better = gain / decay if decay > 0 else math.nan
    if not np.isfinite(better) or better == 0:
        return "Try an orthogonal recurrent matrix with gain 1 and smaller input weights.", {}
    return f"Try an orthogonal recurrent matrix, with gain {number(better, 3)} instead of {number(gain, 3)}.", {"gain": better}


def _gain(run: Run) -> float:
    try:
        return float(run.setting("model", "initialization", "gain"))
    except ValueError:
        return math.nan

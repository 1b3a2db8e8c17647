"""Does clipping let pass what it is there to catch?"""

from typing import ClassVar

import numpy as np
import pandas as pd

from gradviz.arrays import Array
from gradviz.findings import _medians
from gradviz.findings._base import Finding, Verdict
from gradviz.findings._clipping import share_clipped, share_removed, without
from gradviz.findings._evidence import exploded
from gradviz.frames import Run
from gradviz.wording import number, percent, span

SELDOM = 0.01  # of all steps: clipping hardly ever binds
GIANT = 10.0  # times the median of all norms before it, and of all norms
BEFORE = 20  # norms needed before one can be out of scale


class UnderClipped(Finding):
    title: ClassVar = "Whether clipping catches too little"
    meaning: ClassVar = (
        "A threshold far above every ordinary gradient never acts, and where it does not act the run is one without clipping: a single "
        "gradient out of scale moves the weights as far as hundreds of ordinary ones, and Adam remembers it for a long time."
    )
    remedy: ClassVar = (
        "Lower the threshold to between half and ten times the median gradient norm (the number is below), or let it follow the norms: "
        "clipping by percentile."
    )
    source: ClassVar = (
        "Pascanu, Mikolov & Bengio 2013, section 3.2 (threshold: half to ten times the average norm); Seetharaman et al. 2020 (percentile)"
    )
    chart: ClassVar = "clip_ledger"
    rank: ClassVar = 53
    rule: ClassVar = (
        "A step is out of scale if its gradient norm is finite, not clipped, and at least 10 times both the median of all norms before it "
        "(at least 20) and the median of all. A warning if clipping changes less than 1 % of the steps and there is such a step, or if it "
        "changes no step although the gradient explodes by the rule of exploding; a note if it acts more often and some steps pass it out "
        "of scale; else good. Not applicable without clipping. The factor 10 is the upper end of Pascanu's range."
    )

    def check(self, run: Run) -> Verdict:
        if not run.clipped:
            return self.verdict("none", "no clipping", f"{without(run)}; see what is said of explosion.")
        steps = run.steps
        norms = steps["norm_before"].to_numpy(float) if len(steps) else np.empty(0)
        finite = norms[np.isfinite(norms)]
        if len(finite) <= BEFORE or not np.median(finite) > 0:
            return self.verdict(
                "none", "no data", f"Not enough data: {len(finite)} finite gradient norms; {BEFORE + 1} above 0 are needed."
            )
        giants, numbers = steps.loc[_giants(steps, norms)], _numbers(steps, finite)
        numbers["steps_out_of_scale"] = float(len(giants))
        often = numbers["share_clipped"]
        said = f"Clipping changes {percent(often)} of the steps and takes {percent(numbers['share_removed'])} of a gradient, on average"
        if len(giants):
            worst = giants.iloc[int(np.argmax(giants["norm_before"].to_numpy(float)))]
            numbers |= {"largest_passed": float(worst["norm_before"]), "largest_passed_step": float(worst["step"])}
            said += f"; {_count(len(giants))} at least {number(GIANT)} times as long as usual passed whole, the longest at training step "
            said += f"{int(worst['step'])}: {number(worst['norm_before'])}, where {number(numbers['median_norm'])} is the median."
            seldom = often < SELDOM
            return self.verdict("warning" if seldom else "note", "lets pass" if seldom else "some pass", said, numbers, giants)
        if often == 0 and exploded(run):
            limits = steps["threshold"].to_numpy(float)
            limits = limits[np.isfinite(limits)]  # several, where it was changed while the network was trained
            at = f" (threshold {span(limits)})" if len(limits) else ""
            said += f", although the gradient exploded: the largest norm is {number(numbers['largest_norm'])}{at}."
            return self.verdict("warning", "never acts", said, numbers, steps)
        said += f"; no step passed whole that was {number(GIANT)} times as long as usual."
        return self.verdict("good", "nothing missed", said, numbers, steps)


def _giants(steps: pd.DataFrame, norms: Array) -> Array:
    """Which steps were out of scale and not clipped, (steps,)."""
    finite, found = np.isfinite(norms), np.zeros(len(norms), bool)
    large = np.flatnonzero(finite & (norms >= GIANT * np.median(norms[finite])) & ~steps["clipped"].to_numpy(bool))
    usual = _medians.before(norms, large, BEFORE)
    found[large[(usual > 0) & (norms[large] >= GIANT * usual)]] = True
    return found


def _numbers(steps: pd.DataFrame, finite: Array) -> dict[str, float]:
    thresholds = steps["threshold"].to_numpy(float)
    known = thresholds[np.isfinite(thresholds)]
    return {
        "share_clipped": share_clipped(steps),
        "share_removed": share_removed(steps),
        "median_norm": float(np.median(finite)),
        "largest_norm": float(np.max(finite)),
        "threshold": float(np.median(known)) if len(known) else float("nan"),
    }


def _count(count: int) -> str:
    return "one gradient" if count == 1 else f"{count} gradients"

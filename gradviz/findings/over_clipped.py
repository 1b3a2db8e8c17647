"""Does clipping set the length of every step, rather than catch the exceptions?"""

from typing import ClassVar

import numpy as np

from gradviz.findings._base import Finding, Verdict
from gradviz.findings._clipping import cuts, share_clipped, share_removed, without
from gradviz.frames import Run
from gradviz.wording import number, percent

OFTEN, MUCH = 0.8, 3.0
ALWAYS, MOST = 0.95, 10.0
ENOUGH = 20


class OverClipped(Finding):
    title: ClassVar = "Whether clipping takes too much"
    meaning: ClassVar = (
        "Clipping should be the exception, or a trim. Where it cuts nearly every gradient to a fraction, the threshold, not the loss, "
        "decides how far each step goes: training turns into steps of equal length, and is slower than its learning rate says."
    )
    remedy: ClassVar = (
        "Raise the threshold to the order of an ordinary gradient norm; if that makes training unstable, lower the learning rate instead."
    )
    source: ClassVar = "Pascanu, Mikolov & Bengio 2013, section 3.2 (threshold: half to ten times the average norm); Zhang et al. 2019"
    chart: ClassVar = "clip_ledger"
    rank: ClassVar = 50
    rule: ClassVar = (
        "In the second half of the training steps (at least 20): a warning if clipping shortens at least 80 % of them and the median "
        "gradient is at least 3 times as long before as after; critical from 95 % and 10 times on. Steps whose norm is zero or not "
        "finite are left out of the median. What is removed of a gradient is 1 - norm after / norm before, the mean over steps."
    )

    def check(self, run: Run) -> Verdict:
        if not run.clipped:
            return self.verdict("none", "no clipping", f"{without(run)}.")
        late = run.steps.iloc[len(run.steps) // 2 :] if len(run.steps) else run.steps
        if len(late) < ENOUGH:
            return self.verdict("none", "no data", f"Not enough data: {len(late)} training steps in the second half; {ENOUGH} are needed.")
        before, after = late["norm_before"].to_numpy(float), late["norm_after"].to_numpy(float)
        usable = np.isfinite(before) & np.isfinite(after) & (after > 0)
        if not usable.any():
            return self.verdict("none", "no data", "No late gradient norm is finite and above zero.", rows=late)
        often = share_clipped(late)
        much = float(np.median(before[usable] / after[usable]))
        numbers = {
            "share_clipped": often,
            "median_cut": much,
            "first_step": float(late["step"].iloc[0]),
            "left_out": float((~usable).sum()),
        }
        of_clipped = cuts(late[late["clipped"].to_numpy(bool)])
        numbers |= {
            "share_removed": share_removed(late),
            "median_removed_if_clipped": float(np.median(of_clipped)) if len(of_clipped) else 0.0,
            "share_clipped_all": share_clipped(run.steps),
            "share_removed_all": share_removed(run.steps),
        }
        cut = "is not shortened" if much == 1 else f"is {number(much)} times as long before as after"
        said = f"In the second half of training clipping shortens {percent(often)} of the steps; the median gradient {cut}, "
        said += f"and on average {percent(numbers['share_removed'])} of a gradient is removed."
        if often >= ALWAYS and much >= MOST:
            return self.verdict("critical", "over-clipped", said, numbers, late)
        if often >= OFTEN and much >= MUCH:
            return self.verdict("warning", "over-clipped", said, numbers, late)
        return self.verdict("good", "rarely acts" if often < 0.1 else "trims", said, numbers, late)

"""Does clipping turn the gradient instead of only shortening it?"""

from typing import ClassVar

import numpy as np

from gradviz.findings._base import Finding, Verdict
from gradviz.findings._clipping import share_clipped, without
from gradviz.frames import Run
from gradviz.wording import THIN, number, percent

BENT = 30.0  # degrees
OFTEN = 0.1
ENOUGH = 20
KEPT = 1.0  # degrees: below, rounding of the cosine in single precision


class BentDirection(Finding):
    title: ClassVar = "Whether clipping bends the step"
    meaning: ClassVar = (
        "Clipping by global norm shortens the gradient and keeps its direction. Clipping entry by entry, or parameter by parameter, cuts "
        "what is large and leaves what is small, so the step goes where no gradient pointed: at an angle a, only cos a of its length "
        "follows the slope."
    )
    remedy: ClassVar = "Clip by global norm, which keeps the direction, or raise the threshold until only the exceptions are cut."
    source: ClassVar = (
        "Pascanu, Mikolov & Bengio 2013, section 3.2 (norm), and Mikolov 2012 (entries); the angle is that of the stored cosine"
    )
    chart: ClassVar = "clip_ledger"
    rank: ClassVar = 57
    rule: ClassVar = (
        "Of the training steps that clipping changed, the angle between the gradient before and after. A warning if its median is at least "
        "30° and at least 10 % of all steps (20 are needed) were changed; a note if it is and they were fewer; else good. Not applicable "
        "without clipping, or where it never acted. At 30° the step goes 87 % as far along the gradient as one of its length could; the "
        "threshold is chosen, not published."
    )

    def check(self, run: Run) -> Verdict:
        if not run.clipped or "cosine" in run.unmeasured:
            word, said = ("no data", "The cosine of the angle was not logged") if run.clipped else ("no clipping", without(run))
            return self.verdict("none", word, f"{said}.")
        steps = run.steps
        if len(steps) < ENOUGH:
            return self.verdict("none", "no data", f"Not enough data: {len(steps)} training steps; {ENOUGH} are needed.")
        clipped = steps[steps["clipped"].to_numpy(bool)]
        clipped = clipped[np.isfinite(clipped["cosine"].to_numpy(float))]
        if clipped.empty:
            return self.verdict("none", "never acted", f"Not applicable: of {len(steps)} steps clipping changed none that has a direction.")
        cosine, often = clipped["cosine"].to_numpy(float), share_clipped(steps)
        angle = np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0)))
        worst, usual = int(np.argmax(angle)), float(np.median(angle))
        numbers = {
            "share_clipped": often,
            "median_angle": usual,
            "worst_angle": float(angle[worst]),
            "worst_step": float(clipped["step"].iloc[worst]),
            "median_cosine": float(np.median(cosine)),
            "worst_cosine": float(cosine[worst]),
        }
        rows = clipped[["step", "norm_before", "norm_after", "cosine"]].assign(angle=angle)
        if angle[worst] < KEPT:
            said = f"Clipping changes {percent(often)} of the steps and keeps the direction of each."
            return self.verdict("good", "keeps course", said, numbers, rows)
        said = f"Clipping changes {percent(often)} of the steps and turns them by {number(usual)}° (median), at most by "
        said += f"{number(angle[worst])}° at training step {int(numbers['worst_step'])} (cosine{THIN}{number(cosine[worst])})."
        if usual >= BENT:
            return self.verdict("warning" if often >= OFTEN else "note", "bent", said, numbers, rows)
        return self.verdict("good", "little bent", said, numbers, rows)

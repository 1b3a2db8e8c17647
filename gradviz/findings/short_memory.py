"""Is the network's memory shorter than the task's lag?"""

import math
from typing import ClassVar

from gradviz.dynamics.decay import horizon
from gradviz.findings._base import Finding, Verdict
from gradviz.findings._evidence import LOST, Path, arriving, longest
from gradviz.frames import Run
from gradviz.wording import THIN, number_of_log, steps

THINNED = -2.0  # decades: the share that defines the horizon


class ShortMemory(Finding):
    title: ClassVar = "Whether memory spans the task's lag"
    meaning: ClassVar = (
        "A task that needs something from so many steps ago can be learned only by a network whose gradient gets there. If less than one "
        "hundredth does, what happens nearer teaches a hundred times as loudly, and learning the far part takes accordingly long."
    )
    remedy: ClassVar = (
        "Lengthen the memory: a gated cell, a larger forget bias, chrono initialisation with the lag of the task. Or begin with a shorter "
        "lag and lengthen it while training."
    )
    source: ClassVar = "Hochreiter & Schmidhuber 1997 (long time lags); Tallec & Ollivier 2018 (chrono initialisation)"
    chart: ClassVar = "horizon"
    rank: ClassVar = 33
    rule: ClassVar = (
        "Only where the task states a lag. The horizon is the first lag at which less than 1 % of the gradient of the last step's loss is "
        "left, at the last recorded training step, on the state that reaches furthest. Good if it is not shorter than the task's lag. If "
        "it is: a warning, or a note if at the lag less than a thousandth arrives, for that is critical under vanishing, or if 1 % or more "
        "does, which fell and rose again. No verdict of an "
        "untrained network, of a gradient that grows on its way back, or of one that cannot be followed to the lag."
    )

    def check(self, run: Run) -> Verdict:
        lag, path = run.meta.get("lag"), longest(run)
        if not lag:
            return self.verdict("none", "no lag", "Not applicable: this task does not say how far back it has to look.")
        if path is None:
            return self.verdict("none", "no data", "How far back the gradient reaches was not recorded: set recording.reach_every.")
        if (excuse := _excuse(path)) is not None:
            return self.verdict("none", *excuse, rows=path.evidence())
        far, (needed, arrives) = horizon(path.profiles[-1]), arriving(path, int(lag))
        numbers = {"step": float(path.steps[-1]), "horizon": far, "lag": float(needed), "log10_at_lag": arrives}
        if far >= needed:
            reaches = "spans the whole sequence" if math.isinf(far) else f"reaches {steps(far)} back"
            said = f"Memory {reaches}, the task needs {steps(needed)} ({path.where})."
            return self.verdict("good", "long enough", said, numbers, path.evidence())
        said = f"Memory reaches {steps(far)} back, where less than 1{THIN}% of the gradient is left; the task needs {steps(needed)}, "
        said += f"where {number_of_log(arrives)} of it arrives ({path.where})."
        if arrives >= THINNED:
            return self.verdict("note", "dips", said, numbers, path.evidence())
        return self.verdict("note" if arrives <= LOST else "warning", "too short", said, numbers, path.evidence())


def _excuse(path: Path) -> tuple[str, str] | None:
    """Word and sentence, if nothing can be said of this path."""
    if path.steps[-1] == 0:
        return "untrained", "Only the untrained network was measured."
    if path.explosive[-1]:
        return "grows", "Not applicable: the gradient grows on its way back."
    if math.isnan(path.decays[-1]):
        return (
            "no horizon",
            f"At training step {path.steps[-1]} the gradient cannot be followed back: it is not finite, zero, or too short.",
        )
    return None

"""Do the weights still move?"""

from typing import ClassVar

from gradviz.findings._base import Finding, Verdict
from gradviz.findings._evidence import against_baseline, exploded, learned
from gradviz.findings._learning import ENOUGH, USUAL, falling, medians, ratios
from gradviz.frames import Run
from gradviz.wording import number

DYING = 1e-5


class SlowLearning(Finding):
    title: ClassVar = "Whether weights still move"
    meaning: ClassVar = (
        "Each update changes the weights by some share of their size. Where that share is a hundred times smaller than usual, hundreds of "
        "thousands of steps would be needed to change a weight matrix: it stands still, whatever the loss says."
    )
    remedy: ClassVar = (
        "Raise the learning rate, or let its schedule fall less; if one matrix alone stands still, look at its gradient: gates may be "
        "saturated, units dead, or an early explosion may still fill Adam's memory."
    )
    source: ClassVar = "Karpathy, CS231n notes, Neural Networks Part 3, “Ratio of weights:updates” (about 10⁻³)"
    chart: ClassVar = "parameters"
    rank: ClassVar = 63
    rule: ClassVar = (
        "Norm of the update by norm of the weights, of each weight matrix (no biases; norms below 0.01 are left out); the median over the "
        "recorded steps of the second half of training (5 are needed). Usual is about 0.001. If that of any matrix is below 0.00001, a "
        "hundredth of it: a warning if the network is no better than its best baseline or the training loss still falls (the last quarter "
        "below the quarter before by more than two standard errors), a note if neither is so or the gradient exploded, which is its cause. "
        "The usual value is Karpathy's rule of thumb, the hundredth is chosen."
    )

    def check(self, run: Run) -> Verdict:
        rows = ratios(run)
        pace = medians(rows)
        if not pace:
            return self.verdict("none", "no data", f"Not enough data: no weight matrix has {ENOUGH} recorded updates in the second half.")
        name = min(pace, key=lambda key: pace[key])
        numbers = {f"ratio {key}": value for key, value in pace.items()} | {"slowest": pace[name], "usual": USUAL}
        said = f"In the second half of training the slowest matrix, {name}, changes by {number(pace[name])} of its size per update (median)"
        if pace[name] >= DYING:
            return self.verdict("good", "moving", f"{said}; usual is about {number(USUAL)}.", numbers, rows)
        still = falling(run)
        if learned(run) is not False and not still:
            return self.verdict("note", "at rest", f"{said}, and the loss no longer falls.", numbers, rows)
        why = "while the training loss still falls" if still else f"and the network is no better than without one ({against_baseline(run)})"
        if exploded(run):
            said = f"{said}, {why}; the gradient exploded before, which is its likely cause."
            return self.verdict("note", "stalled", said, numbers, rows)
        return self.verdict("warning", "dying", f"{said}, {why}.", numbers, rows)

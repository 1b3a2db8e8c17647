"""Do updates throw the weights about?"""

from typing import ClassVar

from gradviz.findings._base import Finding, Verdict
from gradviz.findings._evidence import exploded
from gradviz.findings._learning import ENOUGH, USUAL, medians, ratios
from gradviz.frames import Run
from gradviz.wording import number

WILD = 1e-1


class UnstableLearning(Finding):
    title: ClassVar = "Whether updates are too large"
    meaning: ClassVar = (
        "Each update changes the weights by some share of their size. Where that share is a tenth, ten updates could replace the whole "
        "matrix: the gradient, which holds only near where it was taken, no longer says where the step ends, and what was learned is lost."
    )
    remedy: ClassVar = "Lower the learning rate by a factor of ten, or begin with a schedule that warms up; then look at this ratio again."
    source: ClassVar = "Karpathy, CS231n notes, Neural Networks Part 3, “Ratio of weights:updates” (about 10⁻³)"
    chart: ClassVar = "parameters"
    rank: ClassVar = 26
    rule: ClassVar = (
        "Norm of the update by norm of the weights, of each weight matrix (no biases; norms below 0.01 are left out); the median over the "
        "recorded steps of the second half of training (5 are needed). Usual is about 0.001. A warning if that of any matrix is above "
        "0.1, a hundred times as much; a note if the gradient exploded, which is its cause; else good. The usual value is Karpathy's rule "
        "of thumb, the factor of a hundred is chosen."
    )

    def check(self, run: Run) -> Verdict:
        rows = ratios(run)
        pace = medians(rows)
        if not pace:
            return self.verdict("none", "no data", f"Not enough data: no weight matrix has {ENOUGH} recorded updates in the second half.")
        name = max(pace, key=lambda key: pace[key])
        numbers = {f"ratio {key}": value for key, value in pace.items()} | {"fastest": pace[name], "usual": USUAL}
        said = f"In the second half of training the fastest matrix, {name}, changes by {number(pace[name])} of its size per update (median)"
        if pace[name] <= WILD:
            return self.verdict("good", "steady", f"{said}; usual is about {number(USUAL)}.", numbers, rows)
        if exploded(run):
            return self.verdict("note", "thrown about", f"{said}; the gradient exploded, see what is said of that.", numbers, rows)
        return self.verdict("warning", "too large", f"{said}, {number(pace[name] / USUAL)} times the usual {number(USUAL)}.", numbers, rows)

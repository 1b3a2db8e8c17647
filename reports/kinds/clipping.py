"""Clipping: which updates were shortened, and what that did to the gradient, the weights and the loss."""

from gradviz.reports.kinds._chapters import CLIPPING, REACH, WEIGHTS, Chapter, Chapters

CLIFF = Chapter(
    "cliff",
    "Why clipping helps",
    "Where gradients explode the error has a steep wall: one step at its foot throws the parameters away, however small the learning rate.",
    ("cliff",),
)


class Clipping(Chapters):
    label = "gradient clipping"
    purpose = "which steps were shortened, whether that was the exception, and what it did to reach, weights and loss"
    opening = "clip_ledger"

    def chapters(self) -> tuple[Chapter, ...]:
        return (CLIPPING.only("loss"), CLIFF, REACH.only("waterfall", "decay"), WEIGHTS)

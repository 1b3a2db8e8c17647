"""Vanishing and exploding: how far the gradient reaches, where it is lost, and why."""

from gradviz.reports.kinds._chapters import EXACT, GATES, REACH, Chapter, Chapters

FELT = Chapter(
    "felt",
    "Which step feels which",
    "Each loss sends back a gradient of its own; its size at an early state is what that state can learn from it.",
    ("gradient_matrix", "connectivity"),
)


class Vanishing(Chapters):
    label = "vanishing gradients"
    purpose = "how far back the gradient reaches, which step feels which, and what in the network decides it"

    def chapters(self) -> tuple[Chapter, ...]:
        return (
            REACH,
            FELT,
            EXACT.only("jacobian_fan", "eigenvalues", "lyapunov", "highway"),
            GATES.only("saturation"),
            Chapter("loss", "What it learned", "A gradient that arrives is worth what it teaches.", ("loss",)),
        )

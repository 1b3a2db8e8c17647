"""Gates: what each unit keeps, how far open its gates stand, and how much of the gradient they alone carry."""

from collections.abc import Sequence

from gradviz.frames import Run
from gradviz.reports.kinds._base import Picture, has_gates
from gradviz.reports.kinds._chapters import EXACT, GATES, ONE_BY_ONE, READS, WEIGHTS, Chapter, Chapters

SATURATED = GATES.only("saturation")
CARRIED = Chapter(
    "carried",
    "What the gates carry",
    "Along the memory the gradient is multiplied by one gate a step; all other ways back lead through the recurrent weights.",
    ("highway", "phase"),
)


class Gates(Chapters):
    label = "gates"
    purpose = "what each unit keeps over a sequence, how far open the gates stand, and what they alone carry back"
    opening = "gate_heatmap"
    choices = ONE_BY_ONE

    def key(self, runs: Sequence[Run]) -> Picture:
        """Of the first task that a gated cell learned."""
        every = list(self._pictures(self.opening, runs))
        return next((picture for picture in every if any(map(has_gates, picture.runs))), every[0])

    def chapters(self) -> tuple[Chapter, ...]:
        return (SATURATED, CARRIED, EXACT.only("jacobian_fan"), READS.only("text_unit", "units"), WEIGHTS)

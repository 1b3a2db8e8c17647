"""Any runs side by side, task by task: a picture that has nothing to show keeps its place and says what to record."""

from collections.abc import Sequence

from gradviz.charts import CHARTS
from gradviz.frames import Run
from gradviz.reports.kinds._base import Kind, Picture, Section, by_task

CHAPTERS = (
    ("reach", "How far back the gradient reaches", "A network can only learn that an early step matters if the loss at the end still moves the state back then.", ("film", "decay", "horizon")),
    ("clipping", "Loss and clipping", "Clipping shortens a gradient that is longer than the threshold; the loss tells whether that helped.", ("loss", "clip_ledger")),
    ("gates", "What the gates do", "Gates decide what of the old state survives a step, and a gate that is nearly always shut or open hardly learns.", ("gate_heatmap", "saturation")),
    ("parameters", "What reaches the weights", "The optimizer turns gradients into updates; an update should be a small share of the weights it changes.", ("parameters",)),
)
ELSEWHERE = {"waterfall", "status"}  # the summary and the findings show these


class Compare(Kind):
    label = "comparison"
    purpose = "any runs side by side, grouped by task"

    def key(self, runs: Sequence[Run]) -> Picture:
        task, members = next(iter(by_task(runs).items()))
        return Picture("waterfall", members, _about(runs, task), slider=True)

    def sections(self, runs: Sequence[Run]) -> list[Section]:
        told = [Section(anchor, title, intro, _pictures(runs, charts)) for anchor, title, intro, charts in CHAPTERS]
        rest = Section("more", "More pictures", "Every other chart there is.", _pictures(runs, tuple(_others())))
        first, *later = told
        further = _pictures(runs, ("waterfall",))[1:]
        reach = Section(first.anchor, first.title, first.intro, further + first.pictures)
        return [reach, *later, *([rest] if rest.pictures else [])]


def _pictures(runs: Sequence[Run], charts: Sequence[str]) -> tuple[Picture, ...]:
    return tuple(Picture(chart, members, _about(runs, task), slider=chart == "waterfall") for chart in charts for task, members in by_task(runs).items())


def _about(runs: Sequence[Run], task: str) -> str:
    return task if len(by_task(runs)) > 1 else ""


def _others() -> list[str]:
    """Charts that no chapter names, such as those added from outside."""
    named = {chart for _, _, _, charts in CHAPTERS for chart in charts} | ELSEWHERE
    return [name for name in CHARTS if name not in named]

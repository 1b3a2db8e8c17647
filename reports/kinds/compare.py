"""Any runs side by side, task by task: a picture that has nothing to show keeps its place and says what to record."""

from collections.abc import Sequence
from dataclasses import replace

from gradviz.charts import CHARTS
from gradviz.frames import Run
from gradviz.reports.kinds._base import GATES, REACH, READS, WEIGHTS, Kind, Picture, Section, by_task, readers

LOSS = ("Loss and clipping", "Clipping shortens a gradient that is longer than the threshold; the loss tells whether that helped.")
CHAPTERS = (
    ("reach", REACH, ("film", "decay", "horizon")),
    ("clipping", LOSS, ("loss", "clip_ledger")),
    ("gates", GATES, ("gate_heatmap", "saturation")),
    ("parameters", WEIGHTS, ("parameters",)),
)
OF_ENCODERS = {"waterfall", "film", "horizon", "gate_heatmap", "saturation"}  # shown of an encoder, too; many are too short for a decay
ELSEWHERE = {"waterfall", "status"}  # the summary and the findings show these
TEXTS = ("text_unit", "text_probability", "connectivity", "sentence", "units")


class Compare(Kind):
    label = "comparison"
    purpose = "any runs side by side, grouped by task"

    def key(self, runs: Sequence[Run]) -> Picture:
        task, members = next(iter(by_task(runs).items()))
        return Picture("waterfall", members, _about(runs, task), slider=True)

    def sections(self, runs: Sequence[Run]) -> list[Section]:
        first, *later = [Section(anchor, *words, _pictures(runs, charts)) for anchor, words, charts in CHAPTERS]
        other_tasks = _pictures(runs, ("waterfall",))[1:]  # the first is the key picture
        rest = _pictures(runs, _others())
        more = [Section("more", "More pictures", "Every other chart there is.", rest)] if rest else []
        return [replace(first, pictures=other_tasks + first.pictures), *later, *_texts(runs), *more]


def _pictures(runs: Sequence[Run], charts: Sequence[str]) -> tuple[Picture, ...]:
    groups = by_task(runs)
    return tuple(
        Picture(chart, groups[task], ", ".join(filter(None, (_about(runs, task), part))), slider=chart == "waterfall", layer=layer)
        for chart in charts
        for task in groups
        for part, layer in _layers(chart, groups[task])
    )


def _texts(runs: Sequence[Run]) -> list[Section]:
    """Tasks whose runs read a text."""
    found = [(task, some) for task, members in by_task(runs).items() if (some := readers(members))]
    pictures = tuple(Picture(chart, some, _about(runs, task)) for chart in TEXTS for task, some in found)
    return [Section("text", *READS, pictures)] if found else []


def _layers(chart: str, runs: Sequence[Run]) -> list[tuple[str, int]]:
    """The layers that a chart shows, with the part of the network they belong to: the last one, and the last that encodes."""
    encoder = min(run.encoder for run in runs)
    return [("decoder", -1), ("encoder", encoder - 1)] if encoder and chart in OF_ENCODERS else [("", -1)]


def _about(runs: Sequence[Run], task: str) -> str:
    return task if len(by_task(runs)) > 1 else ""


def _others() -> list[str]:
    """Charts that no chapter names, such as those added from outside."""
    named = {chart for _, _, charts in CHAPTERS for chart in charts} | ELSEWHERE | set(TEXTS)
    return [name for name in CHARTS if name not in named]

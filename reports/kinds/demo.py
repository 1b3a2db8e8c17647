"""The demo: six networks on text, three on a task whose answer lies far back."""

from collections.abc import Sequence

from gradviz.frames import Run, label_runs
from gradviz.reports.kinds._base import Kind, Picture, Section, gated, readers
from gradviz.reports.kinds._chapters import CLIPPING, GATES, REACH, READS, WEIGHTS, Chapter

LAG = Chapter(
    "lag",
    "The long-lag task",
    "Two marked numbers far back in a noisy sequence must be added at its end: only a gradient that gets there can teach that.",
    (),
)


class Demo(Kind):
    """Runs whose task states a lag belong to the long-lag section, all others to the sections before it."""

    label = "demo report"
    purpose = "the story of the demo runs: exploding, clipped, vanishing and remembering networks"

    def key(self, runs: Sequence[Run]) -> Picture:
        near, _ = _split(runs)
        return Picture("waterfall", near, choose="step")

    def sections(self, runs: Sequence[Run]) -> list[Section]:
        near, far = _split(runs)
        reads = tuple(Picture(chart, readers(near)) for chart in ("text_unit", "text_probability"))
        feels = (Picture("connectivity", readers(near), choose="token"),)
        return [
            _section(REACH, Picture("film", near, choose="step"), Picture("decay", near)),
            _section(CLIPPING, Picture("clip_ledger", near), Picture("loss", near)),
            _section(GATES, Picture("gate_heatmap", gated(near)), Picture("saturation", near)),
            *([_section(READS, *reads, *feels)] if readers(near) else []),
            *([_section(LAG, *_of_lag(far))] if far else []),
            _section(WEIGHTS, Picture("parameters", near)),
        ]


def _of_lag(far: Sequence[Run]) -> tuple[Picture, ...]:
    runs = tuple(far)
    moving = (Picture("waterfall", runs, choose="step"), Picture("film", runs, choose="step"))
    return (*moving, Picture("horizon", runs), Picture("loss", runs), Picture("gate_heatmap", gated(runs)))


def _section(chapter: Chapter, *pictures: Picture) -> Section:
    return Section(chapter.anchor, chapter.title, chapter.intro, pictures)


def _split(runs: Sequence[Run]) -> tuple[tuple[Run, ...], tuple[Run, ...]]:
    """Runs whose task states no lag, and those whose task does; never an empty first part."""
    near = label_runs([run for run in runs if run.meta.get("lag") is None])
    far = label_runs([run for run in runs if run.meta.get("lag") is not None])
    return tuple(near or far), tuple(far)

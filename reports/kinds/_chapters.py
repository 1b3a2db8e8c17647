"""Kinds of report that are a list of chapters: every chart of a chapter is shown task by task, with the controls that suit it."""

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from gradviz.charts import CHARTS
from gradviz.frames import Run
from gradviz.reports.kinds._base import Choice, Kind, Picture, Section, by_task, has_gates, readers

CHOICES: dict[str, Choice] = {"waterfall": "step", "film": "step", "gradient_matrix": "token", "connectivity": "token"}
ONE_BY_ONE: dict[str, Choice] = {**CHOICES, "gate_heatmap": "run"}  # large, and mostly read by itself
OF_ENCODERS = {"waterfall", "film", "horizon", "gate_heatmap", "saturation"}  # shown of an encoder, too; many are too short for a decay
OF_GATES = {"gate_heatmap"}  # opened with a run that has gates, if one has: of others it shows the state
OF_TEXTS = {"text_unit"}  # asked of texts alone, though it needs no network for that
LISTED = {"status"}  # charts that every report shows among its findings


@dataclass(frozen=True)
class Chapter:
    """anchor: its id in the page; intro: one sentence; charts: in order; texts: left out unless a run reads a text."""

    anchor: str
    title: str
    intro: str
    charts: tuple[str, ...]
    texts: bool = False

    def only(self, *charts: str) -> "Chapter":
        """The same chapter with other charts."""
        return replace(self, charts=charts)


REACH = Chapter(
    "reach",
    "How far back the gradient reaches",
    "A network can only learn that an early step matters if the loss at the end still moves the state back then.",
    ("waterfall", "film", "decay", "horizon"),
)
CLIPPING = Chapter(
    "clipping",
    "What clipping changes",
    "Clipping shortens a gradient that is longer than the threshold and keeps its direction; it should be the exception.",
    ("clip_ledger", "loss"),
)
GATES = Chapter(
    "gates",
    "What the gates do",
    "One gate of a gated cell says how much of the old state survives a step: the LSTM's forget gate, the GRU's share kept.",
    ("gate_heatmap", "saturation"),
)
WEIGHTS = Chapter(
    "parameters",
    "What reaches the weights",
    "The optimizer turns gradients into updates; an update should be a small share of the weights it changes.",
    ("parameters",),
)
READS = Chapter(
    "text",
    "What it reads and writes",
    "A text in the colours of one unit, of the probability of each token, and of what moves one prediction; one run of each kind of cell.",
    ("text_unit", "text_probability", "connectivity", "sentence", "units"),
    texts=True,
)
EXACT = Chapter(
    "exact",
    "Why: the dynamics, measured exactly",
    "Every step multiplies the gradient by its Jacobian; these pictures take the trained network up again and look at those products.",
    ("gradient_matrix", "jacobian_fan", "eigenvalues", "lyapunov", "highway", "phase"),
)


class Chapters(Kind):
    """A kind made of chapters, whose key picture is the chart `opening`. choices: what can be chosen in which chart."""

    opening: ClassVar[str] = "waterfall"
    choices: ClassVar[Mapping[str, Choice]] = CHOICES

    @abstractmethod
    def chapters(self) -> tuple[Chapter, ...]:
        """What follows the summary, in order."""

    def key(self, runs: Sequence[Run]) -> Picture:
        return next(self._pictures(self.opening, runs))

    def sections(self, runs: Sequence[Run]) -> list[Section]:
        first = self.key(runs)
        made = [self._section(chapter, runs, first) for chapter in self.chapters() if not chapter.texts or readers(runs)]
        return [section for section in made if section.pictures]

    def _section(self, chapter: Chapter, runs: Sequence[Run], first: Picture) -> Section:
        """A chapter's pictures but the one that opened the page."""
        pictures = [picture for chart in chapter.charts for picture in self._pictures(chart, runs) if not _same(picture, first)]
        return Section(chapter.anchor, chapter.title, chapter.intro, tuple(pictures))

    def _pictures(self, chart: str, runs: Sequence[Run]) -> Iterator[Picture]:
        """A chart of the runs of each task, and of each part of a network that has two. Of a text it is asked of one run a cell; where no
        run reads one, of all of them, so that the chart can say what is missing."""
        if not CHARTS[chart].about_runs:
            yield Picture(chart, tuple(runs))
            return
        groups = by_task(runs)
        if CHARTS[chart].network or chart in OF_TEXTS:
            groups = {task: some for task, members in groups.items() if (some := readers(members))} or groups
        for task, members in groups.items():
            for part, options in _parts(chart, members):
                about = ", ".join(filter(None, (task if len(by_task(runs)) > 1 else "", part)))
                opens = next((run.label for run in members if has_gates(run)), "") if chart in OF_GATES else ""
                yield Picture(chart, members, about, self.choices.get(chart, ""), options, opens)


def _same(picture: Picture, other: Picture) -> bool:
    return (picture.chart, picture.about) == (other.chart, other.about)


def _parts(chart: str, runs: Sequence[Run]) -> list[tuple[str, dict[str, Any]]]:
    """The layers that a chart shows, with the part of the network they belong to: the last one, and the last that encodes."""
    encoder = min(run.encoder for run in runs)
    return [("decoder", {}), ("encoder", {"layer": encoder - 1})] if encoder and chart in OF_ENCODERS else [("", {})]


def unnamed(chapters: Sequence[Chapter]) -> tuple[str, ...]:
    """Charts that none of these chapters names, such as those added from outside."""
    named = {chart for chapter in chapters for chart in chapter.charts} | LISTED
    return tuple(name for name in CHARTS if name not in named)

"""What a kind of report is: a key picture for the summary and sections of pictures after it."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from gradviz.frames import Run, label_runs


@dataclass(frozen=True)
class Picture:
    """A chart of some runs. about: which runs, written beside the figure's number; slider: a slider over the recorded
    training steps, for charts with an option `step`; layer: for charts with an option `layer`, unless it is the last."""

    chart: str
    runs: tuple[Run, ...]
    about: str = ""
    slider: bool = False
    layer: int = -1


@dataclass(frozen=True)
class Section:
    """anchor: its id in the page; intro: one sentence before the pictures."""

    anchor: str
    title: str
    intro: str
    pictures: tuple[Picture, ...]


class Kind(ABC):
    """Base of all kinds of report. label: what the page calls itself; purpose: one line for menus and help."""

    label: ClassVar[str]
    purpose: ClassVar[str]

    @abstractmethod
    def key(self, runs: Sequence[Run]) -> Picture:
        """The one picture of the summary."""

    @abstractmethod
    def sections(self, runs: Sequence[Run]) -> list[Section]:
        """What follows the summary; findings and settings come after them in every report."""


REACH = (
    "How far back the gradient reaches",
    "A network can only learn that an early step matters if the loss at the end still moves the state back then.",
)
GATES = (
    "What the gates do",
    "One gate of a gated cell says how much of the old state survives a step: the LSTM's forget gate, the GRU's share kept.",
)
WEIGHTS = (
    "What reaches the weights",
    "The optimizer turns gradients into updates; an update should be a small share of the weights it changes.",
)
READS = (
    "What it reads and writes",
    "A text in the colours of one unit, of the probability of each token, and of what moves one prediction; one run of each kind of cell.",
)


def readers(runs: Sequence[Run]) -> tuple[Run, ...]:
    """One run a cell that predicts the next token of a text at every step; of several the last one, which is clipped if any is."""
    found = {run.family: run for run in sorted(runs, key=lambda run: run.clipped) if _reads(run)}
    return tuple(label_runs(list(found.values())))


def _reads(run: Run) -> bool:
    signature = run.meta.get("signature") or {}
    return bool(signature.get("tokens")) and signature.get("at") == "every" and signature.get("loss") == "softmax" and bool(run.words(0))


def by_task(runs: Sequence[Run]) -> dict[str, tuple[Run, ...]]:
    """Runs grouped by the name of their task, those without a stated lag first; labels are only as long as a group needs."""
    groups: dict[str, list[Run]] = {}
    for run in sorted(runs, key=lambda run: run.meta.get("lag") is not None):
        groups.setdefault(task_of(run), []).append(run)
    return {task: tuple(label_runs(members)) for task, members in groups.items()}


def task_of(run: Run) -> str:
    """The task's name, also for a task that is not loaded here."""
    return str(run.meta["experiment"]["task"]["name"])

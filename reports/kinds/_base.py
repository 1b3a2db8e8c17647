"""What a kind of report is: a key picture for the summary and sections of pictures after it."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from gradviz.frames import Run, label_runs

Choice = Literal["", "step", "token", "run"]


@dataclass(frozen=True)
class Picture:
    """A chart of some runs. about: which runs, written beside the figure's number; choose: what the reader may choose in the page, a
    recorded training "step", the "token" that is looked at, or one "run" of them; options: of the chart, where not its defaults; opens:
    the label of the run that is shown first where a run is chosen, else the first one."""

    chart: str
    runs: tuple[Run, ...]
    about: str = ""
    choose: Choice = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    opens: str = ""


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


def readers(runs: Sequence[Run]) -> tuple[Run, ...]:
    """One run a cell that predicts the next token of a text at every step; of several the last one, which is clipped if any is."""
    found = {run.family: run for run in sorted(runs, key=lambda run: run.clipped) if _reads(run)}
    return tuple(label_runs(list(found.values())))


def gated(runs: Sequence[Run]) -> tuple[Run, ...]:
    """One run a gated cell, the clipped one: clipping hardly acts on them. Without gated cells all runs, whose states are shown."""
    found = {run.family: run for run in sorted(runs, key=lambda run: run.clipped) if run.family != "rnn"}
    return tuple(label_runs(list(found.values()))) or tuple(runs)


def has_gates(run: Run) -> bool:
    """Whether a gate of it was recorded."""
    return any(".gate." in str(name) for name, *_ in run.meta.get("points", []))


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
    if run.watched:
        return "a watched model"
    return str(run.meta["experiment"]["task"]["name"])

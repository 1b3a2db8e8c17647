"""What a finding is: a rule that a person could check, and what it says of one run."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import ClassVar, Literal

import pandas as pd

from gradviz.frames import Run

Severity = Literal["critical", "warning", "good", "note", "none"]


@dataclass(frozen=True)
class Verdict:
    """What a rule says of a run.

    severity: "none" means not applicable or not enough data, and `summary` says why; word: one or two words for a chip;
    summary: one sentence with numbers; numbers: the evidence by name; rows: the frame rows they come from;
    chart: the entry of `gradviz.charts` that shows it.
    """

    code: str
    title: str
    severity: Severity
    word: str
    summary: str
    numbers: dict[str, float] = field(default_factory=dict)
    rows: pd.DataFrame = field(default_factory=pd.DataFrame)
    meaning: str = ""
    remedy: str = ""
    source: str = ""
    chart: str = ""


class Finding(ABC):
    """Base of all findings. title, meaning, remedy, source and chart belong to the rule; `check` looks at one run."""

    title: ClassVar[str]
    meaning: ClassVar[str]
    remedy: ClassVar[str]
    source: ClassVar[str]
    chart: ClassVar[str]
    rule: ClassVar[str]  # the stated rule, with its thresholds
    rank: ClassVar[int] = 100  # among verdicts of equal severity the lower one is said first: a cause before its effects

    @abstractmethod
    def check(self, run: Run) -> Verdict:
        """The verdict for this run; never an exception because of what the run lacks."""

    def verdict(
        self, severity: Severity, word: str, summary: str, numbers: dict[str, float] | None = None, rows: pd.DataFrame | None = None
    ) -> Verdict:
        """A verdict with the rule's own texts filled in; the code is the module's name."""
        code = type(self).__module__.rsplit(".", 1)[-1].removeprefix("gradviz_extension_")
        return Verdict(
            code,
            self.title,
            severity,
            word,
            summary,
            numbers or {},
            pd.DataFrame() if rows is None else rows,
            self.meaning,
            self.remedy,
            self.source,
            self.chart,
        )

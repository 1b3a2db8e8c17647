"""Every rule once, with what it says of each run."""

from collections.abc import Sequence
from dataclasses import dataclass

from gradviz.findings import FINDINGS, ORDER, Finding, Verdict
from gradviz.frames import Run
from gradviz.reports._tables import number


@dataclass(frozen=True)
class Said:
    """What a rule says of a run; numbers: (name, value) pairs of its evidence."""

    run: Run
    verdict: Verdict

    @property
    def numbers(self) -> list[tuple[str, str]]:
        return [(name.replace("_", " "), number(float(value))) for name, value in self.verdict.numbers.items()]


@dataclass(frozen=True)
class Ruling:
    """A rule and its verdicts, the most severe first; those it does not apply to come apart, with the reason."""

    code: str
    rule: type[Finding]
    said: tuple[Said, ...]
    silent: tuple[Said, ...]


def rulings(runs: Sequence[Run]) -> list[Ruling]:
    """The rules that found most come first."""
    found = [_ruling(code, runs) for code in FINDINGS]
    return sorted(found, key=lambda ruling: min((ORDER.index(one.verdict.severity) for one in ruling.said), default=len(ORDER)))


def _ruling(code: str, runs: Sequence[Run]) -> Ruling:
    rule = FINDINGS[code]
    every = sorted((Said(run, rule().check(run)) for run in runs), key=lambda one: ORDER.index(one.verdict.severity))
    silent = tuple(one for one in every if one.verdict.severity == "none")
    return Ruling(code, rule, tuple(one for one in every if one.verdict.severity != "none"), silent)

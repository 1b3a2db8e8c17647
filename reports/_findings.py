"""Every rule once, with what it says of each run."""

from collections.abc import Sequence
from dataclasses import dataclass

from gradviz.findings import FINDINGS, ORDER, Finding, Verdict, verdicts
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
    """A rule and its verdicts: found (the most severe first), fine, and silent, where the rule does not apply, with the reason."""

    code: str
    rule: type[Finding]
    found: tuple[Said, ...]
    fine: tuple[Said, ...]
    silent: tuple[Said, ...]


def rulings(runs: Sequence[Run]) -> list[Ruling]:
    """The rules with the most severe findings come first."""
    said = [(run, {verdict.code: verdict for verdict in verdicts(run)}) for run in runs]
    every = [_ruling(code, [Said(run, found[code]) for run, found in said]) for code in FINDINGS]
    return sorted(every, key=lambda ruling: min((_rank(one) for one in ruling.found), default=len(ORDER)))


def _ruling(code: str, said: Sequence[Said]) -> Ruling:
    every = sorted(said, key=_rank)
    apart = {severity: tuple(one for one in every if one.verdict.severity == severity) for severity in ("good", "none")}
    return Ruling(code, FINDINGS[code], tuple(one for one in every if one.verdict.severity not in apart), apart["good"], apart["none"])


def _rank(one: Said) -> int:
    return ORDER.index(one.verdict.severity)

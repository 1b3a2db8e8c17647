"""Findings, one verdict a file."""

from dataclasses import replace

from gradviz.findings._base import Finding, Severity, Verdict
from gradviz.findings._memory import remembered
from gradviz.frames import Run
from gradviz.registry import Registry

FINDINGS: Registry[Finding] = Registry(__name__, Finding, "finding")  # type: ignore[type-abstract]

ORDER = ("critical", "warning", "note", "good", "none")


def verdicts(run: Run) -> list[Verdict]:
    """What every finding says of this run, the most severe first; of equally severe ones causes before effects."""
    return [replace(verdict, numbers=dict(verdict.numbers), rows=verdict.rows.copy(deep=False)) for verdict in _verdicts(run)]


def _rules() -> tuple[type[Finding], ...]:
    return tuple(FINDINGS[name] for name in FINDINGS)


@remembered(_rules)
def _verdicts(run: Run) -> list[Verdict]:
    rules = sorted((rule() for rule in _rules()), key=lambda rule: rule.rank)
    return sorted((rule.check(run) for rule in rules), key=lambda verdict: ORDER.index(verdict.severity))


__all__ = ["FINDINGS", "Finding", "Severity", "Verdict", "verdicts"]

"""Findings, one verdict a file."""

from gradviz.findings._base import Finding, Severity, Verdict
from gradviz.frames import Run
from gradviz.registry import Registry

FINDINGS: Registry[Finding] = Registry(__name__, Finding, "finding")  # type: ignore[type-abstract]

ORDER = ("critical", "warning", "note", "good", "none")


def verdicts(run: Run) -> list[Verdict]:
    """What every finding says of this run, the most severe first; of equally severe ones causes before effects."""
    rules = sorted((FINDINGS[name]() for name in FINDINGS), key=lambda rule: rule.rank)
    return sorted((rule.check(run) for rule in rules), key=lambda verdict: ORDER.index(verdict.severity))


__all__ = ["FINDINGS", "Finding", "Severity", "Verdict", "verdicts"]

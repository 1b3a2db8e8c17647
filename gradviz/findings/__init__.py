"""Findings, one verdict a file."""

from gradviz.findings._base import Finding, Severity, Verdict
from gradviz.frames import Run
from gradviz.registry import Registry

FINDINGS: Registry[Finding] = Registry(__name__, Finding, "finding")  # type: ignore[type-abstract]

ORDER = ("critical", "warning", "note", "good", "none")


def verdicts(run: Run) -> list[Verdict]:
    """What every finding says of this run, the most severe first."""
    said = [FINDINGS[name]().check(run) for name in FINDINGS]
    return sorted(said, key=lambda verdict: ORDER.index(verdict.severity))


__all__ = ["FINDINGS", "Finding", "Severity", "Verdict", "verdicts"]

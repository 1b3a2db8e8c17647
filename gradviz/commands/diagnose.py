"""gradviz diagnose: what is wrong with recorded runs, by rules that can be checked."""

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gradviz.commands._base import Command
from gradviz.commands._console import printable, say
from gradviz.commands._runs import OUT, readable

if TYPE_CHECKING:
    from gradviz.findings import Verdict
    from gradviz.frames import Run

SEVERE = "critical"
NOT_APPLICABLE = "Not applicable"  # so begin the verdicts of rules that have nothing to look at
EXPLAINED = (SEVERE, "warning")


class Diagnose(Command):
    summary = "say what is wrong with recorded runs, with numbers, and what to try"
    details = """\
Say what is wrong with recorded runs, with numbers, and what to try.

  gradviz diagnose                                   everything in ./gradviz-runs
  gradviz diagnose gradviz-runs/text-rnn --json      for another program

Every verdict is that of a rule with stated thresholds; `gradviz report` shows the rules and the evidence.
Exit status: 0 nothing severe, 1 something severe was found."""

    def arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("runs", nargs="*", type=Path, metavar="RUN", help=f"run folders, or folders of runs (default ./{OUT})")
        parser.add_argument("--json", action="store_true", help="all verdicts with all their numbers, as JSON")

    def run(self, arguments: argparse.Namespace) -> int:
        from gradviz.findings import verdicts  # pandas and pyarrow: not needed for --help

        said = [(run, verdicts(run)) for run in readable(arguments.runs or [Path(OUT)])]
        if arguments.json:
            print(json.dumps([_plain(run, found) for run, found in said], ensure_ascii=False, indent=1))
        else:
            for run, found in said:
                _tell(run, found)
        return int(any(verdict.severity == SEVERE for _, found in said for verdict in found))


def _tell(run: "Run", found: "list[Verdict]") -> None:
    from gradviz.findings._summary import headline

    say(f"{printable(run.name)}: {headline(run).word}")
    idle = [verdict for verdict in found if verdict.severity == "none" and verdict.summary.startswith(NOT_APPLICABLE)]
    for verdict in (verdict for verdict in found if verdict not in idle):
        mark = {"none": "·", "good": "✓", "note": "i"}.get(verdict.severity, "!" if verdict.severity == "warning" else "✗")
        say(f"  {mark} {verdict.title}: {verdict.word}. {printable(verdict.summary)}")
        if verdict.severity in EXPLAINED:
            say(f"      {verdict.meaning}")
            say(f"      Try: {verdict.remedy}")
            say(f"      Source: {verdict.source}")
    if idle:
        named = [f"{verdict.code.replace('_', ' ')} ({verdict.word})" for verdict in idle]
        say(f"  · {NOT_APPLICABLE}: {'; '.join(named)}.")
    for note in run.notes:
        say(f"  Not all of it is there: {printable(note)}.")
    say("")


def _plain(run: "Run", found: "list[Verdict]") -> dict[str, Any]:
    """Plain values; what is no number is a word, since JSON has none for it."""
    keys = ("code", "severity", "word", "summary", "meaning", "remedy", "source")
    listed = [
        {
            **{key: getattr(verdict, key) for key in keys},
            "numbers": {name: value if abs(value) < float("inf") else str(value) for name, value in verdict.numbers.items()},
        }
        for verdict in found
    ]
    return {"run": run.name, "path": str(run.path), "status": run.status, "verdicts": listed}

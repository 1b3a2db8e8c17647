"""gradviz report: recorded runs as one HTML file."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from gradviz.commands._base import Command
from gradviz.commands._console import relative, say
from gradviz.commands._runs import OUT
from gradviz.errors import RunError

if TYPE_CHECKING:
    from gradviz.frames import Run


class Report(Command):
    summary = "write recorded runs as one HTML file that opens without a network"
    details = """\
Write recorded runs as one HTML file that opens without a network.

  gradviz report                                     everything in ./gradviz-runs
  gradviz report gradviz-runs/text-rnn gradviz-runs/text-lstm -o two.html"""

    def arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("runs", nargs="*", type=Path, metavar="RUN", help=f"run folders, or folders of runs (default ./{OUT})")
        parser.add_argument(
            "-o", "--out", type=Path, default=Path("gradviz-report.html"), metavar="FILE", help="default ./gradviz-report.html"
        )
        parser.add_argument("--force", action="store_true", help="replace the file if it exists")

    def run(self, arguments: argparse.Namespace) -> None:
        from gradviz.frames import label_runs  # pandas, Jinja, pyarrow: not needed for --help
        from gradviz.reports import report

        page = report(label_runs(_readable(arguments.runs or [Path(OUT)])), kind="compare").write(arguments.out, force=arguments.force)
        say(f"Written: {relative(page)}. Open it in a browser.")


def _readable(asked: Sequence[Path]) -> "list[Run]":
    """The runs asked for. One named by itself must be readable; of a folder of runs a damaged one is left out, and that is said."""
    from gradviz.frames import load
    from gradviz.recording.reading import find_runs

    runs = []
    for path in asked:
        for folder in (path.is_dir() and find_runs(path)) or [path]:
            try:
                runs.append(load(folder))
            except RunError as error:
                if folder == path:
                    raise
                print(f"gradviz: left out: {error}", file=sys.stderr)
    return runs

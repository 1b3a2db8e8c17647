"""gradviz report: recorded runs as one HTML file."""

import argparse
from pathlib import Path

from gradviz.commands._base import Command
from gradviz.commands._console import relative, say
from gradviz.commands._runs import OUT, readable


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

        page = report(label_runs(readable(arguments.runs or [Path(OUT)])), kind="compare").write(arguments.out, force=arguments.force)
        say(f"Written: {relative(page)}. Open it in a browser.")

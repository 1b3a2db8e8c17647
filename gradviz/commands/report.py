"""gradviz report: recorded runs as one HTML file."""

import argparse
from pathlib import Path

from gradviz.commands._base import Command
from gradviz.commands._console import relative, say
from gradviz.commands._runs import OUT, check_out, readable


class Report(Command):
    summary = "write recorded runs as one HTML file that opens without a network"
    details = """\
Write recorded runs as one HTML file that opens without a network.

  gradviz report                                     everything in ./gradviz-runs
  gradviz report gradviz-runs/text-rnn gradviz-runs/text-lstm -o two.html
  gradviz report --kind vanishing -o why.html        why gradients vanish or explode in them
  gradviz report --static -o plain.html              without scripts, for mail and for archives
  gradviz report --json                              the numbers behind every figure, as data

Kinds:
  compare      any runs side by side, grouped by task, from what was recorded (the default)
  full         every chart there is, also those computed anew from the weights; takes longest
  vanishing    how far back the gradient reaches, which step feels which, and what in the network decides it
  clipping     which steps were shortened, whether that was the exception, and what it did to reach, weights and loss
  gates        what each unit keeps over a sequence, how far open the gates stand, and what they alone carry back
  language     what a language model expects, token by token, what moves a prediction, and what its units know
  demo         the story of the demo runs: exploding, clipped, vanishing and remembering networks

SOURCE_DATE_EPOCH in the environment fixes the time that the page states; then the same runs give the same bytes."""

    def arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("runs", nargs="*", type=Path, metavar="RUN", help=f"run folders, or folders of runs (default ./{OUT})")
        parser.add_argument("--kind", default="compare", metavar="KIND", help="what it tells, see above (default compare)")
        parser.add_argument("--static", action="store_true", help="no scripts in the page: pictures drawn by matplotlib, nothing to choose")
        parser.add_argument("--json", action="store_true", help="write the data of all sections instead of the page")
        parser.add_argument(
            "-o", "--out", type=Path, default=None, metavar="FILE", help="default ./gradviz-report.html, or .json with --json"
        )
        parser.add_argument("--force", action="store_true", help="replace the file if it exists")

    def run(self, arguments: argparse.Namespace) -> None:
        from gradviz.frames import label_runs  # pandas, Jinja, pyarrow: not needed for --help
        from gradviz.reports import report

        out = arguments.out or Path("gradviz-report.json" if arguments.json else "gradviz-report.html")
        check_out(out, arguments.force)
        runs = label_runs(readable(arguments.runs or [Path(OUT)]))
        made = report(
            runs, kind=arguments.kind, static=arguments.static or arguments.json
        )  # data have nothing to choose, and are not drawn
        page = (made.write_json if arguments.json else made.write)(out, force=arguments.force)
        say(f"Written: {relative(page)}. {'One object, one entry a section.' if arguments.json else 'Open it in a browser.'}")

"""gradviz figure: one chart as a figure for a paper."""

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from gradviz.commands._base import Command
from gradviz.commands._console import printable, relative, say, show_table
from gradviz.commands._runs import OUT, check_out, readable
from gradviz.errors import GradvizError
from gradviz.flags import Flag, add_flags, all_flags, convert, given_in

WIDTHS = (1.5, 30.0)  # inches
DPI = (30, 2400)


class Figure(Command):
    summary = "write one chart as a figure for a paper: PDF, SVG or PNG"
    details = """\
Write one chart as a figure for a paper, with text that stays text in PDF and SVG. The figure has no title of its own:
what to write below it is printed, ready to be pasted.

  gradviz figure                                     what there is
  gradviz figure waterfall gradviz-runs/text-rnn gradviz-runs/text-lstm -o reach.pdf
  gradviz figure gate_heatmap gradviz-runs/text-lstm -o gates.png --width 3.3
  gradviz figure waterfall --help                    also the options of this chart"""

    def arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.usage = "gradviz figure [CHART] [RUN …] -o FILE [--FLAG VALUE …]"
        parser.add_argument("chart", nargs="?", default="", metavar="CHART", help="which; without one they are listed")
        parser.add_argument("runs", nargs="*", type=Path, metavar="RUN", help=f"run folders, or folders of runs (default ./{OUT})")
        parser.add_argument("-o", "--out", type=Path, default=None, metavar="FILE", help="a .pdf, .svg or .png (default ./CHART.pdf)")
        parser.add_argument(
            "--width", type=float, default=6.8, metavar="INCHES", help="6.8 is two columns of a paper, 3.3 one (default 6.8)"
        )
        parser.add_argument("--dpi", type=int, default=300, metavar="N", help="pixels per inch of a .png (default 300)")
        parser.add_argument("--title", action="store_true", help="with the finding above the figure")
        parser.add_argument("--force", action="store_true", help="replace the file if it exists")

    def late_arguments(self, parser: argparse.ArgumentParser, typed: Sequence[str]) -> None:
        if name := _chart_in(typed):
            add_flags(parser, _flags(name, parser))

    def run(self, arguments: argparse.Namespace) -> None:
        if not arguments.chart:
            _list()
            return

        from gradviz.backends.matplotlib import kind_of  # pandas, matplotlib, pyarrow: not needed for --help
        from gradviz.charts import CHARTS
        from gradviz.frames import label_runs
        from gradviz.picture import chart

        name = arguments.chart.replace("-", "_")
        CHARTS[name]  # an unknown one is an error that lists them
        options = _options(name, arguments)
        out = arguments.out or Path(f"{name}.pdf")
        kind_of(out)
        _check(arguments, out)
        asked = arguments.runs or ([Path(OUT)] if Path(OUT).is_dir() else [])
        picture = chart(name, label_runs(readable(asked)), **options)
        if picture.missing:
            where = "" if asked else f" No run was named, and there is no ./{OUT}."
            raise GradvizError(f"{name} has nothing to draw. {picture.missing}{where}")
        picture.save(out, arguments.width, dpi=arguments.dpi, title=arguments.title)
        say(printable(f"{picture.title}."))
        say(printable(picture.caption))
        say(f"\nWritten: {printable(relative(out))}")


def _chart_in(typed: Sequence[str]) -> str:
    """The first word typed that names a chart, also with hyphens."""
    from gradviz.charts import CHARTS

    return next((name for word in typed if (name := word.replace("-", "_")) in CHARTS.names()), "")


def _flags(name: str, parser: argparse.ArgumentParser) -> list[Flag]:
    """A flag for every option of the chart; --chart.width for one that the command has itself."""
    from gradviz.charts import CHARTS

    own = {action.dest for action in parser._actions} | {"command", "extend"}
    flags = all_flags(CHARTS[name], (f"options of {name}",))
    return [replace(flag, name=f"chart.{flag.name}") if flag.path[-1] in own else flag for flag in flags]


def _options(name: str, arguments: argparse.Namespace) -> dict[str, Any]:
    """What was typed for the chart, as its own types."""
    parser = argparse.ArgumentParser()
    Figure().arguments(parser)
    flags = _flags(name, parser)
    given = given_in(arguments, flags)
    return {flag.path[-1]: convert(flag, flag.field, given[flag.name][0]) for flag in flags if flag.name in given}


def _check(arguments: argparse.Namespace, out: Path) -> None:
    """Before any drawing: sizes that make sense, and a place for the file."""
    for name, (low, high) in (("width", WIDTHS), ("dpi", DPI)):
        if not low <= getattr(arguments, name) <= high:
            raise GradvizError(f"--{name} is {getattr(arguments, name):g}; it must be between {low:g} and {high:g}.")
    if not out.parent.is_dir():
        raise GradvizError(f"cannot write {out}: there is no folder {out.parent}. Make it first, or give another name.")
    check_out(out, arguments.force)


def _list() -> None:
    from gradviz.charts import CHARTS

    show_table([("chart", "left"), ("what it shows", "left")], [(name, CHARTS[name].purpose) for name in CHARTS])

"""gradviz runs: what is recorded, and getting it out."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gradviz.commands._base import Command
from gradviz.commands._console import printable, relative, say, show_table
from gradviz.commands._runs import OUT
from gradviz.errors import GradvizError

if TYPE_CHECKING:
    from gradviz.frames import Run


class Runs(Command):
    summary = "list recorded runs, show one, export its tables"
    details = """\
  gradviz runs list                                  every run in ./gradviz-runs
  gradviz runs show gradviz-runs/text-lstm           its settings, tables and findings
  gradviz runs export gradviz-runs/text-lstm --to tables --format csv
  gradviz runs export gradviz-runs/text-lstm --to logs/text-lstm --format tensorboard"""

    def arguments(self, parser: argparse.ArgumentParser) -> None:
        actions = parser.add_subparsers(title="actions", dest="action", metavar="list | show | export", required=True)
        listing = actions.add_parser("list", help="one line a run", allow_abbrev=False)
        listing.add_argument("folder", nargs="?", type=Path, default=Path(OUT), metavar="FOLDER", help=f"default ./{OUT}")
        showing = actions.add_parser("show", help="settings, tables and findings of one run", allow_abbrev=False)
        showing.add_argument("run", type=Path, metavar="RUN", help="folder of the run")
        exporting = actions.add_parser("export", help="write the tables of one run as Parquet, CSV or for TensorBoard", allow_abbrev=False)
        exporting.add_argument("run", type=Path, metavar="RUN", help="folder of the run")
        exporting.add_argument("--to", type=Path, required=True, metavar="FOLDER", help="where the files go")
        exporting.add_argument("--format", default="parquet", metavar="NAME", help="parquet, csv or tensorboard (default parquet)")
        exporting.add_argument("--table", action="append", metavar="NAME", help="only this table (may be given several times)")
        exporting.add_argument("--force", action="store_true", help="replace files that exist")

    def run(self, arguments: argparse.Namespace) -> None:
        {"list": _list, "show": _show, "export": _export}[arguments.action](arguments)


def _list(arguments: argparse.Namespace) -> None:
    from gradviz.commands._table import show_runs  # pandas and pyarrow: not needed for --help
    from gradviz.findings._summary import row
    from gradviz.frames import load, load_runs
    from gradviz.recording.reading import find_runs

    if not arguments.folder.is_dir():
        raise GradvizError(f"no folder at {arguments.folder}. Record something first, with `gradviz demo` or `gradviz train`.")
    whole, broken = [], []
    for folder in find_runs(arguments.folder):
        try:
            row(load(folder))  # reads the tables: damage shows when they are read
            whole.append(folder)
        except GradvizError as error:
            broken.append(str(error))
    if whole:
        show_runs(load_runs(whole), arguments.folder)
    for message in broken:
        say(f"cannot be read: {printable(message)}")
    if not whole and not broken:
        say(f"There is no run in {relative(arguments.folder)}. Record one with `gradviz demo` or `gradviz train`.")


def _show(arguments: argparse.Namespace) -> None:
    from gradviz.commands._scores import scores
    from gradviz.commands._table import show_runs  # pandas and pyarrow: not needed for --help
    from gradviz.findings import verdicts
    from gradviz.frames import load
    from gradviz.recording.schema import TABLES

    run = load(arguments.run)
    show_runs([run])
    show_table((("setting", "left"), ("value", "left")), _settings(run))
    show_table((("table", "left"), ("rows", "right")), [(name, str(len(run.table(name)))) for name in TABLES])
    for line in scores(run):
        say(line[:1].upper() + line[1:] + ".")
    for note in run.notes:
        say(f"Not all of it is there: {printable(note)}.")
    for verdict in verdicts(run):
        say(f"{verdict.title}: {verdict.word}. {printable(verdict.summary)}")


def _settings(run: "Run") -> list[tuple[str, str]]:
    """Every option of the experiment under the name of its flag."""
    return _flat(run.meta.get("experiment", {}), "")


def _flat(values: dict[str, Any], chooser: str) -> list[tuple[str, str]]:
    lines: list[tuple[str, str]] = []
    for name, value in values.items():
        flag = name.replace("_", "-")
        if isinstance(value, dict) and "name" in value:
            lines += [(flag, str(value["name"])), *_flat({key: item for key, item in value.items() if key != "name"}, flag)]
        elif isinstance(value, dict):
            lines += _flat(value, "")
        else:
            shown = {True: "on", False: "off"}[value] if isinstance(value, bool) else str(value)
            lines.append((f"{chooser}.{flag}" if chooser else flag, shown or "–"))
    return lines


def _export(arguments: argparse.Namespace) -> None:
    from gradviz.export import export_run  # pandas and pyarrow: not needed for --help
    from gradviz.frames import load

    for path in export_run(load(arguments.run), arguments.to, arguments.format, arguments.table, force=arguments.force):
        say(f"written: {relative(path)}")

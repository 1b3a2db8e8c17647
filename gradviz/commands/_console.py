"""What the commands print: tables and progress bars that are right on a terminal and in a pipe."""

import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING
from unicodedata import category

from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn
from rich.table import Table
from rich.text import Text

from gradviz.bits import WORD, bits

if TYPE_CHECKING:
    from gradviz.training import Progress as Report

STEERING = ("Cc", "Cf", "Cs", "Zl", "Zp")  # control and format characters, lone surrogates, line separators
PIPED_WIDTH = 400  # nobody's terminal: a table in a pipe is as wide as it wants to be


def console(*, stderr: bool = False) -> Console:
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else PIPED_WIDTH
    return Console(file=stream, width=width, markup=False, highlight=False, emoji=False)


def printable(value: object) -> str:
    """Text that cannot steer a terminal: names of runs and words of texts come from anywhere."""
    return "".join("�" if category(letter) in STEERING else letter for letter in str(value))


def say(text: str) -> None:
    console().print(Text(text), soft_wrap=True)


def show_table(columns: Sequence[tuple[str, str]], rows: Sequence[Sequence[str | Text]], dispensable: Sequence[str] = ()) -> None:
    """columns: (heading, "left" or "right"). On a narrow terminal the dispensable columns are left out, the first of them first."""
    out, kept = console(), list(range(len(columns)))
    unbounded = out.options.update_width(PIPED_WIDTH)
    table = _table(columns, rows, kept)
    for heading in dispensable:
        if out.measure(table, options=unbounded).maximum <= out.width:
            break
        kept = [index for index in kept if columns[index][0] != heading]
        table = _table(columns, rows, kept)
    out.print(table)
    out.print()


def _table(columns: Sequence[tuple[str, str]], rows: Sequence[Sequence[str | Text]], kept: Sequence[int]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for heading, side in (columns[index] for index in kept):
        table.add_column(heading, justify="right" if side == "right" else "left", overflow="fold")
    for row in rows:
        cells = [row[index] for index in kept]
        table.add_row(*(cell if isinstance(cell, Text) else Text(printable(cell)) for cell in cells))
    return table


class Bars:
    """A progress bar for each run. Give an instance to training as `watch`. Draws on stderr: stdout is for results."""

    def __init__(self) -> None:
        name, state = (TextColumn(text, markup=False) for text in ("{task.description}", "{task.fields[state]}"))
        self._bars = Progress(name, BarColumn(24), MofNCompleteColumn(), state, console=console(stderr=True))
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> "Bars":
        self._bars.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._bars.stop()

    def __call__(self, report: "Report") -> None:
        name = printable(report.run)
        if name not in self._tasks:
            self._tasks[name] = self._bars.add_task(name, total=report.steps, state="")
        said = f"  {bits(report.loss):.3g} {WORD.get(report.token, 'bits')}" if report.token else ""
        state = f"loss {report.loss:.3g}{said}  gradient norm {report.norm:.2g}"
        self._bars.update(self._tasks[name], completed=report.step, total=report.steps, state=state)


def relative(path: Path) -> str:
    """A path as one would type it here."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_absolute() and path.is_relative_to(here) else str(path)

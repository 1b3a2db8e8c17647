"""Rows of numbers out of text files of unknown habits, one at a time, each with its line: what cannot be read is named with it."""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, final

import numpy as np
import pandas as pd

from gradviz.errors import GradvizError

SEPARATORS = (",", ";", "\t", "|")
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
WORDS = {"nan": np.nan, "inf": np.inf, "infinity": np.inf}
SHOWN = 12  # columns that a message names
LONG = 40  # characters of a cell that a message shows
LINE = 4_000_000  # characters: a file without ends of lines must not fill the memory
Cell = Any  # text; out of a frame any value


@final
@dataclass
class Table:
    """name: as messages call it; header: its columns; number, then cells of each row."""

    name: str
    header: list[str]
    rows: Iterator[tuple[int, list[Cell]]]
    word: str = "line"
    habits: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        if twice := sorted({name for name in self.header if self.header.count(name) > 1 and name}):
            raise GradvizError(f"{self.name} has more than one column called {shown(twice)}. Rename them, so that each can be told.")

    def number(self, cell: Cell, line: int, column: str) -> float | None:
        """None where nothing was measured: an empty cell, None or pd.NA. NaN and infinity are numbers, whatever their spelling."""
        if not isinstance(cell, str):
            return self._of_frame(cell, line, column)
        text = cell.strip()
        if not text:
            return None
        if text.lstrip("+-").lower() in WORDS:
            return -np.inf if text.startswith("-") and "nan" not in text.lower() else WORDS[text.lstrip("+-").lower()]
        plain = text.replace(",", ".") if text.count(",") == 1 and "." not in text else text
        if not NUMBER.fullmatch(plain):
            raise self.wrong(line, column, text, "is not a number")
        self.habits |= {mark for mark in ",." if mark in text}
        if {",", "."} <= self.habits:
            raise self.wrong(line, column, text, "has another decimal mark than numbers before it. Use one of , and . throughout")
        return self._finite(float(plain), line, column, text)

    def _of_frame(self, cell: Cell, line: int, column: str) -> float | None:
        if cell is None or cell is pd.NA or cell is pd.NaT:
            return None
        try:
            return float(cell)
        except (TypeError, ValueError, OverflowError):
            raise self.wrong(line, column, str(cell), "is not a number") from None

    def _finite(self, value: float, line: int, column: str, text: str) -> float:
        if np.isinf(value):
            raise self.wrong(line, column, text, "is too large for a double (1.8e308). Write inf if it overflowed")
        return value

    def wrong(self, line: int, column: str, text: str, why: str) -> GradvizError:
        cell = text if len(text) <= LONG else f"{text[:LONG]}…"
        return GradvizError(f"{self.name}, {self.word} {line}, column {column!r}: {cell!r} {why}.")


def open_table(source: Path | str | pd.DataFrame) -> Table:
    """A CSV file, whose separator is read off its first line, or a frame."""
    if isinstance(source, pd.DataFrame):
        rows = ((number, list(row)) for number, row in enumerate(source.itertuples(index=False, name=None)))
        return Table("the frame", [spelled(str(name)) for name in source.columns], rows, "row")
    path = Path(source)
    lines = _lines(path)
    header = next(lines, None)
    if header is None:
        raise GradvizError(f"{path} is empty: its first line must name the columns, such as step,loss,grad_norm.")
    separator = max(SEPARATORS, key=header.count) if any(mark in header for mark in SEPARATORS) else ","
    names = [name.strip() for name in next(csv.reader([header], delimiter=separator))]
    return Table(spelled(path.name), names, _cells(path, lines, separator, len(names)))


def _lines(path: Path) -> Iterator[str]:
    """The lines of a file with its marks of the end of a line; a byte order mark is no part of them."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            while line := file.readline(LINE):
                if len(line) == LINE:
                    raise GradvizError(f"{path} has a line of more than {LINE} characters: it is not a table of numbers.")
                yield line
    except FileNotFoundError:
        raise GradvizError(f"there is no file {path}.") from None
    except OSError as error:
        raise GradvizError(f"{path} cannot be read: {error.strerror or error}.") from error
    except UnicodeDecodeError as error:
        raise GradvizError(f"{path} is not UTF-8 text (byte {error.start}: {error.reason}). Save it as CSV in UTF-8.") from error


def _cells(path: Path, lines: Iterator[str], separator: str, width: int) -> Iterator[tuple[int, list[Cell]]]:
    reader = csv.reader(lines, delimiter=separator)
    try:
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) != width:
                hint = " If commas stand in its numbers, separate the columns with semicolons." if separator == "," else ""
                raise GradvizError(f"{path.name}, line {reader.line_num + 1}: {len(cells)} fields, where the header has {width}.{hint}")
            yield reader.line_num + 1, cells
    except csv.Error as error:
        raise GradvizError(f"{path.name}, line {reader.line_num + 1} is not CSV: {error}.") from error


def spelled(name: str) -> str:
    """A name that UTF-8 can write: file systems and frames hold others, too."""
    return name.encode("utf-8", "replace").decode()


def shown(names: list[str]) -> str:
    """Some names, quoted."""
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(repr(name) for name in names[:SHOWN]) + more

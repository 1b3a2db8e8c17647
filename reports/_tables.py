"""The numbers behind a figure: a table to read in the page, and its rows, packed, for copying and for CSV."""

import base64
import csv
import io
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from gradviz.reports._packing import DIGITS, FEW_DIGITS, MANY, all_rounded

SHOWN = 16  # rows in the page
HELD = 30_000  # rows that the page carries; of more, as many spread evenly
HELD_PLAIN = 3_000  # of them in a page without scripts, where they cannot be packed


@dataclass(frozen=True)
class Table:
    """shown: rows of texts, spread evenly over all `rows` of the frame; held: how many rows the file carries; texts: which columns are
    words."""

    columns: tuple[str, ...]
    texts: tuple[bool, ...]
    rows: int
    held: int
    shown: tuple[tuple[str, ...], ...]


def table(frame: pd.DataFrame, held: int = HELD) -> Table:
    few = spread(frame, SHOWN)
    columns = [[said(value) for value in few[name]] for name in few]
    texts = tuple(not pd.api.types.is_numeric_dtype(frame[name]) for name in frame)
    names = tuple(str(name).replace("_", " ") for name in frame)
    return Table(names, texts, len(frame), min(held, len(frame)), tuple(zip(*columns, strict=True)))


def spread(frame: pd.DataFrame, most: int) -> pd.DataFrame:
    """At most so many rows, spread evenly, the first and the last among them."""
    if len(frame) <= most:
        return frame
    return frame.iloc[np.linspace(0, len(frame) - 1, most).round().astype(np.intp)]


def said(value: Any) -> str:
    """A value as a reader wants it: four digits, ∞ and NaN in words, a dash for nothing."""
    if value is None or value is pd.NA or value is pd.NaT or value == "":
        return "–"
    if isinstance(value, (bool, np.bool_)):
        return "yes" if value else "no"
    if isinstance(value, (float, np.floating)):
        return number(float(value))
    return str(value)


def number(value: float) -> str:
    """1234.5 → 1234, 1e-9 → 1.0e−9, inf → ∞, always with a true minus."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    size = abs(value)
    if value and not 1e-3 <= size < 1e5:
        head, tail = f"{value:.1e}".split("e")
        return f"{head}e{int(tail)}".replace("-", "−")
    return (f"{value:.0f}" if size >= 1000 else f"{value:.4g}").replace("-", "−")


def packed(frame: pd.DataFrame, held: int = HELD) -> dict[str, Any]:
    """Rows by column, ready for JSON: words as levels and codes, numbers rounded, inf and nan as words."""
    frame = spread(frame, held)
    return {"columns": [{"name": str(name), **_column(frame[name])} for name in frame]}


def _column(values: "pd.Series[Any]") -> dict[str, Any]:
    digits = FEW_DIGITS if len(values) > MANY else DIGITS
    if pd.api.types.is_float_dtype(values):
        numbers = values.to_numpy(np.float64)
        kept = all_rounded(numbers, digits)
        kept[~np.isfinite(numbers)] = [str(value) for value in numbers[~np.isfinite(numbers)].tolist()]
        return {"values": kept.tolist()}
    if pd.api.types.is_numeric_dtype(values):
        return {"values": [value if isinstance(value, (bool, int)) else None for value in values.tolist()]}
    codes, levels = pd.factorize(values, use_na_sentinel=False)
    return {"levels": [None if value is None or value is pd.NA else str(value) for value in levels], "codes": codes.tolist()}


def download(frame: pd.DataFrame) -> str:
    """The rows as CSV in a data address, for a page without scripts."""
    columns, text = packed(frame, HELD_PLAIN)["columns"], io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([_harmless(column["name"]) for column in columns])
    writer.writerows([_harmless(value) for value in row] for row in zip(*map(_values, columns), strict=True))
    return "data:text/csv;charset=utf-8;base64," + base64.b64encode(text.getvalue().encode("utf-8", "replace")).decode("ascii")


def _values(column: dict[str, Any]) -> list[Any]:
    return [column["levels"][code] for code in column["codes"]] if "codes" in column else list(column["values"])


def _harmless(value: Any) -> Any:
    """A spreadsheet would run a text that begins with = + - or @; a quote in front keeps it a text."""
    runs = isinstance(value, str) and len(value) > 1 and value[0] in "=+@\t\r-" and value != "-inf"
    return f"'{value}" if runs else value

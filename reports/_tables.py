"""The numbers behind a figure: a table to read in the page, and all rows, packed, for copying and for CSV."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from gradviz.reports._packing import DIGITS, FEW_DIGITS, MANY, rounded

SHOWN = 16  # rows in the page; the file and the copy hold all


@dataclass(frozen=True)
class Table:
    """shown: rows of texts, spread evenly over all `rows` of the frame; texts: which columns are words."""

    columns: tuple[str, ...]
    texts: tuple[bool, ...]
    rows: int
    shown: tuple[tuple[str, ...], ...]


def table(frame: pd.DataFrame) -> Table:
    at = np.linspace(0, len(frame) - 1, min(SHOWN, len(frame))).round().astype(np.intp)
    columns = [[said(value) for value in frame[name].iloc[at]] for name in frame]
    texts = tuple(not pd.api.types.is_numeric_dtype(frame[name]) for name in frame)
    return Table(tuple(str(name).replace("_", " ") for name in frame), texts, len(frame), tuple(zip(*columns, strict=True)))


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


def packed(frame: pd.DataFrame) -> dict[str, Any]:
    """All rows by column, ready for JSON: words as levels and codes, numbers rounded, inf and nan as words."""
    return {"columns": [{"name": str(name), **_column(frame[name])} for name in frame]}


def _column(values: pd.Series) -> dict[str, Any]:
    if pd.api.types.is_numeric_dtype(values):
        digits = FEW_DIGITS if len(values) > MANY else DIGITS
        return {"values": [_plain(value, digits) for value in values.tolist()]}
    codes, levels = pd.factorize(values, use_na_sentinel=False)
    return {"levels": [None if value is None or value is pd.NA else str(value) for value in levels], "codes": codes.tolist()}


def _plain(value: Any, digits: int) -> Any:
    if isinstance(value, float):
        return rounded(value, digits) if math.isfinite(value) else str(value)
    return value if isinstance(value, (bool, int)) else None

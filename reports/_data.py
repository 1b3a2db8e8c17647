"""A report as plain data: what each figure says, and the numbers behind it, in full precision."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from gradviz.reports._figures import Figure

SPELLED = {math.inf: "Infinity", -math.inf: "-Infinity"}


def section(title: str, figures: Sequence[Figure]) -> dict[str, Any]:
    return {"title": title, "figures": [of(figure) for figure in figures]}


def of(figure: Figure) -> dict[str, Any]:
    """Of the position at which the page opens, if something can be chosen in it."""
    said = figure.said
    return {
        "chart": said.name,
        "about": figure.about,
        "title": said.title,
        "subtitle": said.subtitle,
        "look_for": said.look_for,
        "source": said.source,
        "missing": said.missing,
        "columns": {str(name): values(said.frame[name]) for name in said.frame},
    }


def values(column: "pd.Series[Any]") -> list[Any]:
    """A column for JSON, which knows no infinity: "Infinity", "-Infinity" and "NaN" are words."""
    return [plain(value) for value in column.tolist()]


def plain(value: Any) -> Any:
    if value is None or value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, (float, np.floating)):
        number = float(value)
        return number if math.isfinite(number) else SPELLED.get(number, "NaN")
    return int(value) if isinstance(value, (int, np.integer)) else str(value)

"""What plotly would read as markup, written so that it stays text."""

import base64
from functools import lru_cache
from typing import Any

import numpy as np

from gradviz.arrays import Array
from gradviz.backends._text import printable

_LARGE = 60  # numbers; from here on packed arrays are shorter than text


@lru_cache(maxsize=50_000)  # what hover says of a heatmap's cells is drawn again for every width and every position of a slider
def escape(text: str) -> str:
    """Text for titles, ticks, names and hover: no tags, no entities, no formulas, no templates, no colour names, nothing invisible."""
    text = "\n".join(printable(line) for line in text.split("\n"))
    for char, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("$", "&#36;"), ("%{", "&#37;{")):
        text = text.replace(char, entity)
    text = f"&#64;{text[1:]}" if text.startswith("@") else text
    return text.replace("\n", "<br>")


def numbers(values: Array) -> Any:
    """An array for plotly: packed float32 if it is large, else a list in which None stands for NaN."""
    array = np.asarray(values, dtype=np.float32)
    if array.size <= _LARGE:
        return _plain(np.asarray(values, dtype=np.float64).round(9))
    packed = {"dtype": "f4", "bdata": base64.b64encode(array.astype("<f4").tobytes()).decode()}
    return packed if array.ndim == 1 else {**packed, "shape": ", ".join(map(str, array.shape))}


def _plain(values: Array) -> Any:
    return [_plain(row) for row in values] if values.ndim > 1 else [None if np.isnan(value) else float(value) for value in values]

"""Numbers on their way into the page: as many digits as a picture or a table can use, so that the file stays small.

Typed arrays of plotly (base64 of float32) hardly compress; rounded and written as text they take a third.
"""

import base64
import math
from functools import lru_cache
from typing import Any

import numpy as np

from gradviz.arrays import Array

DIGITS = 5
FEW_DIGITS, MANY = 4, 4000  # for arrays, and for tables of many rows
USUAL = (1e-15, 1e15)  # sizes whose digits are moved by powers of ten that a float holds exactly


def compact(value: Any) -> Any:
    """A figure with its arrays as lists of rounded numbers; NaN becomes null, which plotly leaves out as well."""
    if isinstance(value, dict):
        if "bdata" in value:
            return _decoded(value["bdata"], value["dtype"], str(value.get("shape", "")))
        return {key: compact(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [compact(item) for item in value]
    return rounded(value, DIGITS) if isinstance(value, float) else value


@lru_cache(maxsize=256)
def _decoded(bdata: str, dtype: str, shape: str) -> list[Any]:
    """Drawn again for every width and every position of a control, an array is mostly the same."""
    values = np.frombuffer(base64.b64decode(bdata), dtype=np.dtype(dtype).newbyteorder("<"))
    sizes = [int(size) for size in shape.split(",")] if shape else [values.size]
    listed: list[Any] = (all_rounded(values, FEW_DIGITS) if values.dtype.kind == "f" else values).reshape(sizes).tolist()
    return listed


def all_rounded(values: Array, digits: int) -> Array:
    """Every number as `rounded` gives it, in an array of objects."""
    values = np.asarray(values, np.float64)
    size = np.abs(values)
    usual = ((size > USUAL[0]) & (size < USUAL[1])) | (size == 0)
    lost = ~np.isfinite(values)
    rest = ~usual & ~lost
    with np.errstate(all="ignore"):
        places = digits - 1 - np.floor(np.log10(np.where(usual & (size > 0), size, 1.0)))
        up, down = 10.0 ** np.maximum(places, 0), 10.0 ** np.maximum(-places, 0)
        found = (np.rint(values * up / down) / up * down).astype(object)
    whole = usual & (values == np.rint(values))
    found[whole] = values[whole].astype(np.int64).tolist()
    found[rest] = [rounded(value, digits) for value in values[rest].tolist()]
    found[lost] = None
    return found


def rounded(value: float, digits: int) -> float | int | None:
    """To significant digits; whole numbers, such as training steps, stay what they are."""
    if value.is_integer():
        return int(value)
    return float(f"{value:.{digits}g}") if math.isfinite(value) else None

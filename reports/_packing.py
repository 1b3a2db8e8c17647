"""Numbers on their way into the page: as many digits as a picture or a table can use, so that the file stays small.

Typed arrays of plotly (base64 of float32) hardly compress; rounded and written as text they take a third.
"""

import base64
import math
from typing import Any

import numpy as np

DIGITS = 5
FEW_DIGITS, MANY = 4, 4000  # for arrays, and for tables of many rows


def compact(value: Any) -> Any:
    """A figure with its arrays as lists of rounded numbers; NaN becomes null, which plotly leaves out as well."""
    if isinstance(value, dict):
        return _decoded(value).tolist() if "bdata" in value else {key: compact(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [compact(item) for item in value]
    return rounded(value, DIGITS) if isinstance(value, float) else value


def _decoded(array: dict[str, Any]) -> Any:
    values = np.frombuffer(base64.b64decode(array["bdata"]), dtype=np.dtype(array["dtype"]).newbyteorder("<"))
    if values.dtype.kind == "f":
        values = np.array([rounded(value, FEW_DIGITS) for value in values.tolist()], dtype=object)
    shape = array.get("shape", (values.size,))
    return values.reshape([int(size) for size in shape.split(",")] if isinstance(shape, str) else shape)


def rounded(value: float, digits: int) -> float | int | None:
    """To significant digits; whole numbers, such as training steps, stay what they are."""
    if value.is_integer():
        return int(value)
    return float(f"{value:.{digits}g}") if math.isfinite(value) else None

"""What verdicts say in words besides numbers."""

import math

from gradviz.dynamics.decay import half_life
from gradviz.wording import factor, number, steps

BEYOND = 100.0  # per step back: from here on a factor has no decimals to show


def pace(decay: float, low: float = math.nan, high: float = math.nan) -> str:
    """Decay per step and half-life, with the decay's interval if it has one: ×0.93 (0.92–0.94) per step back, half-life 9.6 steps
    (8.3–11)."""
    if decay == 0:
        return "exactly zero before a line can be fitted"
    half, ends = half_life(decay), (half_life(low), half_life(high))
    said = f"{factor(decay)}{_between(decay, low, high)} per step back, "
    if math.isinf(half):
        return f"{said}no half-life{f' (at least {steps(ends[0])})' if ends[0] < math.inf else ''}"
    between = "" if math.isnan(ends[0]) or number(ends[0]) == number(ends[1]) else f" ({number(ends[0])}–{number(ends[1])})"
    return f"{said}half-life {steps(half)}{between if low <= decay <= high else ''}"


def _between(decay: float, low: float, high: float) -> str:
    """(0.92–0.94), with as many digits as it takes to tell the ends apart. The mean profile's decay may lie outside of what its
    sequences say one by one, where they end at different lags."""
    if math.isnan(low) or math.isnan(high):
        return ""
    digits = next((count for count in (2, 3, 4) if f"{low:.{count}f}" != f"{high:.{count}f}"), 0)
    if not digits or high >= BEYOND:
        return ""
    return f" ({'' if low <= decay <= high else 'sequence by sequence '}{low:.{digits}f}–{high:.{digits}f})"


def spoken(point: str) -> str:
    """A hook point in the words of the field."""
    if point in ("hidden", "cell"):
        return f"{point} state"
    if point == "gate.update":
        return "update gate (share kept)"
    return f"{point.removeprefix('gate.')} gate" if point.startswith("gate.") else point

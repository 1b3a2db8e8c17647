"""Numbers as words of a sentence. Only spaces that do not break stand between a number and its unit."""

import math

NARROW = "\u202f"
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def number(value: float) -> str:
    """Two or three significant digits; powers of ten from a million up and below a thousandth."""
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "−∞" if value < 0 else "∞"
    if value == 0 or 1e-3 <= abs(value) < 1e6:
        return _grouped(value) if abs(value) >= 100 else f"{value:.3g}"
    return power(math.log10(abs(value)), "−" if value < 0 else "")


def _grouped(value: float) -> str:
    """58 000"""
    return f"{value:,.0f}".replace(",", NARROW)


def power(decades: float, sign: str = "") -> str:
    """10 to the power of `decades`, which may lie far outside the range of floats."""
    if not math.isfinite(decades):
        return "0" if decades < 0 else number(decades)
    whole = math.floor(decades)
    digits = f"{10 ** (decades - whole):.2g}"
    if digits == "10":
        digits, whole = "1", whole + 1
    return f"{sign}{digits}{NARROW}×{NARROW}10{str(whole).translate(_RAISED)}"


def factor(value: float) -> str:
    """×0.69"""
    return f"×{value:.3f}" if 0.9 < value < 1.1 else f"×{value:.2f}" if 0.01 <= value < 100 or value == 0 else f"×{number(value)}"


def share(value: float) -> str:
    """A share of 1 as 61 %."""
    percent = 100 * value
    shown = f"{percent:.0f}" if percent >= 1 or percent == 0 else f"{percent:.1f}" if percent >= 0.1 else "under 0.1"
    return f"{shown}{NARROW}%"


def steps(value: float) -> str:
    """1.9 steps, 1 step"""
    if math.isinf(value):
        return "no limit"
    return f"1{NARROW}step" if value == 1 else f"{value:.2g}{NARROW}steps" if value < 10 else f"{_grouped(value)}{NARROW}steps"


def pace(decay: float, half: float) -> str:
    """Decay per step and half-life."""
    return f"{factor(decay)} per step back, {'no half-life' if math.isinf(half) else f'half-life {steps(half)}'}"


def spoken(point: str) -> str:
    """A hook point in the words of the field."""
    if point in ("hidden", "cell"):
        return f"{point} state"
    if point == "gate.update":
        return "update gate (share kept)"
    return f"{point.removeprefix('gate.')} gate" if point.startswith("gate.") else point

"""Numbers in words, for titles, notes, verdicts and tables. A number and its sign are joined by U+202F, so that they never part."""

import math
from collections.abc import Callable, Iterable, Sequence

THIN = "\u202f"
SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


TURNING = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"  # characters that set the direction of writing
_HELD = dict.fromkeys((*map(ord, TURNING), *range(9), 11, 12, *range(14, 32), *range(127, 160)), "�")


def held(text: str) -> str:
    """A text in which names and tokens of others may stand, for a page: what would turn the direction of the words after it, or cannot be
    seen, is shown as "�"; letters that are written from right to left stay what they are."""
    return text if text.isascii() and text.isprintable() else text.translate(_HELD)


def power(exponent: int) -> str:
    """A power of ten: 10⁻⁵; 1 for 10⁰."""
    return "1" if exponent == 0 else "10" + str(exponent).translate(SUPERSCRIPT)


def number(value: float, digits: int = 2) -> str:
    """Two significant digits, whole numbers as they are: 0.5, 0.42, 58, 4 100, 6.1 × 10⁴, ∞."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    size, sign = abs(value), "−" if value < 0 else ""
    if size == round(size) and size < 1e4:
        return sign + f"{size:,.0f}".replace(",", THIN)
    return sign + (_plain(size, digits) if 0.01 <= size < 1e4 else number_of_log(math.log10(size)))


def number_of_log(log10: float) -> str:
    """10 to `log10` as a power of ten with two digits; tells apart what a float cannot hold, such as 10⁻⁴⁰⁰."""
    if math.isnan(log10):
        return "NaN"
    if math.isinf(log10):
        return "∞" if log10 > 0 else "0"
    exponent = math.floor(log10)
    mantissa = f"{10 ** (log10 - exponent):.1f}".removesuffix(".0")
    if mantissa == "10":
        mantissa, exponent = "1", exponent + 1
    return power(exponent) if mantissa == "1" else f"{mantissa}{THIN}×{THIN}{power(exponent)}"


def _plain(value: float, digits: int) -> str:
    """Between 0.01 and 10 000, to so many significant digits; never fewer than the whole part has."""
    exact = f"{value:.{digits}g}"
    if value < 100 and float(exact) == value:
        return exact
    places = max(digits - 1 - math.floor(math.log10(value)), 0)
    return f"{value:,.{places}f}".replace(",", THIN)


def factor(value: float) -> str:
    """A factor per step back: ×0.69, near 1 with a digit more: ×0.998; "exactly 0" and "not fitted" for what has none."""
    if math.isnan(value):
        return "not fitted"
    if 0 < abs(value - 1) < 0.01:
        return f"×{value:.3f}"
    return "exactly 0" if value == 0 else f"×{value:.2f}" if value < 100 else f"×{number(value)}"


def steps(count: float) -> str:
    """1.9 steps, 1 step, 175 steps, ∞."""
    if not math.isfinite(count):
        return "∞" if count > 0 else "no steps"
    text = number(count)
    return f"{text}{THIN}step{'' if text == '1' else 's'}"


def span(values: Iterable[float], say: Callable[[float], str] = number) -> str:
    """The one value, or the smallest and the largest: 4.0–13, 32–38 %, 2 × 10⁻³ – 5 × 10⁻², −0.4 to −0.2. `say` puts a value into
    words."""
    ordered = sorted(values)
    low, high = say(ordered[0]), say(ordered[-1])
    if low == high:
        return low
    if "−" in low + high:
        return f"{low} to {high}"
    shared = f"{THIN}%" if low.endswith(f"{THIN}%") and " " not in low + high else ""
    return f"{low.removesuffix(shared)}{'–' if shared or (THIN not in low + high) else ' – '}{high}"


def percent(share: float) -> str:
    """61 %; shares below one half percent but not zero are "under 1 %", above 99.5 % but not all "over 99 %"."""
    if math.isnan(share):
        return "–"
    if 0 < share < 0.005:
        return f"under 1{THIN}%"
    return f"over 99{THIN}%" if 0.995 < share < 1 else f"{100 * share:.0f}{THIN}%"


def listed(items: Sequence[str]) -> str:
    """a, b and c."""
    return items[0] if len(items) == 1 else ", ".join(items[:-1]) + " and " + items[-1] if items else ""

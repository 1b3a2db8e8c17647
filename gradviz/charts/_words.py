"""Numbers and runs in words, for titles, notes and labels. A number and its sign are joined by U+202F, so that they never part."""

import math
from collections.abc import Iterable, Sequence

from gradviz.frames import Run

THIN = "\u202f"
SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
FAMILIES = {"rnn": "RNN", "gru": "GRU", "lstm": "LSTM"}
COUNTS = {2: "both", 3: "all three", 4: "all four", 5: "all five", 6: "all six"}


def power(exponent: int) -> str:
    """A power of ten: 10⁻⁵; 1 for 10⁰."""
    return "1" if exponent == 0 else "10" + str(exponent).translate(SUPERSCRIPT)


def number(value: float) -> str:
    """Two or three digits: 0.42, 58, 4 100, 6.1 × 10⁴, ∞."""
    if math.isnan(value):
        return "not a number"
    if value == 0:
        return "0"
    return ("−" if value < 0 else "") + number_of_log(math.log10(abs(value)) if math.isfinite(value) else math.inf)


def number_of_log(log10: float) -> str:
    """`number` of 10 to `log10`; tells apart what a float cannot hold, such as 10⁻⁴⁰⁰."""
    if math.isnan(log10):
        return "not a number"
    if math.isinf(log10):
        return "∞" if log10 > 0 else "0"
    if -2.5 <= log10 < 4:
        return _plain(10**log10)
    exponent = math.floor(log10)
    mantissa = f"{10 ** (log10 - exponent):.1f}".removesuffix(".0")
    if mantissa == "10":
        mantissa, exponent = "1", exponent + 1
    return power(exponent) if mantissa == "1" else f"{mantissa}{THIN}×{THIN}{power(exponent)}"


def _plain(value: float) -> str:
    if value >= 100:
        return f"{value:,.0f}".replace(",", THIN)
    digits = 1 - math.floor(math.log10(value))
    text = f"{value:.{max(digits, 0)}f}"
    return text.rstrip("0").rstrip(".") if value >= 10 and "." in text else text


def factor(value: float) -> str:
    """A factor per step back: ×0.69; "exactly 0" and "not fitted" for what has none."""
    if math.isnan(value):
        return "not fitted"
    return "exactly 0" if value == 0 else f"×{value:.2f}" if value < 100 else f"×{number(value)}"


def steps(count: float) -> str:
    """1.9 steps, 1 step, 175 steps, ∞."""
    if not math.isfinite(count):
        return "∞" if count > 0 else "no steps"
    text = number(count) if count else "0"
    return f"{text}{THIN}step{'' if text in ('1', '1.0') else 's'}"


def span(values: Iterable[float], digits: str = "") -> str:
    """The one value, or the smallest and largest with an en dash: 4.0–13. `digits` is a format for each."""
    texts = [format(value, digits) if digits else number(value) for value in sorted(values)]
    return texts[0] if texts[0] == texts[-1] else f"{texts[0]}–{texts[-1]}"


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


def spoken(some: Sequence[Run], everyone: Sequence[Run]) -> str:
    """`some` of the runs shown, as one would say it: the clipped RNN, both GRUs and the LSTM."""
    families = list(dict.fromkeys(run.family for run in everyone))
    return listed([part for family in families for part in _of_family(family, some, everyone)])


def chunks(some: Sequence[Run], everyone: Sequence[Run]) -> list[list[Run]]:
    """`some` family by family, in the order of `everyone`."""
    families = list(dict.fromkeys(run.family for run in everyone))
    return [part for family in families if (part := [run for run in some if run.family == family])]


def _of_family(family: str, some: Sequence[Run], everyone: Sequence[Run]) -> list[str]:
    mine = [run for run in some if run.family == family]
    peers = [run for run in everyone if run.family == family]
    word = FAMILIES.get(family)
    if not mine:
        return []
    if word is None:
        return [run.label for run in mine]
    if len(mine) == len(peers):
        return [f"the {word}" if len(mine) == 1 else f"{COUNTS.get(len(mine), f'all {len(mine)}')} {word}s"]
    if sorted(run.clipped for run in peers) == [False, True]:
        return [f"the {'clipped' if mine[0].clipped else 'unclipped'} {word}"]
    return [run.label for run in mine]


def sentence(text: str) -> str:
    """With a capital at the beginning."""
    return text[:1].upper() + text[1:]

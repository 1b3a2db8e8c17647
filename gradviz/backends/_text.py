"""Words in a picture: what may be shown of them, and how much room they take."""

import textwrap
import unicodedata
from math import ceil

_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_SPACES = {" ": "·", "\n": "⏎", "\t": "⇥", "\u00a0": "·"}


def printable(text: str) -> str:
    """One line without control characters: they could not be seen, break XML, or turn the direction of what stands beside them."""
    if text.isprintable():  # nearly always: neither controls nor any blank but " "
        return text
    return "".join(
        char if char in "\u202f\u00a0" else " " if char.isspace() else "" if unicodedata.category(char)[0] == "C" else char for char in text
    )


def visible(token: str) -> str:
    """A token of a text, with blanks as "·", line ends as "⏎", and what cannot be printed as "�"."""
    return "".join(_SPACES.get(char) or ("�" if unicodedata.category(char)[0] in "CZ" else char) for char in token) or "∅"


def superscript(exponent: int) -> str:
    return str(exponent).translate(_SUPERSCRIPT)


def power(exponent: int) -> str:
    """10 to the `exponent` as a tick says it: 0.1, 1, 10, 10⁵, 10⁻¹²."""
    return {-1: "0.1", 0: "1", 1: "10"}.get(exponent) or "10" + superscript(exponent)


def number(value: float) -> str:
    """A number as a tick says it: a true minus sign, thousands apart by a narrow space."""
    text = f"{value:,.6g}" if abs(value) < 1e6 or value != value else f"{value:.3g}"
    return text.replace(",", "\u202f").replace("-", "−").replace("inf", "∞")


def width(text: str, size: float = 12) -> float:
    """Pixels a line of text takes, by the widest font it may fall back to (DejaVu Sans)."""
    small = sum(char in "⁻⁰¹²³⁴⁵⁶⁷⁸⁹" for char in text) * 0.35  # superscripts, which stand on one line alone
    return (max(len(line) for line in text.split("\n")) - small) * 0.6 * size


def shorten(text: str, room: float, size: float = 12) -> str:
    """The text if it fits into `room` pixels, else its beginning and "…"."""
    if width(text, size) <= room:
        return text
    return text[: max(1, int(room / (0.6 * size)) - 1)].rstrip() + "…"


def wrap(text: str, room: float, size: float = 12, lines: int = 2) -> str:
    """The text in at most `lines` lines of `room` pixels."""
    letters = max(6, int(room / (0.6 * size)))
    return "\n".join(textwrap.wrap(text, letters, max_lines=lines, placeholder="…")) if text else ""


def words_under(words: tuple[str, ...], pitch: float, size: float = 12) -> list[tuple[float, str]]:
    """Tokens as ticks, `pitch` pixels apart: cut to the width of their cell, and thinned if not even one letter fits."""
    letters = int(pitch / (0.6 * size))
    every = 1 if letters else ceil(0.6 * size / pitch)
    shown = [(float(at), visible(word)) for at, word in enumerate(words)][::every]
    return [
        (at, word if len(word) <= max(1, letters) else word[: max(1, letters - 1)] + ("…" if letters > 1 else "")) for at, word in shown
    ]

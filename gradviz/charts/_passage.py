"""A text as coloured cells: one character each, all cells of a token with the token's value."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from gradviz.arrays import Array, Integers
from gradviz.charts._common import colour, families, heading, short
from gradviz.charts._description import Axis, Heat, Panel
from gradviz.frames import Run

MOST = 3000  # tokens in a picture; more would not be read, and would make a page slow
_WORDS = 1.5  # characters a label has on average from which on tokens are words


@dataclass(frozen=True)
class Colours:
    """The colour axis of a text; see `Heat`."""

    scale: Literal["depth", "tide"]
    limits: tuple[float, float]
    unit: str
    log: bool = False


def cells(labels: Sequence[str], spaced: bool) -> tuple[tuple[str, ...], Integers]:
    """(cell,) characters and the token each belongs to. `spaced`: a blank cell ends each token, as between words."""
    letters: list[str] = []
    owners: list[int] = []
    for token, label in enumerate(labels):
        own = [*_characters(label), *([" "] if spaced else [])]
        letters += own
        owners += [token] * len(own)
    return tuple(letters), np.array(owners, dtype=np.intp)


def _characters(label: str) -> list[str]:
    """What is drawn of a label, never nothing: marks that combine with the letter before stand on a ring of dots."""
    return [f"◌{char}" if unicodedata.combining(char) else char for char in label] or ["∅"]


def spaced(run: Run, labels: Sequence[str]) -> bool:
    """Whether the run's tokens are words, which stand apart."""
    level = (run.meta.get("facts") or {}).get("level")
    return level == "word" if level else sum(map(len, labels)) > _WORDS * len(labels)


def passage(labels: Sequence[str], values: Array, hover: Sequence[str], colours: Colours, *, apart: bool, framed: int = -1) -> Heat:
    """labels, values, hover: of every token; masked values have no colour. `framed`: the token that stands out, if any."""
    letters, owners = cells(labels, apart)
    frames = tuple((0, int(cell)) for cell in np.flatnonzero(owners == framed) if letters[cell] != " ")
    return Heat(
        np.arange(len(letters)), np.zeros(1), np.ma.asarray(values)[owners][None, :], colours.scale, colours.limits, colours.log,
        colours.unit, letters=(letters,), hover=(tuple(hover[token] for token in owners),), framed=frames,
    )  # fmt: skip


def panel(run: Run, runs: Sequence[Run], heat: Heat, note: str) -> Panel:
    """A text of one run under its name."""
    group = next(group for _, group in families(runs) if run in group)
    return Panel((heat,), Axis(ticks=()), Axis(ticks=()), f"{heading(run)} {short(run, group)}".strip(), colour(run), note)

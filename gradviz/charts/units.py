"""Which units answer to a property of the text, such as being inside quotes, and how the state of the best one tells it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd

from gradviz.charts._base import Chart
from gradviz.charts._common import colour, families, heading, left_out, nothing, short, stack
from gradviz.charts._description import Axis, Bars, Description, Line, Mark, Panel
from gradviz.charts._speakers import RECORD, Speaker, speakers
from gradviz.charts._tail import tail
from gradviz.charts._words import sentence, spoken
from gradviz.errors import GradvizError
from gradviz.frames import Run
from gradviz.language import Ranking, respond
from gradviz.language.properties import PROPERTIES
from gradviz.options import check, option
from gradviz.wording import listed

COLUMNS = ("run", "property", "point", "rank", "unit", "measure", "score", "error", "strength")
READ = 8000  # characters: enough for most properties to come and go, and read in a second
BEST = 15  # units in a panel
BINS = 24
KEEP = 16  # rankings
LOOK_FOR = (
    "A unit that answers to the property stands above the others on the left, and on the right its state moves with the property. "
    "Bars of one height are a network that has no unit for it, or spreads it over many."
)


@dataclass(frozen=True)
class Units(Chart):
    """text "": the end of the text that the run learned from, which was held out; if it is not there any more, a recorded sequence."""

    needs = ("probe",)
    network = True
    purpose = "which units answer to a property of the text"

    property: str = option("inside_word", "what the units should tell, such as inside_quotes, capitals or position_in_line")
    text: str = option("", "text to read; empty takes the end of the text that the run learned from")
    layer: int = option(-1, "layer, counted from 0; -1 is the last", low=-1)

    def __post_init__(self) -> None:
        check(self)
        PROPERTIES[self.property]  # an unknown one is an error that lists them

    def describe(self, runs: Sequence[Run]) -> Description:
        texts = {run.label: self.text or tail(run, READ) for run in runs}
        found = [(one, self._ranking(one)) for run in runs for one in speakers([run], texts[run.label], 0)[0]]
        ranked = [(one, ranking) for one, ranking in found if not _reason(ranking)]
        if not ranked:
            reasons = [f"{one.run.label}: {_reason(ranking)}" for one, ranking in found]
            return nothing("units", " ".join(reasons[:1]) or RECORD, COLUMNS, LOOK_FOR)
        shown, what = [one.run for one, _ in ranked], PROPERTIES[self.property].what
        return Description(
            "units",
            _title(ranked, what),
            f"How well the state of each unit tells {what}: {listed(list(dict.fromkeys(_measure(ranking) for _, ranking in ranked)))}. "
            f"Read: {self._read([texts[run.label] for run in shown])}."
            f"{left_out(runs, shown)}",
            LOOK_FOR,
            stack([_frame(one, ranking) for one, ranking in ranked], COLUMNS),
            tuple(panel for one, ranking in ranked for panel in _panels(one, ranking, shown)),
            columns=2,
            source="Karpathy, Johnson and Li 2016, section 4.1; Mann and Whitney 1947; Spearman 1904",
        )

    def _read(self, texts: Sequence[str]) -> str:
        """What was read, in words; an empty text was not found."""
        if self.text:
            return "a text of your own"
        return "the end of the text that was learned, which is held out" if all(texts) else "a recorded sequence, which was held out"

    def _ranking(self, one: Speaker) -> Ranking:
        layers = one.run.layers
        if self.layer >= layers:
            raise GradvizError(f"{one.run.label} has no layer {self.layer}; its layers are 0 to {layers - 1}.")
        asked = _Question(one, one.run.path, _stamp(one.run), one.text, self.layer, self.property)
        return _remembered(asked) if asked.stamp else _ranked(asked)


@dataclass(frozen=True)
class _Question:
    """What a ranking depends on; the network itself is that of the files with this stamp."""

    one: Speaker = field(compare=False, repr=False)
    path: Path
    stamp: tuple[tuple[str, int, int], ...]
    text: str
    layer: int
    property: str


def _ranked(asked: _Question) -> Ranking:
    return respond(asked.one.model, asked.text, asked.layer, properties=[asked.property])[asked.property]


@lru_cache(maxsize=KEEP)
def _remembered(asked: _Question) -> Ranking:
    """Reading thousands of tokens takes a while, so it is done once for each network and text."""
    return _ranked(asked)


def _stamp(run: Run) -> tuple[tuple[str, int, int], ...]:
    """Changes whenever the weights or the description of the run do; empty if its folder cannot be read (any more)."""
    try:
        files = [path for path in sorted(run.path.iterdir()) if path.is_file()]
        return tuple((path.name, (facts := path.stat()).st_size, facts.st_mtime_ns) for path in files)
    except OSError:
        return ()


def _reason(ranking: Ranking) -> str:
    """Why no unit is shown."""
    return ranking.missing or (
        "" if np.isfinite(ranking.scores[0]) else "no unit has a score: their states are not numbers, or do not change."
    )


def _measure(ranking: Ranking) -> str:
    if ranking.measure == "AUC":
        return "|2 AUC − 1|, where AUC is the chance that its state is higher at a token where this holds than at another (0 none, 1 all)"
    return "size of the rank correlation of its state and the number (0 none, 1 all)"


def _frame(one: Speaker, ranking: Ranking) -> pd.DataFrame:
    place = {"run": one.run.label, "property": ranking.name, "point": ranking.point, "measure": ranking.measure}
    columns = {"rank": np.arange(1, len(ranking.units) + 1), "unit": ranking.units, "score": ranking.scores, "error": ranking.errors}
    return pd.DataFrame({**place, **columns, "strength": ranking.strengths}, columns=list(COLUMNS))


def _panels(one: Speaker, ranking: Ranking, runs: Sequence[Run]) -> tuple[Panel, Panel]:
    """The best units, and the best one's state."""
    group = next(group for _, group in families(runs) if one.run in group)
    name, own = f"{heading(one.run)} {short(one.run, group)}".strip(), colour(one.run)
    units, strengths = ranking.units[:BEST], ranking.strengths[:BEST]
    hover = tuple(_hover(ranking, rank) for rank in range(len(units)))
    places = np.arange(len(units))
    bars = (
        Bars(places[:1], strengths[:1], f"{one.run.label}, the best unit", own, hover=hover[:1]),
        Bars(places[1:], strengths[1:], f"{one.run.label}, other units", "ghost", hover=hover[1:]),
    )
    ticks = tuple((float(at), str(unit)) for at, unit in enumerate(units))
    x = Axis("unit, the best first", limits=(-0.5, BEST - 0.5), ticks=ticks)
    y = Axis("strength", limits=(0.0, 1.0), ticks=((0.0, "0"), (0.5, "0.5"), (1.0, "1")))
    return Panel(bars, x, y, name, own, f"unit {units[0]}: {_score(ranking, 0)}"), _told(ranking, own)


def _score(ranking: Ranking, rank: int) -> str:
    word = "AUC" if ranking.measure == "AUC" else "correlation"
    return f"{word} {ranking.scores[rank]:.2f} ± {ranking.errors[rank]:.2f}".replace("-", "−").replace("± nan", "± unknown")


def _hover(ranking: Ranking, rank: int) -> str:
    return f"unit {ranking.units[rank]}\n{_score(ranking, rank)}, strength {ranking.strengths[rank]:.2f}"


def _told(ranking: Ranking, own: str) -> Panel:
    """How the best unit's state lies in the two cases, or how it goes with the number."""
    states, unit = ranking.values[:, ranking.units[0]], int(ranking.units[0])
    if ranking.measure == "AUC":
        edges = np.linspace(states.min(), states.max(), BINS + 1) if np.ptp(states) else np.array([states[0] - 0.5, states[0] + 0.5])
        marks = [
            _density(states[holds], edges, label, name)
            for holds, label, name in ((~ranking.holds, "does not hold", "ghost"), (ranking.holds, "holds", own))
        ]
        return Panel(tuple(marks), Axis(f"{ranking.point} state of unit {unit}"), Axis("share of tokens", limits=(0.0, _top(marks))))
    numbers = np.unique(ranking.holds[~np.isnan(ranking.holds)])
    means = np.array([states[ranking.holds == at].mean() for at in numbers])
    line = Line(numbers, means, f"unit {unit}", own)
    return Panel((line,), Axis(ranking.name.replace("_", " ")), Axis(f"mean {ranking.point} state of unit {unit}"))


def _density(states: np.ndarray, edges: np.ndarray, label: str, name: str) -> Line:
    counts = np.histogram(states, edges)[0] / len(states)
    return Line((edges[1:] + edges[:-1]) / 2, counts, label, name, label=label)


def _top(marks: Sequence[Mark]) -> float:
    highest = max(float(mark.y.max()) for mark in marks if isinstance(mark, Line))
    return float(np.ceil(highest * 10 + 0.5) / 10)  # with room for a label


def _title(ranked: Sequence[tuple[Speaker, Ranking]], what: str) -> str:
    runs = [one.run for one, _ in ranked]
    parts = [f"unit {ranking.units[0]} of {spoken([one.run], runs)} ({_score(ranking, 0)})" for one, ranking in ranked]
    return sentence(
        f"{listed(parts)} {'answers' if len(parts) == 1 else 'answer'} best to {what}", f"What answers to {what} in {len(runs)} runs"
    )

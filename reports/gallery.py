"""The gallery: every chart there is, drawn from some runs, with how to read it and how to make it. One page, no scripts."""

import dataclasses
import re
from collections.abc import Sequence
from dataclasses import Field, dataclass
from datetime import UTC, datetime
from typing import Any

import pandas as pd
from markupsafe import Markup

from gradviz import __version__
from gradviz.backends import matplotlib
from gradviz.charts import CHARTS, Chart, Description
from gradviz.errors import GradvizError
from gradviz.frames import Run
from gradviz.reports import _assets
from gradviz.reports.build import Report, environment
from gradviz.reports.kinds._base import by_task
from gradviz.wording import listed

LEDE = "A chart says in its title what it found in the runs, and beside it how a healthy picture looks and how a sick one does."
BROAD, SLIM = 6.8, 3.3  # inches: for a desk and paper, and for a phone
FRAME = 16 / 9  # width of a small picture by its height
RUNS = "gradviz-runs"
GROUPS = (
    ("recorded", "From what a run recorded", "These read the tables that a training writes, and take no time."),
    (
        "asked",
        "From the network’s own answers",
        "These ask the network about a text, with the weights and the vocabulary that the run kept.",
    ),
    (
        "computed",
        "Computed anew, exactly",
        "These compute from a run’s weights and data, or from nothing but their options: seconds, not moments.",
    ),
)


@dataclass(frozen=True)
class Drawn:
    """Both layouts of a picture as SVG; root: the id of the broad one's drawing, box: its view box, for the small picture on top."""

    broad: Markup
    slim: Markup
    root: str
    box: str

    @property
    def fit(self) -> str:
        """How the small picture stands in its frame: a flat one whole, a tall one from its top."""
        _, _, width, height = map(float, self.box.split())
        return "xMidYMid meet" if width / height > FRAME else "xMidYMin slice"


@dataclass(frozen=True)
class Option:
    name: str
    meaning: str
    default: str
    limits: str


@dataclass(frozen=True)
class Entry:
    """A chart and all that the page says of it; drawn: None if `said.missing` tells why there is no picture."""

    name: str
    group: str
    purpose: str
    needs: str
    said: Description
    drawn: Drawn | None
    options: tuple[Option, ...]
    command: str
    python: str

    @property
    def anchor(self) -> str:
        return f"chart-{self.name.replace('_', '-')}"

    @property
    def words(self) -> str:
        return self.name.replace("_", " ").capitalize()


def gallery(runs: Sequence[Run], *, origin: str = "", now: datetime | None = None) -> Report:
    """Every entry of `CHARTS` on one page, drawn from these runs. origin: where they come from, a sentence.

    The same runs and the same `now` give the same bytes.
    """
    entries = [_entry(name, tuple(runs)) for name in CHARTS]
    claim = f"All {len(entries)} charts: what each shows, what it needs, how to read it"
    moment = now or datetime.now(UTC)
    groups = [
        {"anchor": anchor, "title": title, "intro": intro, "entries": members}
        for anchor, title, intro in GROUPS
        if (members := [entry for entry in entries if entry.group == anchor])
    ]
    page = {
        "label": "gallery",
        "claim": claim,
        "lede": LEDE,
        "facts": " ".join(part for part in (_drawn_from(runs), origin) if part),
        "entries": [entry for group in groups for entry in group["entries"]],
        "groups": groups,
        "contents": [(entry.anchor, entry.words) for group in groups for entry in group["entries"]],
        "made": f"Made with gradviz {__version__} on {moment:%Y-%m-%d %H:%M} {moment.tzname() or 'local time'}.",
        "style": Markup(_assets.style(still=True) + _assets.read("gallery.css")),
        "policy": Markup(_assets.policy()),
        "pack": "",
    }
    return Report(claim, lambda: environment().get_template("gallery.html.j2").render(page))


def few(runs: Sequence[Run]) -> list[Run]:
    """Of many runs those that a gallery needs: of the largest task one a family, the plain RNN without clipping, gated cells with it."""
    if not runs:
        return []
    members = max(by_task(runs).values(), key=len)
    families = dict.fromkeys(run.family for run in members)
    return [
        min((run for run in members if run.family == family), key=lambda run: run.clipped != (run.family != "rnn")) for family in families
    ]


def _drawn_from(runs: Sequence[Run]) -> str:
    return f"Drawn from {listed([f'{run.name} ({run.label})' for run in runs])}." if runs else "Drawn without any run."


def _entry(name: str, runs: Sequence[Run]) -> Entry:
    kind = CHARTS[name]
    said = _described(name, runs)
    place = f" {RUNS}" if _asks_for_runs(kind) else ""
    return Entry(
        name=name,
        group="asked" if kind.network else "computed" if kind.exact or not kind.needs else "recorded",
        purpose=kind.purpose,
        needs=_needs(kind),
        said=said,
        drawn=None if said.missing else _drawn(said),
        options=tuple(_option(item) for item in dataclasses.fields(kind)),  # type: ignore[arg-type]
        command=f"gradviz figure {name}{place} -o {name}.pdf",
        python=f'gradviz.chart("{name}", "{RUNS}")' if place else f'gradviz.chart("{name}")',
    )


def _described(name: str, runs: Sequence[Run]) -> Description:
    """The chart as it stands by default; one that refuses these runs leaves the sentence that says why."""
    try:
        return CHARTS[name]().describe(runs)
    except GradvizError as error:
        return Description(name, "", "", "", pd.DataFrame(), missing=str(error))


def _drawn(said: Description) -> Drawn:
    broad, slim = matplotlib.svg(said, BROAD), matplotlib.svg(said, SLIM)
    root, box = re.search(r'<g id="([\w.-]+)"', broad), re.search(r'viewBox="([\d. ]+)"', broad)
    if root is None or box is None:
        raise GradvizError(f"the picture of {said.name} has no drawing in it.")
    return Drawn(Markup(broad), Markup(slim), root[1], box[1])


def _asks_for_runs(kind: type[Chart]) -> bool:
    return bool(kind.needs) or kind.network or kind.exact


def _needs(kind: type[Chart]) -> str:
    tables = (
        f"of a run the table{'s' if len(kind.needs) > 1 else ''} {listed([f'“{table}”' for table in kind.needs])}" if kind.needs else ""
    )
    network = "a run that learned a text, with its weights and vocabulary" if kind.network else ""
    exact = "a run’s weights and data" if kind.exact else ""
    return listed([part for part in (tables, network, exact) if part]) or "nothing: it computes what it shows"


def _option(item: Field[Any]) -> Option:
    """A chart's option: meaning, default, and the values it may take."""
    choices, low, high = (item.metadata.get(key) for key in ("choices", "low", "high"))
    words = ", ".join(filter(None, choices or ()))
    ends = [f"{word} {value:g}" for word, value in (("at least", low), ("at most", high)) if value is not None]
    default = {True: "on", False: "off", "": "chosen by itself"}.get(item.default) if isinstance(item.default, bool | str) else None
    return Option(
        item.name, str(item.metadata.get("help", "")), default or str(item.default), f"one of {words}" if words else " and ".join(ends)
    )

"""Runs become one HTML file: text, tables, pictures and the library that draws them; nothing is loaded from anywhere."""

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from gradviz import __version__
from gradviz.backends import plotly, theme
from gradviz.errors import GradvizError
from gradviz.frames import Run
from gradviz.reports import _assets, _data, _runs, _summary
from gradviz.reports._figures import Figure, figure
from gradviz.reports._findings import Ruling, rulings
from gradviz.reports._report import Report
from gradviz.reports._settings import settings
from gradviz.reports.kinds import KINDS, Kind, Picture
from gradviz.wording import held

SETTINGS = ("settings", "Settings")
EVIDENCE = ("findings", "Findings and their evidence")
MARKS = {"zero": "· ·", "infinite": "∞", "nan": "× ×"}


def report(runs: Sequence[Run], kind: str = "demo", *, static: bool = False, now: datetime | None = None) -> Report:
    """The page of `kind` (an entry of `KINDS`) for these runs.

    static: without scripts, its pictures drawn by matplotlib. The same runs and the same `now` give the same bytes; without `now` it
    is the time in the environment's SOURCE_DATE_EPOCH, in seconds since 1970, or the time of the clock.
    """
    if not runs:
        raise GradvizError("a report needs at least one run; there is none. Train some with `gradviz demo` or `gradviz train`.")
    page = _page(tuple(runs), KINDS[kind](), now or moment(), static)
    summary = (("Summary", (page["key"],)), *((part.title, tuple(figures)) for part, figures in page["sections"]))
    facts = {"kind": kind, "made": page["made"], "runs": [_facts(run) for run in runs], "findings": _verdicts(page["rulings"])}
    return Report(
        page["claim"], lambda: environment().get_template("page.html.j2").render(page), (*summary, (EVIDENCE[1], (page["status"],))), facts
    )


def moment() -> datetime:
    """Now, or the time that SOURCE_DATE_EPOCH sets for builds that must give the same bytes again."""
    fixed = os.environ.get("SOURCE_DATE_EPOCH", "")
    if not fixed:
        return datetime.now(UTC)
    try:
        return datetime.fromtimestamp(int(fixed), UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise GradvizError(f"SOURCE_DATE_EPOCH is {fixed!r}; it must be a number of seconds since 1970, such as 1767225600.") from error


def _facts(run: Run) -> dict[str, Any]:
    return {"label": run.label, "name": run.name, "status": run.status, "experiment": run.meta["experiment"]}


def _verdicts(every: Sequence[Ruling]) -> list[dict[str, Any]]:
    return [
        {
            "run": one.run.label,
            **{key: getattr(one.verdict, key) for key in ("code", "title", "severity", "word", "summary")},
            "numbers": {name: _data.plain(value) for name, value in one.verdict.numbers.items()},
        }
        for ruling in every
        for one in (*ruling.found, *ruling.fine, *ruling.silent)
    ]


def _page(runs: tuple[Run, ...], kind: Kind, now: datetime, static: bool) -> dict[str, Any]:
    """Everything the templates say."""
    shown = _Counter(static)
    key = shown.figure(kind.key(runs))
    sections = [(part, shown.figures(part.pictures)) for part in kind.sections(runs)]
    status = shown.figure(Picture("status", runs))
    return {
        "label": kind.label,
        "runs": runs,
        "key": key,
        "sections": sections,
        "contents": [*((part.anchor, part.title) for part, _ in sections), EVIDENCE, SETTINGS],
        "status": status,
        "table": _runs.table(runs),
        "columns": _runs.COLUMNS,
        "caveats": _runs.caveats(runs),
        "rulings": rulings(runs),
        "settings": settings(runs),
        **_summary.summary(runs),
        **(still(now) if static else carried(shown.drawn, now)),
    }


class _Counter:
    """Numbers the figures in the order in which the page shows them, and keeps what its script must draw."""

    def __init__(self, static: bool) -> None:
        self.static = static
        self.number = 0
        self.drawn: dict[str, Any] = {}

    def figure(self, picture: Picture) -> Figure:
        self.number += 1
        made = figure(self.number, picture, static=self.static)
        if made.payload:
            self.drawn[made.anchor] = made.payload
        return made

    def figures(self, pictures: Sequence[Picture]) -> list[Figure]:
        return [self.figure(picture) for picture in pictures if picture.runs]


def still(now: datetime) -> dict[str, Any]:
    """What a page without scripts carries: styles, the policy that lets nothing run, and when it was made."""
    return {"made": _made(now), "style": Markup(_assets.style(still=True)), "policy": Markup(_assets.policy()), "pack": ""}


def carried(figures: dict[str, Any], now: datetime) -> dict[str, Any]:
    """What a page that draws carries: styles, script, library and data, the policy that lets only these scripts run, when it was made."""
    script = _assets.read("report.js")
    library, permit = _assets.library()
    data = {"tokens": theme.TOKENS, "figures": figures, "config": plotly.CONFIG}
    return {
        "made": _made(now),
        "style": Markup(_assets.style()),
        "script": Markup(script),
        "library": Markup(library),
        "pack": Markup(_assets.pack(data)),
        "policy": Markup(_assets.policy(permit, _assets.digest(script))),
    }


def _made(now: datetime) -> str:
    return f"Made with gradviz {__version__} on {now:%Y-%m-%d %H:%M} {now.tzname() or 'local time'}."


def _shown(value: Any) -> Any:
    """What a template says of anything but markup that is made here."""
    return held(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def environment() -> Environment:
    loader = PackageLoader("gradviz.reports")
    made = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    made.finalize = _shown
    made.globals["face"] = _runs.face
    made.globals["glyph"] = lambda level: theme.TOKENS["severity"][level]["glyph"]
    made.globals["swatches"] = {kind: {"colour": theme.TOKENS["scale"][kind], "mark": mark} for kind, mark in MARKS.items()}
    made.globals["spark_size"] = _runs.SPARK
    return made

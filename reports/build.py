"""Runs become one HTML file: text, tables, pictures and the library that draws them; nothing is loaded from anywhere."""

import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from gradviz import __version__
from gradviz.backends import plotly, theme
from gradviz.errors import GradvizError
from gradviz.frames import Run
from gradviz.reports import _assets, _runs, _summary
from gradviz.reports._figures import Figure, figure
from gradviz.reports._findings import rulings
from gradviz.reports._settings import settings
from gradviz.reports.kinds import KINDS, Kind, Picture

SETTINGS = ("settings", "Settings")
MARKS = {"zero": "· ·", "infinite": "∞", "nan": "× ×"}


@dataclass(frozen=True)
class Report:
    """A finished page. title: its claim."""

    title: str
    page: str

    def html(self) -> str:
        return self.page

    def write(self, path: str | Path, force: bool = False) -> Path:
        """Write the page to a file; a file that is there already is kept unless `force`."""
        target = Path(path)
        if target.exists() and not force:
            raise GradvizError(f"{target} exists already. Give another name, or say --force (in Python: force=True) to replace it.")
        partial = target.with_name(f".{target.name}.{os.getpid()}")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            partial.write_text(self.page, encoding="utf-8", newline="\n")
            partial.replace(target)
        except OSError as error:
            with suppress(OSError):
                partial.unlink()
            raise GradvizError(f"cannot write the report to {target}: {error.strerror or error}. Give another file name.") from error
        return target


def report(runs: Sequence[Run], kind: str = "demo", *, now: datetime | None = None) -> Report:
    """The page of `kind` (an entry of `KINDS`) for these runs. The same runs and the same `now` give the same bytes."""
    if not runs:
        raise GradvizError("a report needs at least one run; there is none. Train some with `gradviz demo` or `gradviz train`.")
    page = _page(tuple(runs), KINDS[kind](), now or datetime.now(UTC))
    return Report(page["claim"], environment().get_template("page.html.j2").render(page))


def _page(runs: tuple[Run, ...], kind: Kind, now: datetime) -> dict[str, Any]:
    """Everything the templates say."""
    shown = _Counter()
    key = shown.figure(kind.key(runs))
    sections = [(part, shown.figures(part.pictures)) for part in kind.sections(runs)]
    status = shown.figure(Picture("status", runs))
    return {
        "label": kind.label,
        "runs": runs,
        "key": key,
        "sections": sections,
        "contents": [(part.anchor, part.title) for part, _ in sections] + [("findings", "Findings and their evidence"), SETTINGS],
        "status": status,
        "table": _runs.table(runs),
        "columns": _runs.COLUMNS,
        "caveats": _runs.caveats(runs),
        "rulings": rulings(runs),
        "settings": settings(runs),
        **_summary.summary(runs),
        **carried(shown.drawn, now),
    }


class _Counter:
    """Numbers the figures in the order in which the page shows them, and keeps what its script must draw."""

    def __init__(self) -> None:
        self.number = 0
        self.drawn: dict[str, Any] = {}

    def figure(self, picture: Picture) -> Figure:
        self.number += 1
        made = figure(self.number, picture)
        if made.payload:
            self.drawn[made.anchor] = made.payload
        return made

    def figures(self, pictures: Sequence[Picture]) -> list[Figure]:
        return [self.figure(picture) for picture in pictures if picture.runs]


def carried(figures: dict[str, Any], now: datetime) -> dict[str, Any]:
    """What every page carries: styles, script, library and data, the policy that lets only these scripts run, and when it was made."""
    script = _assets.read("report.js")
    library, permit = _assets.library()
    data = {"tokens": theme.TOKENS, "figures": figures, "config": plotly.CONFIG}
    return {
        "made": f"Made with gradviz {__version__} on {now:%Y-%m-%d %H:%M} {now.tzname() or 'local time'}.",
        "style": Markup(_assets.style()),
        "script": Markup(script),
        "library": Markup(library),
        "pack": Markup(_assets.pack(data)),
        "policy": Markup(_assets.policy(permit, _assets.digest(script))),
    }


def environment() -> Environment:
    loader = PackageLoader("gradviz.reports")
    made = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    made.globals["face"] = _runs.face
    made.globals["glyph"] = lambda level: theme.TOKENS["severity"][level]["glyph"]
    made.globals["swatches"] = {kind: {"colour": theme.TOKENS["scale"][kind], "mark": mark} for kind, mark in MARKS.items()}
    made.globals["spark_size"] = _runs.SPARK
    return made

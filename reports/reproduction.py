"""The page of a reproduction: what was published beside what was measured, pictures, settings."""

from datetime import datetime

from gradviz.reports._figures import drawn_figure
from gradviz.reports._report import Report
from gradviz.reports.build import SETTINGS, carried, environment, moment
from gradviz.reproductions import Outcome, Reproduction
from gradviz.wording import listed

LEVELS = {"agrees": "good", "differs": "warning", "open": "note"}
CONTENTS = [("statements", "Published and measured"), ("pictures", "Pictures"), SETTINGS]


def reproduced(
    entry: Reproduction, outcome: Outcome, *, quick: bool, seed: int, seconds: float = 0.0, now: datetime | None = None
) -> Report:
    """The page of what `entry` found. seconds: how long that took."""
    figures = [drawn_figure(number, said) for number, said in enumerate(outcome.pictures, 1)]
    payloads = {figure.anchor: figure.payload for figure in figures if figure.payload}
    page = {
        "label": "reproduction",
        "claim": outcome.claim,
        "entry": entry,
        "outcome": outcome,
        "figures": figures,
        "levels": LEVELS,
        "contents": CONTENTS,
        "facts": _facts(entry, outcome, quick, seed, seconds),
        **carried(payloads, now or moment()),
    }
    facts = {"made": page["made"], "statements": _statements(outcome)}
    render = environment().get_template("reproduction.html.j2").render
    return Report(outcome.claim, lambda: render(page), (("Pictures", tuple(figures)),), facts)


def _statements(outcome: Outcome) -> list[dict[str, str]]:
    return [
        {name: str(getattr(one, name)) for name in ("published", "where", "measured", "agreement", "why")} for one in outcome.statements
    ]


def _facts(entry: Reproduction, outcome: Outcome, quick: bool, seed: int, seconds: float) -> str:
    counts = [f"{outcome.count(agreement)} {word}" for agreement, word in (("agrees", "agree"), ("differs", "differ"), ("open", "open"))]
    took = f" It took {seconds:.0f} seconds." if seconds else ""
    small = " A quick version: the settings say what is smaller than in the source." if quick else ""
    return f"{entry.title}. {entry.source}. Of {len(outcome.statements)} published statements {listed(counts)}. Seed {seed}.{took}{small}"

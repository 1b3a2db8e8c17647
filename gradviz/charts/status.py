"""Status: what every finding says of every run, as tiles."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from gradviz.charts._base import Chart
from gradviz.charts._common import nothing
from gradviz.charts._description import Description, Panel, Tiles
from gradviz.findings import ORDER, Verdict, verdicts
from gradviz.frames import Run
from gradviz.wording import listed

ROOM = 6  # columns whose words can be read
COLUMNS = ("run", "code", "severity", "word", "summary")
SOURCE = "Each finding names where it was first described"
LOOK_FOR = (
    "Healthy is a row of good or grey tiles. "
    "A critical tile is a run that has not learned what it could, and the tile’s word says why; read its evidence before the run’s loss."
)


@dataclass(frozen=True)
class Status(Chart):
    """One row a run, one column a finding that says something of a run."""

    needs = ("steps", "reach", "timesteps", "saturation", "trouble")
    purpose = "what every finding says of every run"

    def describe(self, runs: Sequence[Run]) -> Description:
        said = {run.label: {verdict.code: verdict for verdict in verdicts(run)} for run in runs}
        rows = [(label, item.code, item.severity, item.word, item.summary) for label, of_run in said.items() for item in of_run.values()]
        if not rows:
            return nothing("status", "There is no run, or no finding, to show.", COLUMNS, LOOK_FOR)
        frame = pd.DataFrame(rows, columns=list(COLUMNS))
        codes, others = _shown(frame)
        cells = tuple(tuple(_tile(of_run.get(code)) for code in codes) for of_run in said.values())
        tiles = Tiles(tuple(said), tuple(code.replace("_", " ") for code in codes), cells)
        subtitle = f"One row a run, one column a finding; the word says what was found.{_unshown(others)}"
        return Description("status", _title(frame), subtitle, LOOK_FOR, frame, (Panel((tiles,)),), columns=1, shape="tiles", source=SOURCE)


def _shown(frame: pd.DataFrame) -> tuple[list[str], list[str]]:
    """Findings that have a column, the most severe first, and those that have none: where some say that something is wrong or to be noted,
    only these; at most as many as there is room for."""
    worst = frame.assign(rank=frame["severity"].map(ORDER.index)).groupby("code", sort=False)["rank"].min().sort_values(kind="stable")
    telling = [str(code) for code in worst.index if worst[code] < ORDER.index("good")] or [str(code) for code in worst.index]
    return telling[:ROOM], [str(code) for code in worst.index if code not in telling[:ROOM]]


def _unshown(codes: Sequence[str]) -> str:
    if not codes:
        return ""
    return f" Not shown, for there is less to say: {listed([code.replace('_', ' ') for code in codes])}."


def _tile(verdict: Verdict | None) -> tuple[str, str]:
    return ("none", "–") if verdict is None else (verdict.severity, verdict.word)


def _title(frame: pd.DataFrame) -> str:
    """The runs of the most severe kind, with their words."""
    count = frame["run"].nunique()
    worst = min(frame["severity"], key=ORDER.index)
    rows = frame[frame["severity"] == worst]
    if worst not in ("critical", "warning"):
        return f"No finding is critical or a warning in {'the run' if count == 1 else f'any of the {count} runs'}"
    parts = [f"{run} ({listed(list(dict.fromkeys(words)))})" for run, words in rows.groupby("run", sort=False)["word"]]
    level = {"critical": "a critical finding", "warning": "a warning"}[worst]
    who = "The run" if count == 1 else f"{len(parts)} of {count} runs"
    return f"{who} {'has' if len(parts) == 1 else 'have'} {level}: {'; '.join(parts)}"

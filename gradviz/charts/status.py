"""Status: what every finding says of every run, as tiles."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from gradviz.charts._base import Chart
from gradviz.charts._common import nothing
from gradviz.charts._description import Description, Panel, Tiles
from gradviz.findings import FINDINGS, ORDER, Verdict, verdicts
from gradviz.frames import Run
from gradviz.wording import listed

COLUMNS = ("run", "code", "severity", "word", "summary")
LOOK_FOR = (
    "Healthy is a row of good or grey tiles. "
    "A critical tile is a run that has not learned what it could, and the tile’s word says why; read its evidence before the run’s loss."
)


@dataclass(frozen=True)
class Status(Chart):
    """One row a run, one column a finding."""

    needs = ("steps", "reach", "timesteps", "saturation", "trouble")
    purpose = "what every finding says of every run"

    def describe(self, runs: Sequence[Run]) -> Description:
        said = {run.label: {verdict.code: verdict for verdict in verdicts(run)} for run in runs}
        codes = [name for name in FINDINGS if any(name in of_run for of_run in said.values())]
        codes += [code for of_run in said.values() for code in of_run if code not in codes]
        if not codes:
            return nothing("status", "There is no run, or no finding, to show.", COLUMNS, LOOK_FOR)
        rows = [(label, item.code, item.severity, item.word, item.summary) for label, of_run in said.items() for item in of_run.values()]
        frame = pd.DataFrame(rows, columns=list(COLUMNS))
        cells = tuple(tuple(_tile(of_run.get(code)) for code in codes) for of_run in said.values())
        tiles = Tiles(tuple(said), tuple(code.replace("_", " ") for code in codes), cells)
        subtitle = "One row a run, one column a finding; the word says what was found."
        return Description("status", _title(frame), subtitle, LOOK_FOR, frame, (Panel((tiles,)),), columns=1, shape="tiles")


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

"""The table of runs: what training ends with and `gradviz runs list` shows."""

import math
from collections.abc import Callable, Sequence
from pathlib import Path

from rich.text import Text

from gradviz.bits import perplexity
from gradviz.commands._console import printable, show_table
from gradviz.findings._summary import row
from gradviz.frames import Run
from gradviz.wording import THIN, factor, number, percent, steps

STYLES = {"critical": "bold red", "warning": "yellow", "note": "cyan", "good": "green", "none": ""}
COLUMNS = (
    ("run", "left"),
    ("finding", "left"),
    ("loss", "right"),
    ("held out", "right"),
    ("perplexity", "right"),
    ("gradient per step back", "right"),
    ("half-life", "right"),
    ("shortened", "right"),
    ("updates", "right"),
    ("status", "left"),
)
DISPENSABLE = ("updates", "status", "perplexity", "held out", "shortened", "half-life")


def show_runs(runs: Sequence[Run], inside: Path | None = None) -> None:
    """One line a run, task by task, by its name or, with `inside`, by its place in that folder.

    Perplexity is that of the held-out loss at the end, in texts.
    Half-life and gradient per step back are those of a gradient that starts at the last time step.
    """
    tasks = list(dict.fromkeys(map(_task, runs)))
    lines = [_line(run, inside) for run in sorted(runs, key=lambda run: tasks.index(_task(run)))]
    kept = [index for index, (heading, _) in enumerate(COLUMNS) if heading != "perplexity" or any(run.token for run in runs)]
    show_table([COLUMNS[index] for index in kept], [[line[index] for index in kept] for line in lines], DISPENSABLE)


def _task(run: Run) -> str:
    return str(run.meta.get("experiment", {}).get("task", {}).get("name", ""))


def _line(run: Run, inside: Path | None) -> list[str | Text]:
    said = row(run)
    value = {name: float(item) for name, item in said.items() if not isinstance(item, str)}
    return [
        run.name if inside is None or run.path == inside else str(run.path.relative_to(inside)),
        Text(printable(said["word"]), STYLES[str(said["severity"])]),
        _or_dash(value["loss"], number),
        _or_dash(value["held_out_loss"], number),
        _or_dash(perplexity(value["held_out_loss"]), number) if run.token else "–",
        " → ".join(_or_dash(value[name], factor) for name in ("decay_start", "decay_end")),
        _half_life(value["half_life"]),
        _or_dash(value["share_clipped"], percent),
        f"{value['updates']:.0f}",
        str(said["status"]),
    ]


def _or_dash(value: float, words: Callable[[float], str]) -> str:
    return "–" if math.isnan(value) else words(value).replace(THIN, " ")


def _half_life(value: float) -> str:
    return "does not fade" if value == math.inf else _or_dash(value, steps)

"""What was set: what a group of runs has in common once, and a table of what differs."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gradviz.frames import Run
from gradviz.reports._tables import said
from gradviz.reports.kinds._base import by_task


@dataclass(frozen=True)
class Settings:
    """common: (name, value) pairs; names, rows: settings that differ, and per run its values in that order."""

    about: str
    common: tuple[tuple[str, str], ...]
    names: tuple[str, ...]
    rows: tuple[tuple[Run, tuple[str, ...]], ...]


def settings(runs: Sequence[Run]) -> list[Settings]:
    """One group a task: options of different tasks have little to compare."""
    return [_group(task, members) for task, members in by_task(runs).items()]


def _group(task: str, runs: tuple[Run, ...]) -> Settings:
    flat = [flattened({key: value for key, value in run.meta["experiment"].items() if key != "name"}) for run in runs]
    names = list(dict.fromkeys(name for values in flat for name in values))
    same = [name for name in names if all(values.get(name, ...) == flat[0].get(name, ...) for values in flat)]
    differ = [name for name in names if name not in same]
    rows = tuple((run, tuple(said(values.get(name)) for name in differ)) for run, values in zip(runs, flat, strict=True))
    return Settings(task, tuple((words(name), said(flat[0][name])) for name in same), tuple(words(name) for name in differ), rows)


def flattened(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested options as one level: {"training": {"batch": 32}} → {"training batch": 32}; an entry's name stands for the entry."""
    flat: dict[str, Any] = {}
    for key, value in values.items():
        name = prefix if key == "name" and prefix else f"{prefix} {key}".strip()
        flat.update(flattened(value, name) if isinstance(value, dict) else {name: value})
    return flat


def words(name: str) -> str:
    """The name as a label, without the groups that go without saying: "model cell" → "Cell"."""
    short = name.removeprefix("model ").removeprefix("training ").replace("_", " ")
    return short[:1].upper() + short[1:]

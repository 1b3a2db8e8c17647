"""Runs in several goes, and everything a run says in a form that can be compared bit by bit."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gradviz.config import Experiment
from gradviz.recording.reading import note, read_meta, read_table, read_weights
from gradviz.recording.schema import TABLES
from gradviz.training import Progress, resume, train


def stop_at(*steps: int) -> Callable[[Progress], None]:
    """Ctrl-C after these updates."""

    def watch(progress: Progress) -> None:
        if progress.step in steps:
            raise KeyboardInterrupt

    return watch


def content(folder: Path) -> dict[str, Any]:
    """Everything a run says, seconds left out, in a form that is equal if every bit is."""
    tables = {}
    for name in TABLES:
        table = read_table(folder, name)
        assert note(table) == ""
        tables[name] = [{key: repr(value) for key, value in row.items() if key != "seconds"} for row in table.to_pylist()]
    weights = {which: {name: array.tobytes() for name, array in read_weights(folder, which).items()} for which in ("last", "best")}
    meta = {key: value for key, value in read_meta(folder).items() if key not in ("created", "seconds", "name")}
    return {"tables": tables, "weights": weights, "meta": json.dumps(meta, sort_keys=True)}


def differing(one: dict[str, Any], other: dict[str, Any]) -> list[str]:
    tables = [f"table {name}" for name in TABLES if one["tables"][name] != other["tables"][name]]
    weights = [f"{which} weights" for which in ("last", "best") if one["weights"][which] != other["weights"][which]]
    return [*tables, *weights, *(["run.json"] if one["meta"] != other["meta"] else [])]


def interrupted(experiment: Experiment, folder: Path, *steps: int) -> Path:
    """Train with interruptions after these updates, resumed each time, to the end."""
    with pytest.raises(KeyboardInterrupt):
        train(experiment, folder, watch=stop_at(steps[0]))
    for step in steps[1:]:
        assert read_meta(folder)["status"] == "interrupted"
        with pytest.raises(KeyboardInterrupt):
            resume(folder, watch=stop_at(step))
    return resume(folder)

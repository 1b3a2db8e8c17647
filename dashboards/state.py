"""What the dashboard knows: the folder of runs, the runs found in it, and which of them are chosen.

What is chosen lives in widgets that are bound to the address, so that a link reproduces a view. Runs are only ever taken from the
list of those found in the folder; an address cannot open anything else.
"""

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from gradviz import frames
from gradviz.errors import GradvizError
from gradviz.export import find_runs
from gradviz.findings import Verdict, verdicts
from gradviz.frames import Run

Signature = tuple[tuple[str, int, int], ...]


@dataclass(frozen=True)
class Broken:
    """A run that cannot be read, and why."""

    name: str
    reason: str


@dataclass(frozen=True)
class Shelf:
    """Everything found in the folder. signature: (path, size, mtime) of each file; it changes when any run does."""

    runs: tuple[Run, ...]
    broken: tuple[Broken, ...]
    signature: Signature

    @property
    def tasks(self) -> list[str]:
        return list(dict.fromkeys(task_of(run) for run in self.runs))


def folder() -> Path:
    """The folder of runs: the environment variable GRADVIZ_RUNS, else the argument after `--`, else ./gradviz-runs."""
    return Path(os.environ.get("GRADVIZ_RUNS") or (sys.argv[1] if len(sys.argv) > 1 else "gradviz-runs"))


def signature(path: Path) -> Signature:
    """What `path` and the folders in it hold. Cheap enough to be asked every second or two."""
    found = []
    for where, _, names in os.walk(path):
        for name in names:
            try:
                status = os.stat(os.path.join(where, name))
            except FileNotFoundError:  # a file that was replaced just now; the next look sees the new one
                continue
            found.append((os.path.join(where, name), status.st_size, status.st_mtime_ns))
    return tuple(sorted(found))


def shelf() -> Shelf:
    where = folder()
    return _read(str(where), signature(where))


@st.cache_resource(max_entries=2, show_spinner="Reading the runs …")
def _read(where: str, key: Signature) -> Shelf:
    readable, broken = [], []
    for path in find_runs(Path(where)) if Path(where).is_dir() else []:
        try:
            frames.load(path)
        except GradvizError as error:
            broken.append(Broken(path.name, str(error)))
        else:
            readable.append(path)
    return Shelf(tuple(frames.load_runs(readable)) if readable else (), tuple(broken), key)


def task_of(run: Run) -> str:
    return str(run.meta["experiment"]["task"]["name"])


def key_of(runs: Sequence[Run]) -> Signature:
    """The signature of these runs alone: what is computed from them is cached under it."""
    return tuple(item for run in runs for item in signature(run.path))


@st.cache_resource(max_entries=64, show_spinner=False)
def _verdicts(key: Signature, label: str, _run: Run) -> list[Verdict]:
    return verdicts(_run)


def verdicts_of(run: Run) -> list[Verdict]:
    """What every finding says of the run, the most severe first."""
    return _verdicts(key_of([run]), run.label, run)


def choose(found: Shelf) -> None:
    """The sidebar's controls: the task, and the runs of that task. No run chosen means all of them."""
    if len(found.tasks) > 1:
        st.segmented_control("Task", found.tasks, default=found.tasks[0], required=True, key="task", bind="query-params")
    labels = [run.label for run in of_task(found)]
    st.multiselect("Runs", labels, key="runs", bind="query-params", placeholder=f"all {len(labels)}", help="Pages show these runs. Choose none to see all.")


def of_task(found: Shelf) -> list[Run]:
    task = st.session_state.get("task") or found.tasks[0]
    return [run for run in found.runs if task_of(run) == task]


def chosen() -> list[Run]:
    """The runs that the pages show."""
    runs = of_task(shelf())
    wanted = st.session_state.get("runs") or []
    return [run for run in runs if run.label in wanted] or runs

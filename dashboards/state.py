"""What the dashboard knows: the folder of runs, the runs found in it, and which of them are chosen.

What is chosen lives in widgets that are bound to the address, so that a link reproduces a view. Runs are only ever taken from the
list of those found in the folder; an address cannot open anything else.
"""

import hashlib
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import streamlit as st

from gradviz import frames
from gradviz.dashboards import fence, look
from gradviz.errors import GradvizError
from gradviz.findings import Verdict, verdicts
from gradviz.findings._summary import headline, row
from gradviz.frames import Run
from gradviz.recording.reading import find_runs

LONGEST, MOST = 60, 5  # letters of a label, and labels, that are named when runs are missing

Signature = str
_signed: WeakKeyDictionary[Run, Signature] = WeakKeyDictionary()


class Broken(NamedTuple):
    """A run that cannot be read, and why."""

    name: str
    reason: str


@dataclass(frozen=True)
class Shelf:
    """Everything found in the folder. tasks: runs by task, the task with most runs first; labels tell the runs of one task apart.
    signature: of the folder; it changes when any run does."""

    tasks: dict[str, list[Run]]
    broken: list[Broken]
    signature: Signature

    @property
    def runs(self) -> list[Run]:
        return [run for runs in self.tasks.values() for run in runs]


@dataclass(frozen=True)
class Kept:
    """What is remembered of a choice of runs of one task, also while a page without the choice is shown. chosen: labels; paths: of
    every label that there was; gone: labels that are waited for."""

    task: str
    chosen: tuple[str, ...] = ()
    paths: Mapping[str, Path] = field(default_factory=dict)
    gone: tuple[str, ...] = ()


def folder() -> Path:
    """The folder of runs: the environment variable GRADVIZ_RUNS, else the argument after `--`, else ./gradviz-runs."""
    return Path(os.environ.get("GRADVIZ_RUNS") or (sys.argv[1] if len(sys.argv) > 1 else "gradviz-runs"))


def signature(path: Path) -> Signature:
    """Tells what `path` and the folders in it hold: names, sizes and times of all files. Cheap enough to be asked every second or two,
    and short, for Streamlit takes long to make a key of a long list."""
    return _digest(sorted(_files(path)))


def _digest(facts: object) -> Signature:
    return hashlib.blake2b(repr(facts).encode("utf-8", "surrogateescape"), digest_size=16).hexdigest()


def changed_at(path: Path) -> float:
    """When the newest of its files was written, in seconds since 1970; 0 if there is none."""
    return max((mtime for _, _, mtime in _files(path)), default=0) / 1e9


def _files(path: Path) -> list[tuple[str, int, int]]:
    """Name, size and time of every file."""
    found: list[tuple[str, int, int]] = []
    _look(str(path), found)
    return found


def _look(folder: str, found: list[tuple[str, int, int]]) -> None:
    """Adds what a folder holds. Of a link it is the link itself, which is not followed: a new one is news, what it leads to is not."""
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            with suppress(OSError):  # replaced or taken away just now; the next look sees what is there then
                if entry.is_dir(follow_symlinks=False):
                    _look(entry.path, found)
                else:
                    status = entry.stat(follow_symlinks=False)
                    found.append((entry.path, status.st_size, status.st_mtime_ns))


def shelf() -> Shelf:
    where = folder()
    return _read(str(where), signature(where))


@st.cache_resource(max_entries=2, show_spinner=False)
def _read(where: str, key: Signature) -> Shelf:
    top, readable, signed = Path(where), [], {}
    links = fence.leading_out(top)
    broken = [Broken(str(link.relative_to(top)), fence.WHY) for link in links]
    for path in find_runs(top) if top.is_dir() else []:
        if any(link.is_relative_to(path) for link in links):
            continue
        signed[path] = signature(path)  # before it is read: what is written meanwhile changes it
        try:
            run = frames.load(path)
            if "experiment" in run.meta:  # else it began a moment ago, and has not said yet what it is
                readable.append(run)
        except GradvizError as error:
            broken.append(Broken(path.name, str(error)))
    tasks = sorted({task_of(run) for run in readable}, key=lambda task: (-sum(task_of(run) == task for run in readable), task))
    found = Shelf({task: frames.label_runs([run for run in readable if task_of(run) == task]) for task in tasks}, broken, key)
    for run in found.runs:
        _signed[run] = signed[run.path]
    return found


def task_of(run: Run) -> str:
    return run.setting("task", "name")


def key_of(runs: Sequence[Run]) -> Signature:
    """Tells these runs and what their files held when they were found: what is computed from them is cached under it. A page that asks
    for many charts need not look at the disk for each."""
    return _digest([(run.label, _signed.get(run) or signature(run.path)) for run in runs])


@st.cache_resource(max_entries=256, show_spinner=False)
def _judged(key: Signature, _run: Run) -> tuple[list[Verdict], Verdict, dict[str, Any]]:
    return verdicts(_run), headline(_run), row(_run)


def verdicts_of(run: Run) -> list[Verdict]:
    """What every finding says of the run, the most severe first."""
    return _judged(key_of([run]), run)[0]


def headline_of(run: Run) -> Verdict:
    return _judged(key_of([run]), run)[1]


def row_of(run: Run) -> dict[str, Any]:
    return _judged(key_of([run]), run)[2]


def choose(found: Shelf, page: str) -> None:
    """The sidebar's controls: the task, and the runs of that task. No run chosen means all of them."""
    tasks = list(found.tasks)
    _follow_link(found, page)
    kept: Kept | None = st.session_state.get("kept")
    if kept and kept.task in tasks and "task" not in {*st.session_state, *st.query_params}:
        st.session_state["task"] = kept.task  # the reader comes from a page without these controls
    if len(tasks) > 1:
        st.segmented_control("Task", tasks, default=tasks[0], required=True, key="task", bind="query-params")
    runs = of_task(found)
    labels, gone = [run.label for run in runs], _keep(runs)
    hint = "Pages show these runs. Choose none to see all."
    st.multiselect("Runs", labels, key="runs", bind="query-params", placeholder=f"all {len(labels)}", help=hint, on_change=_forget)
    if gone:
        names = ", ".join(label[:LONGEST] for label in gone[:MOST])
        st.caption(look.plain(f"Not among these runs, or not any more: {names}. A run that comes back is shown again."))


def _follow_link(found: Shelf, page: str) -> None:
    """A link to another page may choose other runs, but widgets that are on both pages would keep what they had."""
    if st.session_state.get("page", page) != page:
        if st.query_params.get("task") in found.tasks:
            st.session_state["task"] = st.query_params["task"]
        wanted = list(dict.fromkeys(st.query_params.get_all("runs")))
        if wanted and wanted != st.session_state.get("runs"):
            st.session_state["runs"] = wanted
            _forget()
        st.session_state["standing"] = set()
    st.session_state["page"] = page


def _keep(runs: Sequence[Run]) -> list[str]:
    """Holds on to a choice while the runs change: one that has got another label is followed, one that has gone is waited for. Returns
    the labels that are waited for."""
    labels, task = {run.label: run.path for run in runs}, task_of(runs[0])
    kept: Kept = st.session_state.get("kept", Kept(task))
    chosen = list(st.session_state.get("runs", st.query_params.get_all("runs") or kept.chosen))
    if kept.task != task:
        kept, chosen = Kept(task), [label for label in chosen if label in labels]
    now = {path: label for label, path in labels.items()}
    wanted = [label if label in labels else now.get(kept.paths.get(label, Path()), label) for label in [*chosen, *kept.gone]]
    wanted = list(dict.fromkeys(wanted))
    here = [label for label in wanted if label in labels]
    gone = [label for label in wanted if label not in labels]
    if here != chosen:
        st.session_state["runs"] = here
    st.session_state["kept"] = Kept(task, tuple(here), {**kept.paths, **labels}, tuple(gone))
    return gone


def _forget() -> None:
    """Whoever chooses anew waits for nothing."""
    st.session_state.pop("kept", None)


def of_task(found: Shelf) -> list[Run]:
    """The runs of the chosen task."""
    return found.tasks.get(st.session_state.get("task", ""), next(iter(found.tasks.values())))


def chosen() -> list[Run]:
    """The runs that the pages show: those chosen, or all of the task."""
    runs = of_task(shelf())
    wanted = st.session_state.get("runs") or []
    return [run for run in runs if run.label in wanted] or runs

"""“Make a report of this”: the runs of a page as one HTML file, made when it is asked for."""

import re
import shlex
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from gradviz.dashboards import look, show, state
from gradviz.errors import GradvizError
from gradviz.frames import Run, label_runs
from gradviz.reports import KINDS, report

LONGEST = 60  # letters of a file name that come from a run


@dataclass(frozen=True)
class Made:
    """A report, or the reason why there is none. of: its kind and the folders of its runs; at: the time it was made, as of the server."""

    of: tuple[str, tuple[Path, ...]]
    page: bytes
    problem: str
    at: str


def offer(page: str, kind: str, runs: Sequence[Run]) -> None:
    """A button that opens a small form. kind: what fits the page, and is chosen first."""
    with st.popover("Make a report of this", icon=":material/description:", key="make-report"):
        st.fragment(form)(page, kind, runs)


def form(page: str, kind: str, runs: Sequence[Run]) -> None:
    kinds = list(KINDS)
    chosen = str(st.selectbox("Kind of report", kinds, kinds.index(kind), key=f"{page}-report", bind="query-params"))
    st.caption(look.plain(f"{subject(runs)}: {KINDS[chosen].purpose}. One HTML file that opens without a network."))
    name, of = file_name(chosen, runs), (chosen, tuple(run.path for run in runs))
    if st.button("Make it", type="primary", icon=":material/play_arrow:", key="make"):
        with st.spinner(f"Drawing {subject(runs)}. Most kinds take seconds, the full report a minute or more."):
            st.session_state["made"] = made(of, runs)
    done: Made | None = st.session_state.get("made")
    if done is not None and done.of == of:
        offered(done, name)
    st.caption("The same in a shell:")
    st.code(command(chosen, runs, name), language=None, wrap_lines=True)


def subject(runs: Sequence[Run]) -> str:
    return runs[0].label if len(runs) == 1 else f"{len(runs)} runs"


def made(of: tuple[str, tuple[Path, ...]], runs: Sequence[Run]) -> Made:
    """Labels are those that the command line gives the same runs."""
    try:
        page, problem = report(label_runs(runs), of[0]).html().encode("utf-8", "replace"), ""
    except GradvizError as error:
        page, problem = b"", str(error)
    except OSError as error:
        page, problem = b"", f"A file cannot be read: {error.strerror or error}. Is its run being replaced? Make the report again."
    return Made(of, page, problem, time.strftime("%H:%M:%S"))


def offered(done: Made, name: str) -> None:
    if done.problem:
        show.problem("The report was not made", done.problem)
        return
    label = f"Download the report ({len(done.page) / 1e6:.1f} MB)"
    st.download_button(label, done.page, name, "text/html", on_click="ignore", icon=":material/download:", key="take-report")
    st.caption(f"Made at {done.at}. What was recorded since then is not in it.")


def file_name(kind: str, runs: Sequence[Run]) -> str:
    """Letters, digits, dots and dashes alone, whatever the runs are called."""
    about = runs[0].path.name if len(runs) == 1 else "-".join(dict.fromkeys(map(state.task_of, runs)))
    plain = re.sub(r"[^A-Za-z0-9.]+", "-", about)[:LONGEST].strip("-.")
    return "-".join(filter(None, ("gradviz", kind, plain))) + ".html"


def command(kind: str, runs: Sequence[Run], name: str) -> str:
    """What writes the same report, to be copied. All runs of the folder are named by the folder."""
    shelf, top = state.shelf(), state.folder()
    whole = not shelf.broken and {run.path for run in runs} == {run.path for run in shelf.runs}
    folders = [spelled(path) for path in ([top] if whole else [run.path for run in runs])]
    return shlex.join(["gradviz", "report", *folders, "--kind", kind, "-o", name])


def spelled(path: Path) -> str:
    """A path as a shell takes it; one that begins with a dash would be read as a flag."""
    text = str(path).encode("utf-8", "replace").decode()
    return f"./{text}" if text.startswith("-") else text

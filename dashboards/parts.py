"""Pieces that several pages share: states without data, links from a verdict to its evidence, and controls."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from gradviz.dashboards import look, making, show, state
from gradviz.dashboards.views import VIEWS
from gradviz.findings import Verdict
from gradviz.frames import Run


def empty(found: state.Shelf, image: Path) -> None:
    """No run that can be shown: say what is missing, and how to get it."""
    with st.container(width=640):
        st.image(str(image), width=200)
        st.title("No runs here yet", anchor=False)
        st.markdown(f"The folder `{state.folder()}` holds no recorded run. Train the demo’s nine small networks; it takes about a minute:")
        st.code(f"gradviz demo --out {state.folder()}", language=None)
        making.offer()
        st.caption("Or record your own, with “gradviz train” or on the page Train. This page notices new runs by itself, while they train.")
    broken(found)


def patiently(read: Callable[[], state.Shelf]) -> state.Shelf:
    """The runs; while they are read for the first time, the shape of the page to come."""
    place = st.empty()
    if "pages_seen" not in st.session_state:
        with place.container():
            st.title("Reading the runs", anchor=False)
            st.caption(f"from {look.plain(str(state.folder()))}")
            for height in (150, 150, 240):
                st.skeleton(height=height)
    found = read()
    place.empty()
    st.session_state["pages_seen"] = True
    return found


def broken(found: state.Shelf) -> None:
    """What cannot be read or has ended badly stands where one would look for it."""
    for name, reason in found.broken:
        show.problem(f"{name} cannot be shown", f"{reason} Nothing in it was changed.")
    for run in found.runs:
        if run.status == "failed":
            show.problem(
                f"{run.name} stopped before its end", f"{run.meta.get('error') or 'Its error was not recorded.'} What it wrote is shown."
            )
        for note in run.notes if run.status != "running" else []:
            st.caption(f"{look.plain(run.name)}: {look.plain(note)}")


def folder_line(found: state.Shelf) -> None:
    count = len(found.runs) + len(found.broken)
    st.caption(f"{look.plain(str(state.folder()))}, {count} run{'s' if count > 1 else ''}")


def evidence(verdict: Verdict, run: Run, where: str) -> None:
    """A link to the page that shows the verdict's chart, with this run chosen."""
    name = next((name for name in VIEWS if verdict.chart in VIEWS[name].charts), "")
    if name:
        chosen = {"task": state.task_of(run), "runs": run.label}
        page = st.session_state["pages"][name]
        st.page_link(page, label=where, icon=":material/arrow_forward:", icon_position="right", query_params=chosen)


def step_slider(steps: Sequence[int], key: str = "step") -> int:
    """The recorded training step to look at; the last one at first. If there is nothing to choose: -1, the last."""
    if len(steps) < 2:
        return -1
    return int(st.select_slider("Training step", list(steps), value=steps[-1], key=key, bind="query-params", width=420))


def nearest(steps: Sequence[int], key: str = "step") -> Any:
    """What a click in a film does: the slider moves to the recorded step that is nearest to it."""

    def move(x: float) -> None:
        st.session_state[key] = min(steps, key=lambda step: abs(step - float(x)))

    return move


def layer_choice(runs: Sequence[Run]) -> int:
    """A layer that all of the runs have; no control, and -1, which charts take as the last, if there is one layer."""
    count = min(run.layers for run in runs)
    if count < 2:
        return -1
    parts = [{run.part(layer) for run in runs} for layer in range(count)]
    names = [f"{layer} ({found.pop()})" if len(found) == 1 and found != {""} else str(layer) for layer, found in enumerate(parts)]
    width = 120 if names[0] == "0" else 160
    return int(st.selectbox("Layer", range(count), count - 1, names.__getitem__, key="layer", bind="query-params", width=width))

"""Pieces that several pages share: states without data, links from a verdict to its evidence, and controls."""

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from gradviz.dashboards import look, making, show, state
from gradviz.dashboards.views import VIEWS
from gradviz.findings import Verdict
from gradviz.frames import Run

WAY_BACK = "waterfall"  # the chart of the gradient's way back through the time steps


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


def pages_of(verdict: Verdict) -> list[str]:
    """Names of the pages that show what a verdict rests on: its chart, and the way back if that is what was measured."""
    charts = [verdict.chart, *([WAY_BACK] if {"step", "decay", "horizon"} <= set(verdict.rows.columns) else [])]
    found = [name for chart in charts for name in VIEWS if chart in VIEWS[name].charts]
    return list(dict.fromkeys(found))


def evidence(verdict: Verdict, run: Run, where: str) -> None:
    """Links to the pages that show the verdict's numbers, with this run chosen, and the training step that it speaks of."""
    with st.container(horizontal=True, gap="small"):
        for place, name in enumerate(pages_of(verdict)):
            page, label = st.session_state["pages"][name], VIEWS[name].title if place else where
            query = {"task": state.task_of(run), "runs": run.label, **step_of(verdict, run, name)}
            st.page_link(page, label=label, icon=":material/arrow_forward:", icon_position="right", width="content", query_params=query)


def step_of(verdict: Verdict, run: Run, page: str) -> dict[str, str]:
    """What the address says of the training step: the recorded one nearest to the verdict's, unless the page opens there anyway."""
    steps = run.reach_steps if WAY_BACK in VIEWS[page].charts else run.probe_steps if "gate_heatmap" in VIEWS[page].charts else []
    of_rows = sorted({*verdict.rows.get("step", [])})
    wanted = verdict.numbers.get("step", float(of_rows[0]) if len(of_rows) == 1 else math.nan)
    if not steps or math.isnan(wanted):
        return {}
    step = min(steps, key=lambda step: abs(step - wanted))
    return {} if step == steps[-1] else {"step": str(step)}


def said_of(page: str, runs: Sequence[Run]) -> None:
    """If a page shows one run alone: the most severe verdict that it is the evidence for, in full."""
    said = [verdict for verdict in state.verdicts_of(runs[0]) if page in pages_of(verdict)] if len(runs) == 1 else []
    if said and said[0].severity in ("critical", "warning", "note"):
        st.caption(f"{look.chip(said[0].severity, said[0].word)} {look.plain(said[0].summary)}")


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

"""The demo's runs, made at the press of a button: in a process of its own, whose progress every page shows."""

from pathlib import Path

import streamlit as st

from gradviz import frames, starting
from gradviz.dashboards import show, state, trainings
from gradviz.errors import GradvizError
from gradviz.recording.segments import META


def offer() -> None:
    """Where there are no runs yet: the button, and what became of pressing it."""
    now = starting.demo(state.folder())
    st.button("Make the demo's runs", type="primary", icon=":material/play_arrow:", key="make-demo", on_click=begin, disabled=now.running)
    if said := st.session_state.pop(trainings.PROBLEM, ""):
        show.problem("The demo was not started", said)
    elif now.error:
        show.problem("The demo ended before its first run", now.error)
    line()


def begin() -> None:
    """Runs before the page is drawn again."""
    trainings.attempt(lambda: starting.start_demo(state.folder()))


def line() -> None:
    """A line with a bar while the demo is being made, and nothing otherwise."""
    if starting.demo(state.folder()).running:
        st.fragment(growing, run_every=1.0)()


def growing() -> None:
    if not starting.demo(state.folder()).running:
        st.rerun()
    done, share = progress(state.folder())
    st.progress(share, text=f"Making the demo: {done} of {len(starting.demo_names())} runs")


def progress(folder: Path) -> tuple[int, float]:
    """How many of the demo's runs are finished, and the share of all their updates that is done."""
    done, share = 0, 0.0
    for name in starting.demo_names():
        if (folder / name / META).is_file():
            try:
                run = frames.load(folder / name)
                done += run.status == "finished"
                share += 1.0 if run.status == "finished" else len(run.steps) / int(run.setting("training", "updates"))
            except (GradvizError, ValueError, ZeroDivisionError):  # half a run of before, which the demo will not touch
                continue
    return done, min(1.0, share / len(starting.demo_names()))

"""Train networks and watch them: what is to be trained, and below it every run that is in training, whoever started it."""

import shlex

import streamlit as st

from gradviz import starting
from gradviz.dashboards import choices, look, show, state, trainings
from gradviz.dashboards.views._base import View
from gradviz.errors import GradvizError

PACE = 1.0  # seconds between two looks


class Train(View):
    section = "Train"
    shows_runs = False
    order = 15
    title = "Train"
    icon = ":material/model_training:"

    def draw(self) -> None:
        busy, files = trainings.busy(), state.signature(state.folder())
        st.fragment(heading, run_every=PACE if busy else None)()
        with st.expander("What to train", icon=":material/tune:", expanded=not busy, key="train-form"):
            offer()
        st.fragment(growing, run_every=PACE if busy else None)()
        st.fragment(lookout, run_every=PACE)(busy, files)


def heading() -> None:
    st.title(look.plain(trainings.title(trainings.watched())), anchor=False)
    st.caption("Each run is a process of its own and goes on when this page is closed. Its clipping threshold can be changed meanwhile.")


def offer() -> None:
    chosen = choices.form()
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        if st.button("Start", type="primary", icon=":material/play_arrow:", key="train-go"):
            begin(chosen)
        if chosen.cells:
            st.caption(f"{len(chosen.cells)} run{'s' if len(chosen.cells) > 1 else ''}, side by side")
    try:
        first = choices.experiments(chosen, state.folder(), keep=False)[0]
    except GradvizError as error:
        st.warning(look.plain(str(error)), icon=":material/error:")
        return
    with st.popover("The same from a terminal", icon=":material/terminal:", type="tertiary"):
        st.code(shlex.join(["gradviz", "train", *starting.typed(first), f"--out={state.folder()}"]), language=None, wrap_lines=True)
        if len(chosen.cells) > 1:
            st.caption("This is the first cell’s run; the others differ in --cell.")


def begin(chosen: choices.Chosen) -> None:
    try:
        for experiment in choices.experiments(chosen, state.folder()):
            starting.start(experiment, state.folder())
    except GradvizError as error:
        st.session_state[trainings.PROBLEM] = str(error)
    else:
        st.rerun()


def lookout(busy: bool, files: state.Signature) -> None:
    """Draws nothing. Where nothing trains, the page is drawn again when a file changes, and not by the second."""
    if trainings.busy() != busy or (not busy and files != state.signature(state.folder())):
        st.rerun()


def growing() -> None:
    if said := st.session_state.pop(trainings.PROBLEM, ""):
        show.problem("That was not done", said)
    trainings.panel()

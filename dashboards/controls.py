"""Controls that several pages share. All are bound to the address; what stands there and cannot be is replaced by the default."""

from collections.abc import Callable, Sequence

import streamlit as st

from gradviz.frames import Run

EVERY = "all"  # losses of a gradient matrix
NAMES = {"last": "at the end", "best": "lowest held-out loss", "start": "at the start"}


def number(label: str, high: int, key: str, hint: str | None = None) -> int:
    """A slider from 0 to `high`. Another run may have made it larger before; no control, and 0, if there is nothing to choose."""
    if high < 1:
        return 0
    if key in st.session_state:
        st.session_state[key] = min(max(int(st.session_state[key]), 0), high)
    return int(st.slider(label, 0, high, key=key, help=hint, bind="query-params", width=260))


def setter(key: str) -> Callable[[float], None]:
    """What a click does: the slider moves to the place that was clicked."""

    def move(place: float) -> None:
        st.session_state[key] = round(place)

    return move


def run(runs: Sequence[Run]) -> Run:
    """One of the runs; no control if there is one."""
    by_label = {run.label: run for run in runs}
    if len(runs) < 2:
        return runs[0]
    return by_label[st.selectbox("Run", list(by_label), key="run", bind="query-params", width=220)]


def example(run: Run) -> int:
    """One of the held-out sequences whose arrays were kept."""
    count = len(run.meta["probe"]["lengths"])
    if count < 2:
        return 0
    hint = "held-out sequences whose arrays were kept"
    return int(st.segmented_control("Sequence", range(count), default=0, required=True, key="example", bind="query-params", help=hint))


def loss(count: int) -> int:
    """A step whose loss is looked at alone; -1: all of them."""
    if count < 2:
        return -1
    options = [EVERY, *map(str, range(count))]
    hint = "one loss by itself, or all of them"
    chosen = st.select_slider("Loss at step", options, key="token", bind="query-params", help=hint, width=260)
    return -1 if chosen == EVERY else int(chosen)


def to_loss(place: float) -> None:
    """What a click in a gradient matrix does."""
    st.session_state["token"] = str(round(place))


def weights(runs: Sequence[Run]) -> str:
    """Which weights of the run are taken up again."""
    kinds = [kind for kind in NAMES if kind != "best" or all(run.best for run in runs)]
    said = [NAMES[kind] for kind in kinds]
    chosen = st.segmented_control("Weights", said, default=said[0], required=True, key="weights", bind="query-params")
    return kinds[said.index(chosen)]

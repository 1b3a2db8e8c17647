"""Controls that several pages share. All are bound to the address; what stands there and cannot be is replaced by the default."""

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from gradviz.frames import Run

NAMES = {"last": "at the end", "best": "lowest held-out loss", "start": "at the start"}


def choice(label: str, options: Sequence[Any], key: str, first: Any = None, hint: str | None = None) -> Any:
    """One of a few, side by side; `first`, or the first of them, until another is chosen. An address may say that none is."""
    default = options[0] if first is None else first
    chosen = st.segmented_control(label, options, default=default, required=True, key=key, bind="query-params", help=hint)
    return default if chosen is None else chosen


def number(label: str, high: int, key: str, hint: str | None = None) -> int:
    """A slider from 0 to `high`. Another run may have made it larger before; no control, and 0, if there is nothing to choose."""
    if high < 1:
        st.session_state.pop(key, None)  # what was chosen where there was something: nobody is to wait for it here
        return 0
    if key in st.session_state:
        st.session_state[key] = min(max(int(st.session_state[key]), 0), high)
    return int(st.slider(label, 0, high, key=key, help=hint, bind="query-params", width=260))


def setter(key: str) -> Callable[[float], None]:
    """What a click does: the slider moves to the place that was clicked."""

    def move(place: float) -> None:
        st.session_state[key] = round(place)

    return move


def run(runs: Sequence[Run], first: Run | None = None) -> Run:
    """One of the runs, at first `first` or the first of them; no control if there is one."""
    by_label = {run.label: run for run in runs}
    if len(runs) < 2:
        return runs[0]
    index = runs.index(first) if first in runs else 0
    return by_label[st.selectbox("Run", list(by_label), index, key="run", bind="query-params", width=220)]


def example(run: Run) -> int:
    """One of the held-out sequences whose arrays were kept."""
    count = len(run.meta["probe"]["lengths"])
    if count < 2:
        return 0
    return int(choice("Sequence", range(count), "example", hint="held-out sequences whose arrays were kept"))


def one_of(label: str, count: int, key: str, without: str, hint: str | None = None) -> int:
    """A slider over `count` things, numbered from 0, and before them what none of them stands for: -1."""
    if count < 1:
        return -1
    options = [without, *map(str, range(count))]
    if st.session_state.get(key, without) not in options:  # chosen for a longer sequence or a larger layer
        st.session_state[key] = without
    chosen = st.select_slider(label, options, key=key, bind="query-params", help=hint, width=260)
    return -1 if chosen == without else int(chosen)


def to_one(key: str) -> Callable[[float], None]:
    """What a click does to such a slider."""

    def move(place: float) -> None:
        st.session_state[key] = str(round(place))

    return move


def direction(run: Run, layer: int) -> str:
    """The direction the layer reads in, where there are two; else none to choose: empty."""
    table = run.facts("probe")
    there = set(table.loc[table["layer"] == (table["layer"].max() if layer < 0 else layer), "direction"])
    if len(there) < 2:
        return ""
    return str(choice("Direction", ["forward", "backward"], "direction"))


def weights(runs: Sequence[Run]) -> str:
    """Which weights of the run are taken up again."""
    kinds = [kind for kind in NAMES if kind != "best" or all(run.best for run in runs)]
    said = [NAMES[kind] for kind in kinds]
    return kinds[said.index(choice("Weights", said, "weights"))]

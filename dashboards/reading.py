"""The page Text, part Read: a text whose tokens have the colour of what the network makes of them."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from gradviz.charts import _passage
from gradviz.dashboards import controls, parts, show
from gradviz.errors import GradvizError
from gradviz.frames import Run

COLOURS = ("State", "Gate", "Probability", "Pull")
OWN = "your own"
FIRST = "The quick brown fox jumps over the lazy dog."
KEEPING = ("forget", "update")  # the gates to look at first
HINT = "Click a token to look at its prediction; the frame marks the one that is chosen."


def draw(run: Run, head: Any) -> None:
    kinds = [kind for kind in COLOURS if kind != "Gate" or points(run, ".gate.")]
    row, below = st.container(horizontal=True, vertical_alignment="bottom", gap="medium"), st.container()
    with row:
        hint = "Pull: how much each earlier token moves the prediction of a later one"
        kind = controls.choice("Colour by", kinds, "colour", "State", hint)
        text, example = source(run, below)
    DRAW[kind](run, head, text, example)


def source(run: Run, place: Any = None) -> tuple[str, int]:
    """The text to read: one that the reader writes (in `place`), or else empty and the number of a recorded sequence."""
    options = [*map(str, range(len(run.meta["probe"]["lengths"]))), OWN]
    hint = "held-out sequences whose arrays were kept, or a text that you write"
    chosen = controls.choice("Sequence", options, "sequence", hint=hint)
    if chosen != OWN:
        return "", int(chosen)
    with place if place is not None else st.container():
        text = st.text_area("Your text", FIRST, height=110, max_chars=_passage.MOST, key="own", bind="query-params")
    return text or FIRST, 0


def points(run: Run, part: str) -> list[str]:
    """Names of recorded points of a kind, such as those of the gates, without what stands before `part`."""
    return list(dict.fromkeys(name.rsplit(part, 1)[1] for name, *_ in run.meta["points"] if part in name))


def states(run: Run) -> list[str]:
    names = {name.rsplit(".", 1)[1] for name, *_ in run.meta["points"]}
    return [name for name in ("cell", "hidden") if name in names]


def state(run: Run, head: Any, text: str, example: int) -> None:
    one_unit(run, head, text, example, states(run), "What of it")


def gate(run: Run, head: Any, text: str, example: int) -> None:
    gates = sorted(points(run, ".gate."), key=lambda name: name not in KEEPING)
    one_unit(run, head, text, example, gates, "Which gate")


def one_unit(run: Run, head: Any, text: str, example: int, choices: list[str], label: str) -> None:
    """A text in the colours of one unit."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        key = label.rsplit(" ", 1)[1]
        point = controls.choice(label, choices, f"text-{key}")
        last = int(run.setting("model", "units") or 1) - 1
        unit = st.number_input(
            "Unit", 0, last, None, step=1, key="unit", placeholder="auto", width=150, bind="query-params",
            help="counted from 0; empty takes the unit whose value varies most over the sequence",
        )  # fmt: skip
        layer = parts.layer_choice([run])
        step = -1 if text else parts.step_slider(run.probe_steps)
    options = {"point": point, "unit": -1 if unit is None else unit, "layer": layer, "step": step}
    show.chart("text_unit", [run], head=head, text=text, example=example, **options)


def likely(run: Run, head: Any, text: str, example: int) -> None:
    show.chart("text_probability", [run], head=head, text=text, example=example)


def pull(run: Run, head: Any, text: str, example: int) -> None:
    """The gradient of one prediction, chosen by a slider or by a click."""
    words = tokens(run, text, example)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="large"):
        position = len(words) - 1
        if len(words) > 1:
            st.session_state["position"] = min(int(st.session_state.get("position", position)), position)
            position = int(st.slider("Position of the prediction", 0, position, key="position", bind="query-params", width=420))
        log = st.toggle("Log scale", True, key="log", bind="query-params", help="colours over four powers of ten")
    click = show.Click(position, mover(run, words), HINT) if words else None
    show.chart("connectivity", [run], head=head, click=click, text=text, example=example, position=position, log=log)


def tokens(run: Run, text: str, example: int) -> list[str]:
    """The tokens that the network reads; none if it cannot be asked."""
    try:
        return [str(word) for word in show.describe("text_probability", [run], text=text, example=example).frame["word"]]
    except GradvizError:
        return []


def mover(run: Run, words: list[str]) -> Callable[[float], None]:
    """What a click into a text does: the slider moves to the token of the cell that was clicked."""
    owners = _passage.cells(words, _passage.spaced(run, words))[1]

    def move(cell: float) -> None:
        st.session_state["position"] = int(owners[int(cell)])

    return move


DRAW = {"State": state, "Gate": gate, "Probability": likely, "Pull": pull}

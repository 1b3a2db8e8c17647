"""The page Text, parts Search and Write: units that answer to a property, and what the network writes by itself."""

from typing import Any

import streamlit as st

from gradviz.dashboards import look, parts, show
from gradviz.errors import GradvizError
from gradviz.frames import Run
from gradviz.language import Choice, Sample, sample
from gradviz.language.properties import PROPERTIES

LONGEST = 2000  # tokens


def search(run: Run, head: Any) -> None:
    """The ranking for one property, and what it leads to: the text in the colours of the best unit."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        names = {name.replace("_", " "): name for name in PROPERTIES}
        first = list(names).index("inside word") if "inside word" in names else 0
        name = names[st.selectbox("Property", list(names), first, key="property", bind="query-params", width=240)]
        layer = parts.layer_choice([run])
    show.chart("units", [run], head=head, property=name, layer=layer)
    frame = show.describe("units", [run], property=name, layer=layer).frame
    if len(frame):
        best = int(frame["unit"].iloc[0])
        st.button(f"Read a text in the colours of unit {best}", icon=":material/format_color_text:", on_click=read_with, args=(best,))


def read_with(unit: int) -> None:
    """Runs before the page is drawn again."""
    st.session_state.update({"part": "Read", "colour": "State", "unit": unit})


def draw(run: Run, head: Any) -> None:
    """A form, and below it what was written last."""
    with st.form("write", border=True):
        prompt = st.text_area(
            "Prompt", "", height=80, key="prompt", placeholder="empty: from nothing", max_chars=LONGEST, bind="query-params"
        )
        with st.container(horizontal=True, gap="medium"):
            hint = "below 1 the network keeps to what is likely, above 1 it dares more; 0 always takes the likeliest token"
            temperature = st.number_input(
                "Temperature", 0.0, 5.0, 1.0, step=0.1, key="temperature", width=130, help=hint, bind="query-params"
            )
            top_k = st.number_input(
                "Top-k", 0, None, 0, key="top_k", width=130, help="only the k likeliest tokens; 0: all", bind="query-params"
            )
            hint = "only the likeliest tokens that together have this probability"
            top_p = st.number_input("Top-p", 0.01, 1.0, 1.0, step=0.05, key="top_p", width=130, help=hint, bind="query-params")
            length = st.number_input("Length", 1, LONGEST, 200, key="length", width=130, help="tokens, at most", bind="query-params")
            seed = st.number_input(
                "Seed", 0, None, 0, key="seed", width=130, help="the same seed writes the same text", bind="query-params"
            )
        pressed = st.form_submit_button("Write", type="primary", icon=":material/edit:")
    if pressed:
        st.session_state["written"] = (run.label, attempt(run, prompt, (temperature, top_k, top_p), length, seed))
    label, said = st.session_state.get("written", ("", None))
    if said is None or label != run.label:
        head.title("Let the network write", anchor=False)
        head.caption("Each token is drawn from the probabilities that the network gives it, and read by the network before the next one.")
    elif isinstance(said, str):
        head.title("The network cannot write", anchor=False)
        show.problem("Nothing was written", said)
    else:
        shown(run, said, head)


def attempt(run: Run, prompt: str, choice: tuple[float, int, float], length: int, seed: int) -> Sample | str:
    """What the network writes, or why it cannot."""
    try:
        return sample(run.path, prompt, length=int(length), choice=Choice(choice[0], int(choice[1]), choice[2]), seed=int(seed))
    except GradvizError as error:
        return str(error)


def shown(run: Run, said: Sample, head: Any) -> None:
    head.title(look.plain(f"{len(said.ids)} tokens written by {run.label}"), anchor=False)
    notes = ["It ended by itself." if said.ended else "It was stopped at this length."]
    if said.unknown:
        notes.append(f"Not in its vocabulary, and read as unknown: {', '.join(said.unknown)}.")
    head.caption(look.plain(" ".join(notes)))
    st.code(said.prompt + said.text, language=None, wrap_lines=True)
    if said.prompt + said.text:
        show.chart("text_probability", [run], text=said.prompt + said.text)

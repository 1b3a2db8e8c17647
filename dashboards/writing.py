"""The page Text, parts Search and Write: units that answer to a property, and what the network writes by itself."""

from typing import Any

import streamlit as st

from gradviz.dashboards import live, parts, show
from gradviz.frames import Run
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
    """A form, and below it what the network writes, or has written, with these settings."""
    with st.form("write", border=True):
        prompt = st.text_area(
            "Prompt", "", height=80, key="prompt", placeholder="empty: from nothing", max_chars=LONGEST, bind="query-params"
        )
        with st.container(horizontal=True, gap="medium"):
            choice = rules()
            length = st.number_input("Length", 1, LONGEST, 200, key="length", width=130, help="tokens, at most", bind="query-params")
            seed = st.number_input(
                "Seed", 0, None, 0, key="seed", width=130, help="the same seed writes the same text", bind="query-params"
            )
        pressed = st.form_submit_button("Write", type="primary", icon=":material/edit:")
    live.draw(run, head, live.Wish(run.path, prompt, choice, int(length), int(seed)), pressed)


def rules() -> tuple[float, int, float]:
    """How a token is chosen: temperature, top-k, top-p."""
    hint = "below 1 the network keeps to what is likely, above 1 it dares more; 0 always takes the likeliest token"
    temperature = st.number_input("Temperature", 0.0, 5.0, 1.0, step=0.1, key="temperature", width=130, help=hint, bind="query-params")
    hint = "only the k likeliest tokens; 0: all"
    top_k = st.number_input("Top-k", 0, None, 0, key="top_k", width=130, help=hint, bind="query-params")
    hint = "only the likeliest tokens that together have this probability"
    top_p = st.number_input("Top-p", 0.01, 1.0, 1.0, step=0.05, key="top_p", width=130, help=hint, bind="query-params")
    return temperature, int(top_k), top_p

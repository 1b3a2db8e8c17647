"""What a language model makes of a text: read in colours, weighed factor by factor, searched for units, and written on."""

from typing import Any

import streamlit as st

from gradviz.dashboards import controls, reading, show, state, writing
from gradviz.dashboards.views._base import View
from gradviz.frames import Run

PARTS = {
    "Read": "each token in the colour of a state, a gate, its probability or its pull on a later prediction",
    "Weigh": "the probability of a sentence, factor by factor",
    "Search": "the units that answer to a property of the text",
    "Write": "what the network writes by itself",
}


class Text(View):
    order = 4
    title = "Text"
    report = "language"
    icon = ":material/text_fields:"
    charts = ("text_unit", "text_probability", "connectivity", "sentence", "units")

    def draw(self) -> None:
        head = st.container(gap="small")
        runs = {run.label: run for run in state.chosen() if run.words(0)}
        if not runs:
            head.title("None of these runs reads words", anchor=False)
            st.markdown("This page shows runs whose steps have names, such as the letters of a text. To train one on a text of yours:")
            st.code("gradviz train my.txt", language=None)
            return
        with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
            run = runs[st.selectbox("Run", list(runs), key="run", bind="query-params", width=220)]
            hint = "  \n".join(f"{name}: {what}" for name, what in PARTS.items())
            part = controls.choice("What to do", list(PARTS), "part", "Read", hint)
        DRAW[part](run, head)


def weigh(run: Run, head: Any) -> None:
    text, example = reading.source(run)
    show.chart("sentence", [run], head=head, text=text, example=example)


DRAW = {"Read": reading.draw, "Weigh": weigh, "Search": writing.search, "Write": writing.draw}

"""What the gates do: their values over the time steps of one sequence, and how often they are saturated."""

import streamlit as st

from gradviz.dashboards import look, parts, show, state
from gradviz.dashboards.views._base import View
from gradviz.frames import Run

KEEPING = ("forget", "update")  # the gates that decide what is kept: the ones to look at first


class Gates(View):
    order = 3
    title = "Gates"
    report = "gates"
    icon = ":material/door_open:"
    charts = ("gate_heatmap", "saturation")

    def draw(self) -> None:
        runs = state.chosen()
        head = st.container(gap="small")
        with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
            by_label = {run.label: run for run in runs}
            run = by_label[st.selectbox("Run", list(by_label), key="run", bind="query-params", width=220)]
            gate = gate_choice(run)
            example = example_choice(run)
            layer = parts.layer_choice([run])
            step = parts.step_slider(run.probe_steps)
        show.chart("gate_heatmap", [run], head=head, example=example, step=step, layer=layer, gate=gate)
        if example < len(run.answers):
            st.caption(look.plain(f"Answer to this sequence at the end of training, reading its own words: {run.answers[example]}"))
        show.chart("saturation", runs, layer=layer)


def gates_of(run: Run) -> list[str]:
    """The gates that the run's probe recorded, without the word "gate."."""
    points = [name.rsplit(".gate.", 1)[1] for name, *_ in run.meta["points"] if ".gate." in name]
    return list(dict.fromkeys(points))


def gate_choice(run: Run) -> str:
    gates = gates_of(run)
    if not gates:
        return ""
    first = next((gate for gate in gates if gate in KEEPING), gates[0])
    return str(st.segmented_control("Gate", gates, default=first, required=True, key="gate", bind="query-params"))


def example_choice(run: Run) -> int:
    count = len(run.meta["probe"]["lengths"])
    if count < 2:
        return 0
    hint = "held-out sequences whose arrays were kept"
    return int(st.segmented_control("Sequence", range(count), default=0, required=True, key="example", bind="query-params", help=hint))

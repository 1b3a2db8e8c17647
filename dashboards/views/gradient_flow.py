"""How far back the gradient reaches: the profile of one training step, and its film over training."""

import streamlit as st

from gradviz.dashboards import parts, show, state
from gradviz.dashboards.views._base import View


class GradientFlow(View):
    order = 2
    title = "Gradient flow"
    icon = ":material/waterfall_chart:"
    charts = ("waterfall", "film", "decay", "horizon")

    def draw(self) -> None:
        runs = state.chosen()
        steps = sorted({step for run in runs for step in run.reach_steps})
        head = st.container(gap="small")
        with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
            step = parts.step_slider(steps)
            layer = parts.layer_choice(runs)
        show.chart("waterfall", runs, head=head, step=step, layer=layer)
        if steps:
            click = show.Click(steps[-1] if step < 0 else step, parts.nearest(steps))
            show.chart("film", runs, click=click, layer=layer)
        else:
            show.chart("film", runs, layer=layer)
        show.chart("decay", runs, layer=layer)
        show.chart("horizon", runs, layer=layer)

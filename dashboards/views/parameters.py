"""How weights, gradients and updates of each parameter grow."""

import streamlit as st

from gradviz.dashboards import show, state
from gradviz.dashboards.views._base import View


class Parameters(View):
    order = 6
    title = "Parameters"
    icon = ":material/tune:"
    charts = ("parameters",)

    def draw(self) -> None:
        head = st.container(gap="small")
        show.chart("parameters", state.chosen(), head=head)

"""What clipping changes: the norms before and after, the loss, and the decay of the gradient over training."""

import streamlit as st

from gradviz.dashboards import show, state
from gradviz.dashboards.views._base import View


class Clipping(View):
    order = 5
    title = "Clipping"
    report = "clipping"
    icon = ":material/content_cut:"
    charts = ("clip_ledger", "loss")

    def draw(self) -> None:
        runs = state.chosen()
        head = st.container(gap="small")
        show.chart("clip_ledger", runs, head=head)
        show.chart("loss", runs)
        show.chart("decay", runs)

"""Every chart there is, with every option it has: also those that no other page shows."""

import dataclasses
from typing import Any, Literal

import streamlit as st

from gradviz.charts import CHARTS
from gradviz.dashboards import look, show, state
from gradviz.dashboards.views._base import View

BIND: Literal["query-params"] = "query-params"


class Gallery(View):
    order = 10
    title = "All charts"
    report = "full"
    icon = ":material/grid_view:"

    def draw(self) -> None:
        head = st.container(gap="small")
        names = {name.replace("_", " "): name for name in CHARTS}
        name = names[st.selectbox("Chart", list(names), key="chart", bind="query-params", width=320)]
        st.caption(look.plain(CHARTS[name].purpose))
        with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
            options = {item.name: control(name, item) for item in dataclasses.fields(CHARTS[name])}  # type: ignore[arg-type]
        show.chart(name, state.chosen(), head=head, **options)


def control(chart: str, item: dataclasses.Field[Any]) -> Any:
    """A control for one option of a chart, made from its type, choices and limits."""
    key, help = f"{chart}-{item.name}", item.metadata.get("help")
    default: Any = item.default
    label = item.name.replace("_", " ").capitalize()
    if choices := item.metadata.get("choices"):
        said = {choice or "automatic": choice for choice in choices}
        return said[st.selectbox(label, list(said), index=list(choices).index(default), key=key, help=help, bind=BIND, width=180)]
    if isinstance(default, bool):
        return st.checkbox(label, default, key=key, help=help, bind=BIND)
    if isinstance(default, str):
        return st.text_input(label, default, key=key, help=help, bind=BIND, width=180)
    low, high = item.metadata.get("low"), item.metadata.get("high")
    whole = not isinstance(default, float)
    return st.number_input(
        label, low, high, default, step=1 if whole else None, key=key, help=help, bind=BIND, width=160, placeholder="the last one"
    )

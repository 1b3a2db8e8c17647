"""The least that a Streamlit app with the dashboard's means can be: two pages, a title, a slider, a chart of three points.

What it takes is what Streamlit, plotly.js and the browser take on this machine; the dashboard's waiting times stand beside it.
"""

import streamlit as st


def page(name: str) -> None:
    with st.container(key=f"page-{name}"):
        step = st.select_slider("Training step", list(range(10)), value=9, key=f"step-{name}")
        st.title(f"{name} {step}", anchor=False)
        st.plotly_chart({"data": [{"y": [1, 2, step]}], "layout": {"height": 250}}, theme=None)


def overview() -> None:
    page("overview")


def gradient_flow() -> None:
    page("gradient_flow")


pages = [st.Page(overview, url_path="overview", default=True), st.Page(gradient_flow, url_path="gradient_flow")]
st.navigation(pages).run()

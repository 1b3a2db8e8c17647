"""The lessons, in their order: what each is about and what one can do afterwards."""

import streamlit as st

from gradviz.dashboards.lesson import page_of
from gradviz.dashboards.views._base import View
from gradviz.lessons import ordered


class Lessons(View):
    section = "Learn"
    shows_runs = False
    order = 20
    title = "Lessons"
    icon = ":material/school:"

    def draw(self) -> None:
        st.title("What recurrent networks do with time", anchor=False)
        st.markdown(
            "For who knows backpropagation and no recurrent networks: a few minutes each, in this order. You are asked what will happen "
            "before you see it, and every number is computed while you look."
        )
        for name, lesson in ordered().items():
            with st.container(border=True, width=820):
                st.page_link(st.session_state["pages"][page_of(name)], label=f"{lesson.order} · {lesson.title}")
                st.markdown(f"**{lesson.claim}.** Afterwards you can {lesson.goal}.")

"""The dashboard's entry script, started by `gradviz dashboard` or `streamlit run dashboards/app.py -- FOLDER`."""

from functools import partial
from pathlib import Path
from typing import Any

import streamlit as st

from gradviz import lessons
from gradviz.dashboards import lesson, look, making, parts, reporting, state
from gradviz.dashboards.views import View, ordered

ASSETS = Path(__file__).parent / "assets"
BUSY, QUIET = 1.5, 3.0  # seconds from one look for news to the next: each look takes the browser a moment, on a page at rest as well


def watch(theme: str, runs: state.Signature | None) -> None:
    """Draw again when the viewer has changed the theme, which alone does not rerun the page, or the runs have changed, if they count."""
    if theme != look.viewer() or (runs is not None and runs != state.signature(state.folder())):
        st.rerun()


def taught_page(name: str) -> Any:
    """The page of a lesson. The navigation would be too long with all of them: the sidebar lists them where one is read."""
    title = lessons.LESSONS[name].title
    return st.Page(partial(lesson.page, name), title=title, url_path=lesson.page_of(name), visibility="hidden")


def contents(taught: dict[str, Any]) -> None:
    st.caption("Lessons")
    for number, page in enumerate(taught.values(), 1):
        st.page_link(page, label=f"{number} · {page.title}")


def above(name: str, view: View) -> None:
    """The row over a page's title: what a rule says of its only run, and the report of its runs."""
    runs = view.runs()
    with st.container(key="above", horizontal=True, horizontal_alignment="right", gap="medium"):
        with st.container(key="verdict"):
            parts.said_of(name, runs)
        reporting.offer(name, view.report, runs)


def main() -> None:
    st.set_page_config(page_title="gradviz", page_icon=str(ASSETS / "icon.png"), layout="wide", initial_sidebar_state=280)
    look.style()
    st.logo(str(ASSETS / "logo.svg"), size="large", icon_image=str(ASSETS / "mark.svg"))
    views = ordered()
    pages = {
        name: st.Page(view().draw, title=view.title, icon=view.icon, url_path=name, default=index == 0)
        for index, (name, view) in enumerate(views.items())
    }
    taught = {lesson.page_of(name): taught_page(name) for name in lessons.ordered()}
    st.session_state["pages"] = every = pages | taught
    sections = {view.section: [pages[name] for name in views if views[name].section == view.section] for view in views.values()}
    sections[next(reversed(sections))] += taught.values()
    page = st.navigation(sections)
    found = parts.patiently(state.shelf)
    name = next(name for name in every if every[name] is page)
    shown = views[name] if name in views and views[name].shows_runs else None
    with st.sidebar:
        if name in taught:
            contents(taught)
        elif shown and found.runs:
            state.choose(found, page.url_path)
            parts.folder_line(found)
            making.line()
    with st.container(key=f"page-{name}"):  # a browser can tell by it which page it has
        if shown and not found.runs:
            parts.empty(found, ASSETS / "empty.svg")
        else:
            if shown:
                above(name, shown())
            page.run()
    training = any(run.status == "running" for run in found.runs)
    st.fragment(run_every=BUSY if training else QUIET)(watch)(look.viewer(), found.signature if shown else None)


main()

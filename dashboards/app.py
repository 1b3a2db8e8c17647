"""The dashboard's entry script, started by `gradviz dashboard` or `streamlit run dashboards/app.py -- FOLDER`."""

from pathlib import Path

import streamlit as st

from gradviz.dashboards import look, parts, reporting, state
from gradviz.dashboards.views import View, ordered

ASSETS = Path(__file__).parent / "assets"


@st.fragment(run_every=1.5)
def watch(seen: tuple[str, state.Signature]) -> None:
    """Draw again when the runs have changed or the viewer has changed the theme, which alone does not rerun the page."""
    if seen != (look.viewer(), state.signature(state.folder())):
        st.rerun()


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
    st.session_state["pages"] = pages
    sections = dict.fromkeys(view.section for view in views.values())
    page = st.navigation({section: [pages[name] for name in views if views[name].section == section] for section in sections})
    found = parts.patiently(state.shelf)
    name, view = next((name, view) for name, view in views.items() if pages[name] is page)
    if not view.shows_runs:
        page.run()
    elif found.runs:
        with st.sidebar:
            state.choose(found, page.url_path)
            parts.folder_line(found)
        above(name, view())
        page.run()
    else:
        parts.empty(found, ASSETS / "empty.svg")
    watch((look.viewer(), found.signature))


main()

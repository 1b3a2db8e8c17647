"""The one place that puts a chart's description on a page."""

import dataclasses
import io
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from typing import Any

import streamlit as st

from gradviz.backends import matplotlib as static
from gradviz.backends import plotly as live
from gradviz.backends import theme
from gradviz.charts import CHARTS, Description
from gradviz.charts._description import Rule
from gradviz.dashboards import clicks, look, pieces, state
from gradviz.errors import GradvizError
from gradviz.frames import Run

KINDS = (("csv", "Data as CSV", "text/csv"), ("svg", "Picture as SVG", "image/svg+xml"), ("png", "Picture as PNG", "image/png"))

Click, picked = clicks.Click, clicks.picked  # what pages need of them


@st.cache_resource(max_entries=256, show_spinner=False)
def _describe(name: str, options: tuple[tuple[str, Any], ...], key: state.Signature, _runs: Sequence[Run]) -> Description:
    return CHARTS[name](**dict(options)).describe(_runs)


def describe(name: str, runs: Sequence[Run], **options: Any) -> Description:
    """The description of a chart of these runs, kept until a file of one of them changes."""
    return _describe(name, tuple(sorted(options.items())), state.key_of(runs), runs)


def drawn(description: Description, viewer: theme.Theme) -> list[pieces.Figure]:
    """One figure a panel where panels flow, else one."""
    return pieces.cut(description, viewer) if pieces.splits(description) else [live.figure(description, viewer)]


@st.cache_resource(max_entries=128, show_spinner=False)
def _drawn(name: str, options: tuple[Any, ...], key: state.Signature, viewer: theme.Theme, _said: Description) -> list[pieces.Figure]:
    """Shared: not to be changed."""
    return drawn(_said, viewer)


def chart(name: str, runs: Sequence[Run], *, head: Any = None, section: Any = None, click: Click | None = None, **options: Any) -> None:
    """A whole figure. `head`: a container for the title, which then is the page's own; without it the title stands above the figure, or
    in `section`, a container that stands above controls, of a part that not every run has. `options` are those of the chart."""
    try:
        description = describe(name, runs, **options)
    except GradvizError as error:
        if head is not None:
            head.title("This cannot be shown", anchor=False)
        if section is not None:  # the rest of the page is about these runs, and this part is not for them
            section.header(look.plain(name.replace("_", " ").capitalize()), anchor=False)
            st.info(look.plain(str(error)), icon=":material/visibility_off:")
            return
        problem(f"The picture “{name}” cannot be drawn", str(error))
        return
    figure(description, name, head=head, section=section, click=click, figures=_figures(name, runs, description, options, click))


def _figures(name: str, runs: Sequence[Run], description: Description, options: dict[str, Any], click: Click | None) -> list[pieces.Figure]:
    if description.missing:
        return []
    kept, said = (*sorted(options.items()), ("click", click is not None)), quiet(description) if click else description
    return _drawn(name, kept, state.key_of(runs), look.viewer(), said)


def marks(name: str, runs: Sequence[Run], click: Click, **options: Any) -> None:
    """The lines over a chart that stands elsewhere on the page, at what is chosen: so it need not be drawn again with what chooses."""
    with suppress(GradvizError):  # which the chart itself tells
        description = describe(name, runs, **options)
        lines(description, _figures(name, runs, description, options, click), name, click)


def figure(
    description: Description,
    name: str,
    *,
    head: Any = None,
    section: Any = None,
    click: Click | None = None,
    figures: Sequence[pieces.Figure] = (),
) -> None:
    """A description on the page; `name` tells it from the page's other figures; figures: what is drawn of it, if that is kept."""
    titles(description, head, section)
    if description.missing:
        st.info(look.plain(description.missing), icon=":material/visibility_off:")
        return
    if click:
        description = quiet(description)
    with st.container(key=f"figure-{name}", gap="small"):
        look.key_line(description)
        if click:
            st.caption(click.hint)
        panels(description, figures or drawn(description, look.viewer()), name, click)
        if description.shape == "film":
            look.colour_bar(description)
        with st.container(key=f"foot-{name}", horizontal=True, wrap=False, gap="medium"):
            st.markdown(f"**What to look for.** {look.plain(description.look_for)}", width="stretch")
            downloads(description, name)
    st.space("small")


def quiet(description: Description) -> Description:
    """Without the rules over heatmaps: what is chosen there is marked over the figure, which then stays as it is."""
    drawn = tuple(
        dataclasses.replace(panel, marks=tuple(mark for mark in panel.marks if not isinstance(mark, Rule)))
        if clicks.heat_of(panel)
        else panel
        for panel in description.panels
    )
    return dataclasses.replace(description, panels=drawn)


def titles(description: Description, head: Any, section: Any = None) -> None:
    if head is None:
        place = section if section is not None else st
        place.header(look.plain(description.title), anchor=False)
        place.caption(look.plain(description.subtitle))
    else:
        head.title(look.plain(description.title), anchor=False)
        head.caption(look.plain(description.subtitle))


def panels(description: Description, figures: Sequence[pieces.Figure], name: str, click: Click | None) -> None:
    if not pieces.splits(description):
        with st.container(key=f"wide-{description.shape}-{name}"):
            put(description, figures[0], f"{name}-0", click)
        if description.shape in look.WIDE:
            st.html('<div class="gv-hint">The picture scrolls sideways.</div>')
    else:
        columns = min(description.columns, len(description.panels))
        with st.container(key=f"grid-{description.shape}-{columns}-{name}"):
            for index, figure in enumerate(figures):
                put(dataclasses.replace(description, panels=(description.panels[index],)), figure, f"{name}-{index}", click)
    if click:
        lines(description, figures, name, click)


def lines(description: Description, figures: Sequence[pieces.Figure], name: str, click: Click) -> None:
    ways = [clicks.lines(figures[at]["layout"], f"{name}-{at}", click.of(description.panels[at]).marks) for at in range(len(figures))]
    if any(ways) and description.shape != "text":  # a text frames what is chosen itself
        st.html(f"<style>{''.join(ways)}</style>")


def put(description: Description, figure: pieces.Figure, key: str, click: Click | None) -> None:
    """Every chart of every page goes through here: explicit colours, explicit margins, a text alternative. A chart that answers clicks is
    described by its panels alone: a title that changes with what is chosen would have it drawn anew."""
    layout = {**figure["layout"], "dragmode": False}  # else a chart swallows scrolling on a touch screen; its bar offers zooming
    if "coloraxis" in layout and description.shape == "film":
        layout["coloraxis"] = {**layout["coloraxis"], "showscale": False}
    shown, more = {"data": figure["data"], "layout": layout}, dict[str, Any]()
    said = ", ".join(f"{panel.heading} {panel.note}".strip() for panel in description.panels)
    if click:
        answer = click.of(description.panels[0])
        shown = clicks.answering(shown, description.panels[0], answer)
        more = {"on_select": partial(picked, key, answer), "selection_mode": ("points",)}
    alt = f"{description.name.replace('_', ' ')}: {said}" if click else f"{description.title}: {said}"
    st.plotly_chart(live.ready(shown), theme=None, key=key, config=live.CONFIG, alt=alt, **more)


def downloads(description: Description, name: str) -> None:
    """The data and the picture, made when they are asked for."""
    with st.popover("Download", icon=":material/download:"):
        for suffix, label, mime in KINDS:
            made = partial(content, description, suffix)
            st.download_button(label, made, f"{name}.{suffix}", mime, key=f"{suffix}-{name}", on_click="ignore", type="tertiary")


def content(description: Description, suffix: str) -> bytes:
    if suffix == "csv":
        return description.frame.to_csv(index=False).encode()
    kept = io.BytesIO()
    static.draw(description).savefig(kept, format=suffix, dpi=200)
    return kept.getvalue()


def problem(what: str, why: str) -> None:
    """An error stands where the missing thing would be; everything else stays usable."""
    with st.container(border=True):
        st.markdown(look.chip("critical", "problem"))
        st.markdown(f"**{look.plain(what)}.** {look.plain(why)}")

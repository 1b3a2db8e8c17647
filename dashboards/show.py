"""The one place that puts a chart's description on a page."""

import dataclasses
import io
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import streamlit as st

from gradviz.backends import matplotlib as static
from gradviz.backends import plotly as live
from gradviz.charts import CHARTS, Description
from gradviz.charts._description import Heat, Panel
from gradviz.dashboards import look, pieces, state
from gradviz.errors import GradvizError
from gradviz.frames import Run

KINDS = (("csv", "Data as CSV", "text/csv"), ("svg", "Picture as SVG", "image/svg+xml"), ("png", "Picture as PNG", "image/png"))


_INVISIBLE = {"marker": {"opacity": 0}}
UNSEEN: dict[str, Any] = {
    "type": "scatter", "mode": "markers", "marker": {"size": 12, "symbol": "square", "color": "rgba(0,0,0,0)"},
    "selected": _INVISIBLE, "unselected": _INVISIBLE, "showlegend": False,
}  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Click:
    """Makes a film or a text answer. at: the x that is chosen now, marked by a line; move: called with the x of the cell that was
    clicked, or with its number in a text; hint: what a reader is told."""

    at: float
    move: Callable[[float], None]
    hint: str = "Click a column to see the profile of that training step; the line marks the step that is chosen."


@st.cache_resource(max_entries=256, show_spinner=False)
def _describe(name: str, options: tuple[tuple[str, Any], ...], key: tuple[Any, ...], _runs: Sequence[Run]) -> Description:
    return CHARTS[name](**dict(options)).describe(_runs)


def describe(name: str, runs: Sequence[Run], **options: Any) -> Description:
    """The description of a chart of these runs, kept until a file of one of them changes."""
    key = (state.key_of(runs), tuple(run.label for run in runs))
    return _describe(name, tuple(sorted(options.items())), key, runs)


def chart(name: str, runs: Sequence[Run], *, head: Any = None, click: Click | None = None, **options: Any) -> None:
    """A whole figure. `head`: a container for the title, which then is the page's own; without it the title stands above the figure.
    `options` are those of the chart."""
    try:
        description = describe(name, runs, **options)
    except GradvizError as error:
        if head is not None:
            head.title("This cannot be shown", anchor=False)
        problem(f"The picture “{name}” cannot be drawn", str(error))
        return
    figure(description, name, head=head, click=click)


def figure(description: Description, name: str, *, head: Any = None, click: Click | None = None) -> None:
    """A description on the page; `name` tells it from the page's other figures."""
    titles(description, head)
    if description.missing:
        st.info(look.plain(description.missing), icon=":material/visibility_off:")
        return
    with st.container(key=f"figure-{name}", gap="small"):
        look.key_line(description)
        if click:
            st.caption(click.hint)
        panels(description, name, click)
        if description.shape == "film":
            look.colour_bar(description)
        with st.container(key=f"foot-{name}", horizontal=True, wrap=False, gap="medium"):
            st.markdown(f"**What to look for.** {look.plain(description.look_for)}", width="stretch")
            downloads(description, name)
    st.space("small")


def titles(description: Description, head: Any) -> None:
    if head is None:
        st.header(look.plain(description.title), anchor=False)
        st.caption(look.plain(description.subtitle))
    else:
        head.title(look.plain(description.title), anchor=False)
        head.caption(look.plain(description.subtitle))


def panels(description: Description, name: str, click: Click | None) -> None:
    if not pieces.splits(description):
        with st.container(key=f"wide-{description.shape}-{name}"):
            put(description, live.figure(description, look.viewer()), f"{name}-0", click)
        st.html('<div class="gv-hint">The picture scrolls sideways.</div>')
        return
    columns = min(description.columns, len(description.panels))
    with st.container(key=f"grid-{description.shape}-{columns}-{name}"):
        drawn = pieces.cut(description, look.viewer())
        for index, (column, figure) in enumerate(zip(st.columns(len(drawn)), drawn, strict=True)):
            with column:
                put(dataclasses.replace(description, panels=(description.panels[index],)), figure, f"{name}-{index}", click)


def put(description: Description, figure: pieces.Figure, key: str, click: Click | None) -> None:
    """Every chart of every page goes through here: explicit colours, explicit margins, a text alternative."""
    if "coloraxis" in figure["layout"] and description.shape == "film":
        figure["layout"]["coloraxis"]["showscale"] = False
    figure["layout"]["dragmode"] = False  # else a chart swallows scrolling on a touch screen; its bar offers zooming
    more: dict[str, Any] = {}
    if click:
        is_text = description.shape == "text"
        figure["data"].append(letters(figure) if is_text else targets(description.panels[0]))
        figure["layout"].update(clickmode="event+select", shapes=[*figure["layout"]["shapes"], *([] if is_text else here(click.at))])
        more = {"on_select": partial(picked, key, click), "selection_mode": ("points",)}
    headings = ", ".join(f"{panel.heading} {panel.note}".strip() for panel in description.panels)
    st.plotly_chart(figure, theme=None, key=key, config=live.CONFIG, alt=f"{description.title}: {headings}", **more)


def targets(panel: Panel) -> dict[str, Any]:
    """Invisible marks over the cells of a heatmap: a heatmap itself sends no selection."""
    heat = next(mark for mark in panel.marks if isinstance(mark, Heat))
    rows = list(heat.y)[:: max(1, len(heat.y) // 16)]
    x, y = zip(*((float(step), float(row)) for step in heat.x for row in rows), strict=True)
    return {"x": x, "y": y, **UNSEEN, "hoverinfo": "none"}


def letters(figure: pieces.Figure) -> dict[str, Any]:
    """The same over the cells of a text, numbered as they are read. They lie on top, so they say what the heatmap would say."""
    grid = next(trace["text"] for trace in figure["data"] if trace["type"] == "heatmap")
    found = [(column, row, text) for row in reversed(range(len(grid))) for column, text in enumerate(grid[row]) if text]
    x, y, said = zip(*found, strict=True)
    cells = list(range(len(found)))
    return {"x": x, "y": y, "text": said, "customdata": cells, **UNSEEN, "hovertemplate": "%{text}<extra></extra>"}


def here(x: float) -> list[dict[str, Any]]:
    """An upright line that is seen on dark and bright cells alike."""
    line = {"type": "line", "x0": x, "x1": x, "y0": 0, "y1": 1, "yref": "y domain"}
    return [{**line, "line": {"color": colour, "width": width}} for colour, width in (("#ffffff", 3), ("#14171a", 1.25))]


def picked(key: str, click: Click) -> None:
    """Runs before the page is drawn again, so that a slider made later in the script takes the new value."""
    points = st.session_state[key]["selection"]["points"]
    if points:
        click.move(float(np.ravel(points[0].get("customdata", points[0]["x"]))[0]))


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

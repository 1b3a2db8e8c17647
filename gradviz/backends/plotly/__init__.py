"""Descriptions as plotly figures."""

from html import escape as html_escape
from typing import TYPE_CHECKING, Any

from gradviz.backends._layout import TITLE, Plan, plan
from gradviz.backends.plotly import _axes, _marks, _told
from gradviz.backends.plotly._escape import escape
from gradviz.backends.theme import Theme, resolve
from gradviz.charts._description import Description

if TYPE_CHECKING:
    import plotly.basedatatypes
    import plotly.graph_objects

CONFIG: dict[str, Any] = {
    "displaylogo": False, "showSendToCloud": False, "displayModeBar": "hover", "responsive": False, "scrollZoom": False,
    "modeBarButtonsToRemove": ["select2d", "lasso2d", "zoomIn2d", "zoomOut2d", "autoScale2d"], "toImageButtonOptions": {"format": "svg"},
}  # fmt: skip


def figure(description: Description, theme: Theme | None = None, width: float | None = None, narrow: bool = False) -> dict[str, Any]:
    """{"data": …, "layout": …} as plain values, ready for JSON.

    Without a theme colours stay "@name", to be resolved by `theme.resolve` or in a page. `width` in pixels is written into the layout
    if given; `narrow` makes the layout for a phone: panels stacked, bars below.
    """
    drawn = plan(description, width, narrow=narrow)
    canvases = [_marks.Canvas(index, place, drawn) for index, place in enumerate(drawn.places)]
    for canvas in canvases:
        for mark in canvas.place.panel.marks:
            _marks.DRAW[type(mark)](mark, canvas)
        _marks.write_labels(canvas)
        if not canvas.traces:
            _marks.nothing(canvas)
    hidden = {"visible": False, "fixedrange": True}
    axes = _axes.axes(drawn) if drawn.places else {"xaxis": hidden, "yaxis": hidden}
    layout = _layout(drawn) | axes | _axes.colour_axes(drawn)
    layout["annotations"] = (
        _missing(drawn) + _axes.headings(drawn) + _axes.units(drawn) + [item for canvas in canvases for item in canvas.annotations]
    )
    layout["shapes"] = _axes.rails(drawn) + [item for canvas in canvases for item in canvas.shapes]
    if width is not None:
        layout["width"] = width
    found = {"data": [trace for canvas in canvases for trace in canvas.traces], "layout": layout}
    return found if theme is None else resolve(found, theme)


def _layout(drawn: Plan) -> dict[str, Any]:
    top, right, bottom, left = (round(side) for side in drawn.margin)
    font = {"family": "@font", "size": TITLE, "color": "@ink"}
    label = {"bgcolor": "@surface", "bordercolor": "@line", "font": font, "align": "left", "namelength": -1}
    return {
        "template": {}, "height": round(drawn.height), "margin": {"t": top, "r": right, "b": bottom, "l": left, "pad": 0}, "font": font,
        "paper_bgcolor": "@paper", "plot_bgcolor": "@paper", "showlegend": False, "hoverlabel": label, "hovermode": _axes.hovermode(drawn),
        "modebar": {"bgcolor": "rgba(0,0,0,0)", "color": "@faint", "activecolor": "@accent"},
        **({"dragmode": False} if drawn.narrow else {}),
    }  # fmt: skip


def _missing(drawn: Plan) -> list[dict[str, Any]]:
    """Instead of a picture: the sentence that says what to record."""
    if not drawn.missing:
        return []
    font = {"size": TITLE, "color": "@muted"}
    place = {"xref": "paper", "yref": "paper", "x": 0.5, "y": 0.5, "xanchor": "center", "yanchor": "middle"}
    return [{"text": escape(drawn.missing), "showarrow": False, "font": font, "align": "center", **place}]


def responsive(description: Description) -> dict[str, Any]:
    """Both layouts of a figure that a page switches between: {"data", "wide", "narrow"}, and "narrow_data" only where it differs."""
    wide, narrow = figure(description), figure(description, narrow=True)
    found = {"data": wide["data"], "wide": wide["layout"], "narrow": narrow["layout"]}
    return found if narrow["data"] == wide["data"] else {**found, "narrow_data": narrow["data"]}


def to_figure(description: Description, theme: Theme = "light") -> "plotly.graph_objects.Figure":
    """A plotly figure for notebooks and for `st.plotly_chart(…, theme=None)`."""
    import plotly.graph_objects as go

    return go.Figure(figure(description, theme))


def ready(figure: dict[str, Any]) -> "plotly.basedatatypes.BaseFigure":
    """A figure of this backend for `st.plotly_chart`, which would check every property of a dict at each drawing."""
    from gradviz.backends.plotly._ready import Ready

    return Ready(figure)


def told(description: Description, theme: Theme = "light", width: float = 760.0) -> dict[str, Any]:
    """{"data", "layout", "config"} for front ends that draw a figure alone: its words stand in it, and its arrays are plain lists."""
    found = _told.tell(figure(description, width=width), description, width, theme)
    return {**resolve(found, theme), "config": CONFIG}


def html(description: Description, theme: Theme = "light", *, library: bool = True) -> str:
    """A fragment of HTML for a notebook: title, subtitle, figure, how to read it. With `library` it carries plotly.js (5 MB) and
    asks for nothing from outside."""
    import plotly.io

    chart = plotly.io.to_html(
        to_figure(description, theme),
        full_html=False,
        include_plotlyjs=library,
        config=CONFIG,
        div_id=f"gradviz-{html_escape(description.name)}",
    )
    title, subtitle, look_for = (html_escape(text) for text in (description.title, description.subtitle, description.look_for))
    caption = f"<figcaption><b>What to look for.</b> {look_for}</figcaption>" if look_for else ""
    return f"<figure><h3>{title}</h3><p>{subtitle}</p>{chart}{caption}</figure>"

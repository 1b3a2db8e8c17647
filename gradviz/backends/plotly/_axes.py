"""Axes, headings and colour bars as plotly dictionaries; colours as "@name"."""

from typing import Any

from gradviz.backends._bars import Bar
from gradviz.backends._layout import HEADING, TICK, TITLE, Place, Plan
from gradviz.backends._scales import Scale
from gradviz.backends.plotly._escape import escape
from gradviz.charts._description import Bars, Heat, Line, Path, Points, Tiles

Dict = dict[str, Any]
BAR_MIDDLE = 28  # pixels from the lower end of a figure to the middle of the bars below it


def name(kind: str, index: int) -> str:
    return kind + ("" if index == 0 else str(index + 1))


def _has(place: Place, kind: type) -> bool:
    return any(isinstance(mark, kind) for mark in place.panel.marks)


def axes(plan: Plan) -> Dict:
    """The axes of every panel, at their share of the plotting area."""
    wide, high = plan.inner
    found: Dict = {}
    for index, place in enumerate(plan.places):
        x, y = _x(place), _y(place)
        x["domain"] = [round(place.left / wide, 5), round((place.left + place.width) / wide, 5)]
        y["domain"] = [round(max(0.0, 1 - (place.top + place.height) / high), 5), round(1 - place.top / high, 5)]
        found[name("xaxis", index)] = {**x, "anchor": name("y", index)}
        found[name("yaxis", index)] = {**y, "anchor": name("x", index)}
    return found


def _axis(scale: Scale, labels: bool, title: str) -> Dict:
    axis: Dict = {
        "range": [scale.start, scale.end], "tickvals": [at for at, _ in scale.ticks], "ticktext": [escape(text) for _, text in scale.ticks],
        "showticklabels": labels, "tickfont": {"size": TICK, "color": "@muted"}, "tickangle": 0, "ticks": "",
        "zeroline": False, "showgrid": False,
    }  # fmt: skip
    return {**axis, "title": {"text": escape(title), "font": {"size": TITLE, "color": "@muted"}, "standoff": 6}} if title else axis


def _frame(place: Place) -> Dict:
    """A hairline around heatmaps: their ends may match the page."""
    return {"showline": True, "mirror": True, "linecolor": "@line", "linewidth": 1} if _has(place, Heat) else {}


def _ticks(labels: bool) -> Dict:
    return {"ticks": "outside", "ticklen": 4, "tickcolor": "@axis"} if labels else {}


def _x(place: Place) -> Dict:
    axis = _axis(place.x, place.x_labels, place.x_title)
    words = place.panel.x.words is not None
    if place.bare:
        return {**axis, "visible": False, "fixedrange": True}
    if words:
        axis["tickfont"] = {"family": "@mono", "size": TICK, "color": "@ink"}
    else:
        axis |= {"showline": True, "linecolor": "@axis", "linewidth": 1, **_ticks(place.x_labels)}
    if _has(place, Line):
        label = escape(place.panel.x.label)
        axis |= {"spikecolor": "@axis", "spikethickness": 1, "spikedash": "solid", "spikemode": "across"}
        axis["unifiedhovertitle"] = {"text": f"{label} %{{x}}".strip()}
    return {**axis, **_frame(place)}


def _y(place: Place) -> Dict:
    axis = _axis(place.y, place.y_labels, place.y_title)
    if place.bare:
        return {**axis, "visible": False, "fixedrange": True}
    if _has(place, Heat):
        return {**axis, **_ticks(place.y_labels), **_frame(place)}
    return {**axis, "showgrid": True, "gridcolor": "@grid", "gridwidth": 1}


def _on(index: int, **rest: Any) -> Dict:
    """An annotation or shape whose x and y are shares of a panel."""
    return {"xref": f"{name('x', index)} domain", "yref": f"{name('y', index)} domain", **rest}


def headings(plan: Plan) -> list[Dict]:
    """The heading of each panel at its upper left, the note at its right or, if there is no room, below the heading."""
    found = []
    for index, place in enumerate(plan.places):
        common = {"y": 1, "yanchor": "bottom", "showarrow": False}
        left, below = {"x": 0, "xanchor": "left", "xshift": -2}, place.note_lines > 0
        if place.heading:
            font = {"size": HEADING, "color": f"@{place.panel.colour}"}
            lift = 6 + 16 * place.note_lines if below else 4
            found.append(_on(index, text=f"<b>{escape(place.heading)}</b>", yshift=lift, font=font, **left, **common))
        if place.note:
            side = left if below else {"x": 1, "xanchor": "right", "xshift": 2}
            lift = 4 + (place.note_lift if below else 0)
            font = {"size": TICK, "color": "@muted"}
            found.append(_on(index, text=escape(place.note), yshift=lift, align="left", font=font, **side, **common))
        if not place.panel.marks:
            font = {"size": TITLE, "color": "@muted"}
            found.append(_on(index, text="nothing recorded", x=0.5, y=0.5, showarrow=False, font=font))
    return found


def units(plan: Plan) -> list[Dict]:
    """What the colours of texts mean, right of their bars: a horizontal bar has no good place for a title of its own."""
    font = {"size": TICK, "color": "@muted"}
    where = {"xref": "paper", "yref": "paper", "y": 0, "yshift": BAR_MIDDLE - round(plan.margin[2]), "xanchor": "left", "yanchor": "middle"}
    texts = [bar for bar in plan.bars if bar.heat.is_text and bar.heat.unit]
    return [
        {"text": escape(bar.heat.unit), "x": round(bar.span[1], 5), "xshift": 12, "showarrow": False, "font": font, **where}
        for bar in texts
    ]


def rails(plan: Plan) -> list[Dict]:
    """Dotted lines that set the rails off from the numbers."""
    style = {"type": "line", "line": {"color": "@axis", "width": 1, "dash": "1px,4px"}, "layer": "below"}
    found: list[Dict] = []
    for index, place in enumerate(plan.places):
        x, y = name("x", index), name("y", index)
        found += [{**style, "xref": f"{x} domain", "yref": y, "x0": 0, "x1": 1, "y0": at, "y1": at} for at in place.y.rules]
        found += [{**style, "xref": x, "yref": f"{y} domain", "x0": at, "x1": at, "y0": 0, "y1": 1} for at in place.x.rules]
    return found


def colour_axes(plan: Plan) -> Dict:
    return {name("coloraxis", index): _colour_axis(plan, bar) for index, bar in enumerate(plan.bars)}


def _colour_axis(plan: Plan, bar: Bar) -> Dict:
    heat = bar.heat
    drawn: Dict = {
        "thickness": 10, "outlinewidth": 0, "ticks": "outside", "ticklen": 4, "tickcolor": "@axis", "tickvals": [at for at, _ in bar.ticks],
        "ticktext": [escape(text) for _, text in bar.ticks], "tickfont": {"size": TICK, "color": "@muted"}, "xpad": 0, "ypad": 0,
    }  # fmt: skip
    first, end = bar.span
    if plan.bars_below:
        below = {"orientation": "h", "xanchor": "center", "y": 0, "yref": "container", "yanchor": "bottom"}
        drawn |= {**below, "x": (first + end) / 2, "len": end - first}
    else:
        beside = {"orientation": "v", "x": 1 + 14 / plan.inner[0], "xanchor": "left"}
        drawn |= {**beside, "y": 1 - (first + end) / 2, "len": end - first}
    if heat.unit and not heat.is_text:
        side = "top" if plan.narrow else "right"
        drawn["title"] = {"text": escape(heat.unit), "side": side, "font": {"size": TICK, "color": "@muted"}}
    return {"cmin": heat.limits[0], "cmax": heat.limits[1], "colorscale": f"@{heat.scale}", "colorbar": drawn}


def hovermode(plan: Plan) -> str:
    """One read-out for all lines at a time step, unless a panel holds heatmaps or points."""
    others = any(_has(place, kind) for place in plan.places for kind in (Heat, Path, Points, Bars, Tiles))
    return "closest" if others or not plan.places else "x unified"

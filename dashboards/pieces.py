"""Small multiples cut into one figure a panel.

The server does not know how wide a page is. Panels that are figures of their own flow into as many columns as there is room for, and
stack on a phone. They are planned together, so that limits, rails and ticks are shared.
"""

import dataclasses
from typing import Any

from gradviz.backends import plotly as live
from gradviz.backends.theme import Theme
from gradviz.charts import Description

Figure = dict[str, Any]

HEIGHTS = {"multiples": 236, "film": 206, "plane": 260}  # of the plotting area; shapes that are not here stay whole
WIDTHS = {1: 900, 2: 345, 3: 345, 4: 270}  # for which labels are placed, by number of columns
LEAST = {"multiples": 300, "film": 200, "plane": 250}  # pixels, below which a column is given up
BAR = 72  # pixels that the plan keeps for a colour bar; the page has one bar for all
EDGE = 12
HEADING = 24  # height of a heading with some air above it


def splits(description: Description) -> bool:
    return description.shape in HEIGHTS and len(description.panels) > 1


def cut(description: Description, theme: Theme) -> list[Figure]:
    """One figure for each panel, with axis labels of its own."""
    heats = description.shape == "film"
    width = WIDTHS[min(max(WIDTHS), description.columns)] + (BAR if heats else 0)
    whole = live.figure(dataclasses.replace(description, columns=1), theme, width=width)
    found = [_piece(whole, index, len(description.panels), HEIGHTS[description.shape]) for index in range(len(description.panels))]
    return [_round(piece) for piece in found] if description.shape == "plane" else found


def _round(figure: Figure) -> Figure:
    """Both axes keep one scale however wide the page makes the figure, so that a circle stays round."""
    layout = figure["layout"]
    x, y = {**layout["xaxis"], "constrain": "domain"}, {**layout["yaxis"], "constrain": "domain", "scaleanchor": "x", "scaleratio": 1}
    return {**figure, "layout": {**layout, "xaxis": x, "yaxis": y}}


def _ref(kind: str, index: int) -> str:
    return kind + ("" if index == 0 else str(index + 1))


def _piece(whole: Figure, index: int, count: int, height: int) -> Figure:
    x, y = _ref("x", index), _ref("y", index)
    layout = {name: value for name, value in whole["layout"].items() if not name.startswith(("xaxis", "yaxis")) and name != "width"}
    words = _moved(layout["annotations"], x, y)
    lift = _lift(layout["annotations"])
    margin = {**layout["margin"], "t": lift + HEADING if lift else EDGE, "r": EDGE}
    title = whole["layout"][_ref("xaxis", index)].get("title") or whole["layout"][_ref("xaxis", count - 1)].get("title")
    ticks = {"showticklabels": True, "ticks": "outside", "ticklen": 4, "tickcolor": whole["layout"]["modebar"]["color"]}
    layout |= {
        "margin": margin,
        "height": height + margin["t"] + margin["b"],
        "xaxis": {**whole["layout"][_ref("xaxis", index)], "domain": [0, 1], "anchor": "y", **ticks, **({"title": title} if title else {})},
        "yaxis": {**whole["layout"][_ref("yaxis", index)], "domain": [0, 1], "anchor": "x", "showticklabels": True},
        "annotations": [{**item, "yshift": item["yshift"] + lift - _lift(words)} if _above(item) else item for item in words],
        "shapes": _moved(layout["shapes"], x, y),
    }
    data = [{**trace, "xaxis": "x", "yaxis": "y"} for trace in whole["data"] if trace.get("xaxis", "x") == x]
    return {"data": data, "layout": layout}


def _above(item: dict[str, Any]) -> bool:
    """Whether an annotation stands above a panel: its heading or its note."""
    return item.get("y") == 1 and "yshift" in item


def _lift(annotations: list[dict[str, Any]]) -> int:
    """How high notes lift the highest heading. Panels are cut with the same headroom, so that neighbours stand level."""
    return max((int(item["yshift"]) for item in annotations if _above(item)), default=0)


def _moved(items: list[dict[str, Any]], x: str, y: str) -> list[dict[str, Any]]:
    """The annotations or shapes of one panel, as if it were the first."""
    mine = [item for item in items if item["xref"].split(" ")[0] == x and item["yref"].split(" ")[0] == y]
    return [{**item, "xref": item["xref"].replace(x, "x", 1), "yref": item["yref"].replace(y, "y", 1)} for item in mine]

"""One function a mark: what it is as plotly traces, shapes and annotations. The names are those of the matplotlib backend."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gradviz.arrays import Array
from gradviz.backends import _letters, _tiles
from gradviz.backends._layout import TICK, Place, Plan
from gradviz.backends._special import GLYPHS, WORDS, heat_values, layers, runs
from gradviz.backends._strokes import BAR, LINE_GAP, MARKS, labels, off_scale, outline, rule_ends, scatter, sparse, stroke, way
from gradviz.backends.plotly._axes import name
from gradviz.backends.plotly._escape import escape, numbers
from gradviz.charts._description import Band, Bars, Heat, Line, Path, Points, Rule, Tiles

Dict = dict[str, Any]


@dataclass
class Canvas:
    """Where the marks of one panel go. small: panels of a row, with thinner lines."""

    index: int
    place: Place
    plan: Plan
    traces: list[Dict] = field(default_factory=list)
    shapes: list[Dict] = field(default_factory=list)
    annotations: list[Dict] = field(default_factory=list)

    @property
    def small(self) -> bool:
        return len(self.plan.places) > 1

    @property
    def heats(self) -> bool:
        return any(isinstance(mark, Heat) for mark in self.place.panel.marks)

    @property
    def refs(self) -> Dict:
        return {"xaxis": name("x", self.index), "yaxis": name("y", self.index)}

    def trace(self, kind: str, **rest: Any) -> None:
        self.traces.append({"type": kind, **self.refs, "showlegend": False, **rest})

    def markers(self, x: Array, y: Array, marker: Dict, **rest: Any) -> None:
        self.trace("scatter", mode="markers", x=numbers(x), y=numbers(y), marker=marker, **rest)

    def write(self, text: str, x: float, y: float, colour: str, **rest: Any) -> None:
        font = {"size": TICK, "color": f"@{colour}"}
        refs = {"xref": name("x", self.index), "yref": name("y", self.index)}
        self.annotations.append({"text": text, "x": x, "y": y, **refs, "showarrow": False, "font": font, **rest})


def _marker(shape: str, colour: str, filled: bool, size: float) -> Dict:
    symbol = (shape or "circle") + ("" if filled else "-open")
    return {"symbol": symbol, "size": size, "color": f"@{colour}", "line": {"width": 1.75 if size > 5 else 1, "color": f"@{colour}"}}


def _cross(colour: str) -> Dict:
    return {"symbol": "x-thin", "size": 7, "color": f"@{colour}", "line": {"width": 2, "color": f"@{colour}"}}


def _value(axis_log: bool, letter: str) -> str:
    return f"10<sup>%{{{letter}:.1f}}</sup>" if axis_log else f"%{{{letter}:.4~g}}"


def line(mark: Line, canvas: Canvas) -> None:
    drawn, title = stroke(mark, canvas.place), escape(mark.name)
    size, width = (6, 2.0) if canvas.small else (8, 2.25)
    marker = _marker(mark.marker, mark.colour, mark.filled, size) | {"maxdisplayed": 7 if canvas.small else MARKS}
    style = {"color": f"@{mark.colour}", "width": width, "dash": "5px,4px" if mark.dashed else "solid"}
    mode = {"mode": "lines+markers", "marker": marker} if mark.marker else {"mode": "lines"}
    hover = _value(canvas.place.y.log, "y")
    canvas.trace("scatter", x=numbers(drawn.x), y=numbers(drawn.y), name=title, connectgaps=False, line=style, hovertemplate=hover, **mode)
    if len(drawn.dots[0]):
        canvas.markers(*drawn.dots, _marker(mark.marker, mark.colour, mark.filled, size), name=title, hoverinfo="skip")
    for kind, x, y in drawn.rails:
        rail = _marker(mark.marker, mark.colour, False, size) | {"maxdisplayed": len(sparse(x, canvas.place))}
        canvas.markers(x, y, rail, name=title, hovertemplate=_rail_word(kind, canvas.place.y.log))
    if len(drawn.crosses[0]):
        canvas.markers(*drawn.crosses, _cross(mark.colour), name=title, hovertemplate=WORDS["nan"] + " from here on")


def path(mark: Path, canvas: Canvas) -> None:
    drawn, title = way(mark, canvas.place), escape(mark.name)
    size, width = (6, 1.0 if mark.thin else 2.0) if canvas.small else (8, 1.25 if mark.thin else 2.25)
    style = {"color": f"@{mark.colour}", "width": width, "dash": "5px,4px" if mark.dashed else "solid"}
    hover = f"{_value(canvas.place.x.log, 'x')}, {_value(canvas.place.y.log, 'y')}<extra>{title}</extra>"
    mode = (
        {"mode": "lines+markers", "marker": {"size": 3.5, "color": f"@{mark.colour}", "line": {"width": 0}}}
        if mark.dots
        else {"mode": "lines"}
    )
    canvas.trace("scatter", x=numbers(drawn.x), y=numbers(drawn.y), name=title, connectgaps=False, line=style, hovertemplate=hover, **mode)
    if mark.begin:
        ground = _marker("circle", mark.colour, True, size) | {"color": "@paper"}  # covers the line beneath it, as an open mark would not
        canvas.markers(*drawn.first, ground, name=title, hovertemplate=hover)
    if mark.end:
        arrow = mark.end == "arrow"
        ended = _marker("triangle-up" if arrow else mark.end, mark.colour, True, size + 3 * arrow)
        canvas.markers(*drawn.last, ended | ({"angle": round(drawn.turn, 2)} if arrow else {}), name=title, hovertemplate=hover)
    if len(drawn.crosses[0]):
        canvas.markers(*drawn.crosses, _cross(mark.colour), name=title, hovertemplate=WORDS["nan"] + " from here on")


def _rail_word(kind: str, log: bool) -> str:
    return WORDS["zero"] if kind == "zero" and log else "−∞" if kind == "zero" else WORDS["infinite"]


def band(mark: Band, canvas: Canvas) -> None:
    across, low, high = outline(mark, canvas.place)
    x: list[float] = []
    y: list[float] = []
    for first, end in runs(np.isfinite(low) & np.isfinite(high)):
        part = slice(first, end)
        x += [*across[part], *across[part][::-1], np.nan]
        y += [*high[part], *low[part][::-1], np.nan]
    fill = {"fill": "toself", "fillcolor": f"@{mark.colour}_band", "line": {"width": 0, "color": f"@{mark.colour}"}}
    canvas.trace("scatter", mode="lines", x=numbers(np.array(x)), y=numbers(np.array(y)), hoverinfo="skip", **fill)


def points(mark: Points, canvas: Canvas) -> None:
    drawn, title = scatter(mark, canvas.place), escape(mark.name)
    size = (5 if mark.filled else 4) if mark.small else 8
    hover = "%{text}" if mark.hover is not None else f"{_value(canvas.place.x.log, 'x')}, {_value(canvas.place.y.log, 'y')}"
    for kind in ("number", "rail", "nan"):
        chosen = drawn.kind == kind
        if not chosen.any():
            continue
        marker = _cross(mark.colour) if kind == "nan" else _marker(mark.marker, mark.colour, mark.filled and kind == "number", size)
        marker |= {"opacity": 0.85, "line": {**marker["line"], "width": 0}} if mark.small and mark.filled and kind == "number" else {}
        texts = {} if mark.hover is None else {"text": [escape(mark.hover[at]) for at in drawn.which[chosen]]}
        said = hover if kind == "number" or mark.hover is not None else "not a number" if kind == "nan" else "on a rail: zero or infinite"
        canvas.markers(drawn.x[chosen], drawn.y[chosen], marker, name=title, hovertemplate=f"{said}<extra>{title}</extra>", **texts)


def bars(mark: Bars, canvas: Canvas) -> None:
    drawn = scatter(mark, canvas.place)
    chosen = drawn.kind == "number"
    hover = mark.hover or tuple("" for _ in mark.x)
    said = "%{text}" if mark.hover else _value(canvas.place.y.log, "y")
    texts = [escape(hover[at]) for at in drawn.which[chosen]]
    style = {"width": BAR, "marker": {"color": f"@{mark.colour}", "line": {"width": 0}}, "text": texts, "textposition": "none"}
    y = {"y": numbers(drawn.y[chosen] - mark.base), "base": mark.base}
    if chosen.any():
        canvas.trace("bar", x=numbers(drawn.x[chosen]), **y, **style, hovertemplate=f"{said}<extra></extra>")
    points(off_scale(mark, drawn), canvas)


def heat(mark: Heat, canvas: Canvas) -> None:
    place, (values, absent) = canvas.place, heat_values(mark)
    axes = {"x": numbers(mark.x), "y": numbers(mark.y), "hoverongaps": False, **({"ygap": LINE_GAP} if mark.is_text else {})}
    where = f"{escape(place.panel.y.label)} %{{y}}<br>{escape(place.panel.x.label)} %{{x}}<br>"
    shown = "10<sup>%{z:.1f}</sup>" if mark.log else "%{z:.3~g}"
    finite = np.where(np.isfinite(values) & ~absent, values, np.nan)
    coloraxis = name("coloraxis", canvas.plan.bar_of(mark))
    texts = {"text": [[escape(text) for text in row] for row in mark.hover]} if mark.hover else {}
    said = "%{text}" if mark.hover else f"{where}{escape(mark.unit)} {shown}"
    canvas.trace("heatmap", z=numbers(finite), coloraxis=coloraxis, hovertemplate=f"{said}<extra></extra>", **axes, **texts)
    for layer in layers(mark, *place.lattice):
        flat = [[0, f"@{layer.kind}"], [1, f"@{layer.kind}"]]
        z = numbers(np.where(layer.mask, 1.0, np.nan))
        said = said if mark.hover else f"{where}{WORDS[layer.kind]}"
        canvas.trace("heatmap", z=z, colorscale=flat, showscale=False, hovertemplate=f"{said}<extra></extra>", **axes, **texts)
        if not mark.is_text:
            x, y = np.asarray(mark.x)[layer.columns], np.asarray(mark.y)[layer.rows]
            text = {"text": [GLYPHS[layer.kind]] * len(x), "textfont": {"size": 13, "color": "#ffffff"}}
            canvas.trace("scatter", mode="text", x=numbers(x), y=numbers(y), hoverinfo="skip", **text)
    if mark.is_text:
        _text(mark, canvas)


def _text(mark: Heat, canvas: Canvas) -> None:
    """Letters, one trace an ink, and frames around chosen cells."""
    size = _letters.size(mark, canvas.place.width)
    for ink in _letters.inks(mark) if size else []:
        font = {"size": round(size, 1), "color": ink.colour, "family": "@mono"}
        x, y = np.asarray(mark.x)[ink.columns], np.asarray(mark.y)[ink.rows]
        style = {"text": [escape(text) for text in ink.texts], "textfont": font, "opacity": _letters.FAINT if ink.faint else 1.0}
        canvas.trace("scatter", mode="text", x=numbers(x), y=numbers(y), hoverinfo="skip", **style)
    refs = {"xref": name("x", canvas.index), "yref": name("y", canvas.index)}
    for left, bottom, width in _letters.frames(mark):
        corners = {"x0": left, "x1": left + width, "y0": bottom, "y1": bottom + 1}
        for colour, thick in (("@paper", 4.5), ("@ink", 1.75)):  # seen on dark and bright cells alike
            line = {"color": colour, "width": thick}
            canvas.shapes.append({"type": "rect", **refs, **corners, "line": line, "layer": "above"})


def rule(mark: Rule, canvas: Canvas) -> None:
    (x0, x1), (y0, y1) = rule_ends(mark, canvas.place)
    style = {"color": "@ink", "width": 1.25, "dash": "5px,4px" if mark.dashed else "solid"}
    ends = {"x0": float(x0), "x1": float(x1), "y0": float(y0), "y1": float(y1)}
    refs = {"xref": name("x", canvas.index), "yref": name("y", canvas.index)}
    if canvas.heats:  # seen on dark and bright cells alike
        canvas.shapes.append({"type": "line", **refs, **ends, "line": {"color": "@paper", "width": 4}, "layer": "above"})
    canvas.shapes.append({"type": "line", **refs, **ends, "line": style, "layer": "above"})


def tiles(mark: Tiles, canvas: Canvas) -> None:
    room, narrow = canvas.place.width, canvas.plan.narrow
    refs = {"xref": name("x", canvas.index), "yref": name("y", canvas.index)}
    boxes = _tiles.boxes(mark, room, narrow)
    for box in boxes:
        corners = {"x0": box.left, "x1": box.right, "y0": box.bottom, "y1": box.top}
        canvas.shapes.append({"type": "rect", **refs, **corners, "fillcolor": f"@{box.level}_wash", "line": {"width": 0}, "layer": "below"})
        centred = {"xanchor": "left", "xshift": 4} if narrow else {"xanchor": "center"}
        canvas.write(escape(box.text), box.left if narrow else (box.left + box.right) / 2, (box.bottom + box.top) / 2, box.level, **centred)
    for word in _tiles.words(mark, room, narrow):
        text = f"<b>{escape(word.text)}</b>" if word.bold else escape(word.text)
        canvas.write(text, word.x, word.y, "ink" if word.bold else "muted", xanchor="left", align="left")
    x, y = (np.array([(box.left + box.right) / 2 for box in boxes]), np.array([(box.bottom + box.top) / 2 for box in boxes]))
    invisible = {"size": 22, "opacity": 0, "color": "@ink"}
    canvas.markers(x, y, invisible, text=[escape(box.full) for box in boxes], hovertemplate="%{text}<extra></extra>")


def nothing(canvas: Canvas) -> None:
    """plotly draws no axes without a trace on them."""
    canvas.trace("scatter", x=[None], y=[None], hoverinfo="skip")


def write_labels(canvas: Canvas) -> None:
    """The direct labels of a panel. Those in its right half are held at their right end: where a page makes the panel narrower than it was
    planned, they stay inside."""
    place = canvas.place
    for label in labels(place):
        side, end = ("left", label.left) if label.left + label.right < place.width else ("right", label.right)
        x = place.x.start + end / place.width * (place.x.end - place.x.start)
        y = place.y.start + label.middle / place.height * (place.y.end - place.y.start)
        ground = {"bgcolor": "@paper_soft", "borderpad": 1} if label.covers or canvas.heats else {}  # else it would cut holes into bands
        canvas.write(escape(label.text), x, y, label.colour, xanchor=side, yanchor="middle", **ground)


DRAW: dict[type, Any] = {Line: line, Path: path, Band: band, Points: points, Bars: bars, Heat: heat, Rule: rule, Tiles: tiles}

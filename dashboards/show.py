"""The one place that puts a chart's description on a page."""

import dataclasses
import io
import re
from collections.abc import Callable, Sequence
from html import escape
from typing import Any

import streamlit as st

from gradviz.backends import matplotlib as static
from gradviz.backends import plotly as live
from gradviz.backends import theme
from gradviz.charts import CHARTS, Description
from gradviz.charts._description import Heat, Panel
from gradviz.dashboards import state
from gradviz.errors import GradvizError
from gradviz.frames import Run

COLOURS = {"critical": "red", "warning": "orange", "note": "blue", "good": "green", "none": "gray"}
SPLIT = ("multiples", "film")  # shapes whose panels become a chart each: columns stack by themselves on a phone


def plain(text: str) -> str:
    """`text` so that Markdown shows it letter by letter: names and tokens come from outside."""
    return re.sub(r"([\\`*_{}\[\]()#+.!|<>~$:-])", r"\\\1", text)


def viewer() -> str:
    """The theme the viewer has now: light or dark."""
    return "dark" if st.context.theme.type == "dark" else "light"


def chip(severity: str, word: str) -> str:
    """Markdown of a severity chip: glyph and word on the wash of the level."""
    glyph = theme.TOKENS["severity"][severity]["glyph"]
    return f":{COLOURS[severity]}-badge[{glyph} {plain(word)}]"


@st.cache_resource(max_entries=256, show_spinner=False)
def _describe(name: str, options: tuple[tuple[str, Any], ...], key: state.Signature, labels: tuple[str, ...], _runs: Sequence[Run]) -> Description:
    return CHARTS[name](**dict(options)).describe(_runs)


def describe(name: str, runs: Sequence[Run], **options: Any) -> Description:
    """The description of a chart of these runs, kept until a file of one of them changes."""
    return _describe(name, tuple(sorted(options.items())), state.key_of(runs), tuple(run.label for run in runs), runs)


def chart(name: str, runs: Sequence[Run], *, head: Any = None, pick: Callable[[Any], None] | None = None, **options: Any) -> None:
    """A whole figure. `head`: a container for the title, which then is the page's own; `pick` is called with the x of a cell that was clicked."""
    try:
        description = describe(name, runs, **options)
    except GradvizError as error:
        problem(f"The picture “{name}” cannot be drawn", str(error))
        return
    titles(description, head)
    if description.missing:
        st.info(plain(description.missing), icon=":material/visibility_off:")
        return
    with st.container(key=f"figure-{name}", gap="small"):
        key_line(description)
        panels(description, name, pick)
        colour_bar(description)
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.markdown(f"**What to look for.** {plain(description.look_for)}", width="stretch")
            downloads(description, name)
    st.space("small")


def titles(description: Description, head: Any) -> None:
    if head is None:
        st.header(plain(description.title), anchor=False)
        st.caption(plain(description.subtitle))
    else:
        head.title(plain(description.title), anchor=False)
        head.caption(plain(description.subtitle))


def panels(description: Description, name: str, pick: Callable[[Any], None] | None) -> None:
    if description.shape not in SPLIT or len(description.panels) < 2:
        panel(description, f"{name}-0", pick)
        return
    columns = min(description.columns, len(description.panels))
    for start in range(0, len(description.panels), columns):
        for i, column in enumerate(st.columns(columns, gap="medium")):
            if start + i < len(description.panels):
                with column:
                    panel(dataclasses.replace(description, panels=(description.panels[start + i],), columns=1), f"{name}-{start + i}", pick)


def panel(description: Description, key: str, pick: Callable[[Any], None] | None) -> None:
    """Every chart of every page goes through here: explicit colours, explicit margins, a text alternative."""
    figure = live.figure(description, theme=viewer())
    if "coloraxis" in figure["layout"]:
        figure["layout"]["coloraxis"]["showscale"] = False
    heading = ", ".join(item.heading for item in description.panels if item.heading)
    more: dict[str, Any] = {}
    if pick:
        figure["data"].append(targets(description.panels[0]))
        figure["layout"].update(clickmode="event+select", dragmode=False)
        more = {"on_select": lambda: picked(key, pick), "selection_mode": ("points",)}
    st.plotly_chart(figure, theme=None, key=key, config=live.CONFIG, alt=f"{description.title} {heading}".strip(), **more)


def targets(shown: Panel) -> dict[str, Any]:
    """Invisible marks over the cells of a heatmap: a heatmap itself sends no selection."""
    heat = next(mark for mark in shown.marks if isinstance(mark, Heat))
    rows = list(heat.y)[:: max(1, len(heat.y) // 16)]
    x, y = zip(*((float(step), float(row)) for step in heat.x for row in rows), strict=True)
    unseen = {"marker": {"opacity": 0}}
    marker = {"size": 12, "symbol": "square", "color": "rgba(0,0,0,0)"}
    return {"type": "scatter", "mode": "markers", "x": x, "y": y, "marker": marker, "selected": unseen, "unselected": unseen, "hoverinfo": "none", "showlegend": False}


def picked(key: str, pick: Callable[[Any], None]) -> None:
    points = st.session_state[key]["selection"]["points"]
    if points:
        pick(points[0]["x"])


def key_line(description: Description) -> None:
    """Line samples above the figure, drawn with borders: pages drop SVG."""
    if description.key:
        st.html(f'<div class="gv-key">{"".join(sample(kind, text) for kind, text in description.key)}</div>')


def sample(kind: str, text: str) -> str:
    marks = {"zero": "·", "infinite": "∞", "nan": "×"}
    body = f'<b class="gv-flat gv-{kind}">{marks[kind]}</b>' if kind in marks else f'<b class="gv-line gv-{escape(kind)}"></b>'
    return f"<span>{body}{escape(text)}</span>"


def colour_bar(description: Description) -> None:
    """One bar for all panels: what is compared shares a colour axis."""
    heats = [mark for item in description.panels for mark in item.marks if isinstance(mark, Heat)]
    if heats:
        heat = heats[0]
        low, high = (power(end) if heat.log else f"{end:g}" for end in heat.limits)
        st.html(f'<div class="gv-key"><span>{low}<b class="gv-bar gv-{heat.scale}"></b>{high}</span><span>{escape(heat.unit)}</span></div>')


def power(exponent: float) -> str:
    return f"10<sup>{exponent:g}</sup>".replace("-", "−")


def downloads(description: Description, name: str) -> None:
    """The data and the picture. Pictures are drawn when they are asked for."""
    with st.popover("Download", icon=":material/download:"):
        st.download_button("Data (CSV)", lambda: description.frame.to_csv(index=False), f"{name}.csv", "text/csv", key=f"csv-{name}", on_click="ignore")
        for suffix, mime in (("svg", "image/svg+xml"), ("png", "image/png")):
            st.download_button(
                f"Picture ({suffix.upper()})",
                lambda suffix=suffix: picture(description, suffix),
                f"{name}.{suffix}",
                mime,
                key=f"{suffix}-{name}",
                on_click="ignore",
            )


def picture(description: Description, suffix: str) -> bytes:
    kept = io.BytesIO()
    static.draw(description).savefig(kept, format=suffix, dpi=200)
    return kept.getvalue()


def problem(what: str, why: str, word: str = "cannot be read") -> None:
    """An error stands where the missing thing would be; everything else stays usable."""
    with st.container(border=True):
        st.markdown(chip("critical", word))
        st.markdown(f"**{plain(what)}.** {plain(why)}")


def style() -> None:
    """The few rules Streamlit has no setting for: the width of the page, keys, and heatmaps over text that scroll on a phone."""
    depth, tide = (",".join(theme.TOKENS["scale"][name]) for name in ("depth", "tide"))
    colours = theme.TOKENS[viewer()]
    scale = theme.TOKENS["scale"]
    st.html(f"""<style>
[data-testid=stMainBlockContainer]{{max-width:1180px;padding-inline:clamp(1.1rem,3.2vw,3.5rem)}}
h1,h2,h3{{text-wrap:balance}}
.gv-key{{display:flex;flex-wrap:wrap;gap:6px 24px;align-items:center;font-size:13px;color:{colours["muted"]}}}
.gv-key span{{display:inline-flex;gap:8px;align-items:center}}
.gv-flat{{width:26px;height:16px;border-radius:2px;color:#fff;text-align:center;line-height:15px;border:1px solid {colours["line"]}}}
.gv-zero{{background:{scale["zero"]}}} .gv-infinite{{background:{scale["infinite"]}}} .gv-nan{{background:{scale["nan"]}}}
.gv-line{{width:34px;border-top:2.25px solid {colours["ink"]}}}
.gv-unclipped{{border-top-style:dashed}} .gv-start{{border-top-color:{colours["ghost"]}}}
.gv-bar{{width:220px;max-width:40vw;height:10px;border-radius:2px}}
.gv-depth{{background:linear-gradient(90deg,{depth})}} .gv-tide{{background:linear-gradient(90deg,{tide})}}
@media (max-width:640px){{.st-key-figure-gate_heatmap [data-testid=stPlotlyChart]{{min-width:760px}} .st-key-figure-gate_heatmap{{overflow-x:auto}}}}
</style>""")

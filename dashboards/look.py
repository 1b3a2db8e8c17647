"""How the dashboard looks beyond Streamlit's own settings: chips, keys, colour bars and a few style rules."""

import re
from html import escape

import streamlit as st

from gradviz.backends import theme
from gradviz.charts import Description
from gradviz.charts._description import Heat
from gradviz.dashboards import pieces

COLOURS = {"critical": "red", "warning": "orange", "note": "blue", "good": "green", "none": "gray"}  # Streamlit's names, see config.toml
WIDE = {"gate": 880, "text": 620, "tiles": 640}  # pixels, below which these shapes scroll by themselves rather than be squeezed
FLAT = {"zero": "·", "infinite": "∞", "nan": "×"}
MARKS = {"faint": "●", "dot": "●", "ring": "○", "cross": "×"}


def plain(text: str) -> str:
    """`text` so that Markdown shows it letter by letter: names and tokens come from outside."""
    return re.sub(r"([\\`*_{}\[\]()#+.!|<>~$:-])", r"\\\1", text)


def viewer() -> theme.Theme:
    """The theme the viewer has now."""
    return "dark" if st.context.theme.type == "dark" else "light"


def chip(severity: str, word: str) -> str:
    """Markdown of a severity chip: glyph and word on the wash of the level."""
    return f":{COLOURS[severity]}-badge[{plain(chip_text(severity, word))}]"


def chip_text(severity: str, word: str) -> str:
    return f"{theme.TOKENS['severity'][severity]['glyph']} {word}"


def key_line(description: Description) -> None:
    """Line samples above the figure, drawn with borders: pages drop SVG."""
    if description.key:
        st.html(f'<div class="gv-key">{"".join(sample(kind, text) for kind, text in description.key)}</div>')


def sample(kind: str, text: str) -> str:
    if kind in FLAT:
        body = f'<b class="gv-flat gv-{kind}">{FLAT[kind]}</b>'
    else:
        body = f'<b class="{"gv-mark" if kind in MARKS else "gv-line"} gv-{escape(kind)}">{MARKS.get(kind, "")}</b>'
    return f"<span>{body}{escape(text)}</span>"


def colour_bar(description: Description) -> None:
    """One bar for all panels: what is compared shares a colour axis."""
    heat = next((mark for item in description.panels for mark in item.marks if isinstance(mark, Heat)), None)
    if heat:
        low, high = (power(end) if heat.log else f"{end:g}".replace("-", "−") for end in heat.limits)
        st.html(f'<div class="gv-key"><span>{low}<b class="gv-bar gv-{heat.scale}"></b>{high}</span><span>{escape(heat.unit)}</span></div>')


def power(exponent: float) -> str:
    return f"<span>10<sup>{exponent:g}</sup></span>".replace("-", "−")


def style() -> None:
    """The few rules Streamlit has no setting for: the width of the page, keys, and how panels flow."""
    scale, colours = theme.TOKENS["scale"], theme.TOKENS[viewer()]
    depth, tide = (",".join(scale[name]) for name in ("depth", "tide"))
    flat = "".join(f".gv-{name}{{background:{scale[name]}}}" for name in FLAT)
    st.html(f"""<style>
[data-testid=stMainBlockContainer]{{max-width:1180px;padding-inline:clamp(1.1rem,3.2vw,3.5rem)}}
h1,h2,h3{{text-wrap:balance}}
.st-key-above{{margin-top:-1.9rem}}
.gv-key{{display:flex;flex-wrap:wrap;gap:6px 24px;align-items:center;font-size:13px;color:{colours["muted"]}}}
.gv-key>span{{display:inline-flex;gap:8px;align-items:center}}
.gv-flat{{width:26px;height:16px;border-radius:2px;color:#fff;text-align:center;line-height:15px;border:1px solid {colours["line"]}}}
{flat}
.gv-line{{width:34px;height:0;border-top:2.25px solid {colours["ink"]};position:relative}}
.gv-unclipped{{border-top-style:dashed}} .gv-start{{border-top-color:{colours["ghost"]}}}
.gv-clipped:after,.gv-unclipped:after{{content:"";position:absolute;left:13px;top:-6px;width:9px;height:9px;border-radius:9px;box-sizing:border-box}}
.gv-mark{{font-size:14px;line-height:1;color:{colours["ink"]}}} .gv-faint{{color:{colours["ghost"]}}}
.gv-clipped:after,.gv-unclipped:after{{border:1.75px solid {colours["ink"]};background:{colours["ink"]}}}
.gv-unclipped:after{{background:{colours["paper"]}}}
.gv-bar{{width:220px;max-width:40vw;height:10px;border-radius:2px}}
.gv-depth{{background:linear-gradient(90deg,{depth})}} .gv-tide{{background:linear-gradient(90deg,{tide})}}
{grids()}
.gv-hint{{display:none;font-size:13px;color:{colours["muted"]}}}
@media (max-width:1100px){{.gv-hint{{display:block}}}}
@media (max-width:640px){{
h1{{font-size:1.75rem!important}}
[class*=st-key-foot]{{flex-wrap:wrap}}
}}
[class*=st-key-wide]{{overflow-x:auto}}
[data-testid=stPlotlyChart]{{position:relative}}
[data-testid=stPlotlyChart]::after,[data-testid=stPlotlyChart]::before{{position:absolute;z-index:1;pointer-events:none}}
{"".join(f"[class*=st-key-wide-{shape}]>*{{min-width:{least}px}}" for shape, least in WIDE.items())}
</style>""")


def grids() -> str:
    """Panels flow into as many columns as the chart wants and the page has room for."""
    rules = []
    for shape, least in pieces.LEAST.items():
        for count in pieces.WIDTHS:
            track = (
                f"minmax(min(100%,max({min(least, pieces.WIDTHS[count] - 45)}px,calc((100% - {24 * (count - 1)}px)/{count} - 1px))),1fr)"
            )
            where = f"[class*=st-key-grid-{shape}-{count}]"
            rules.append(f"{where}{{display:grid;gap:8px 24px;grid-template-columns:repeat(auto-fit,{track})}}")
            rules.append(f"{where}>*{{min-width:0}}")
    return "".join(rules)

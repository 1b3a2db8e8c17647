"""Charts that grow by the second without blinking.

Streamlit puts a plotly chart up anew whenever its figure changes, and for as long as the browser draws there is nothing; on a machine that
is busy training that may be always. So what grows is an image, which a browser replaces at once; interactive charts follow when the
training has ended.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from gradviz.backends import matplotlib as static
from gradviz.backends import theme
from gradviz.charts import Description
from gradviz.dashboards import look, show
from gradviz.errors import GradvizError
from gradviz.frames import Run

WIDTH = 10.0  # inches
REST = 1.5  # seconds that a picture stands at least
SHARE = 5.0  # and so many times what it took to draw: training needs the processor too


@dataclass(frozen=True)
class Kept:
    """A picture, when the next one may follow, and for which theme it was drawn."""

    description: Description
    image: str
    until: float
    viewer: theme.Theme


def chart(name: str, runs: Sequence[Run], **options: Any) -> None:
    """As `show.chart`, without downloads: what is not finished is not handed on."""
    kept: Kept | None = st.session_state.get(f"kept-{name}")
    if kept is None or kept.viewer != look.viewer() or time.monotonic() > kept.until:
        try:
            kept = picture(show.describe(name, runs, **options), kept)
        except GradvizError as error:
            show.problem(f"The picture “{name}” cannot be drawn", str(error))
            return
        st.session_state[f"kept-{name}"] = kept
    description = kept.description
    show.titles(description, None)
    if description.missing:
        st.info(look.plain(description.missing), icon=":material/visibility_off:")
        return
    look.key_line(description)
    with st.container(key=f"wide-tiles-{name}"):
        st.image(kept.image, width="stretch")
    st.markdown(f"**What to look for.** {look.plain(description.look_for)}")
    st.space("small")


def picture(description: Description, before: Kept | None) -> Kept:
    """A description as an image of its own; the same one again if nothing has changed."""
    began, viewer = time.monotonic(), look.viewer()
    if before is not None and before.description is description and before.viewer == viewer:
        return Kept(description, before.image, began + REST, viewer)
    image = "" if description.missing else in_colour(static.svg(description, WIDTH), viewer)
    now = time.monotonic()
    return Kept(description, image, now + max(REST, SHARE * (now - began)), viewer)


def in_colour(svg: str, viewer: theme.Theme) -> str:
    """The picture takes its colours from the page it stands in; an image is a page of its own."""
    head, rest = svg.split(">", 1)
    return f"{head}><style>svg{{{theme.css_variables(viewer)}}}</style>{rest}"

"""Charts that grow by the second without blinking.

Streamlit puts a plotly chart up anew whenever its figure changes, and for a moment there is nothing. So each chart has two places, one
upon the other: what changes is drawn above the last picture, which stays until the new one covers it.
"""

import time
from collections.abc import Sequence
from typing import Any

import streamlit as st

from gradviz.charts import Description
from gradviz.dashboards import look, show
from gradviz.errors import GradvizError
from gradviz.frames import Run

REST = 1.5  # seconds that a picture stands at least
SHARE = 10.0  # and so many times what it took to send: a browser on a busy machine needs longer to draw it


def chart(name: str, runs: Sequence[Run], **options: Any) -> None:
    """As `show.chart`, without downloads: what is not finished is not handed on."""
    try:
        description = show.describe(name, runs, **options)
    except GradvizError as error:
        show.problem(f"The picture “{name}” cannot be drawn", str(error))
        return
    began = time.monotonic()
    kept, front = places(name, description)
    description = kept[front]
    show.titles(description, None)
    if description.missing:
        st.info(look.plain(description.missing), icon=":material/visibility_off:")
        return
    look.key_line(description)
    layers = "".join(f".st-key-place-{name}-{place}{{grid-area:1/1;z-index:{1 + (place == front)}}}" for place in (0, 1))
    st.html(f"<style>.st-key-steady-{name}{{display:grid}}{layers}</style>")
    with st.container(key=f"steady-{name}"):
        for place in (0, 1):
            with st.container(key=f"place-{name}-{place}"):
                if not kept[place].missing:
                    show.panels(kept[place], show.drawn(kept[place], look.viewer()), f"{name}-{place}", None)
    st.session_state[f"rest-{name}"] = max(REST, SHARE * (time.monotonic() - began))
    st.markdown(f"**What to look for.** {look.plain(description.look_for)}")
    st.space("small")


def places(name: str, description: Description) -> tuple[list[Description], int]:
    """What stands in both places, and which of them is in front: the one that the newest description went into. A picture has time to be
    drawn before the next one comes."""
    now = time.monotonic()
    kept, front, since = st.session_state.get(f"places-{name}", ([description, description], 0, now))
    if description is not kept[front] and now - since >= st.session_state.get(f"rest-{name}", REST):
        front, since = 1 - front, now
        kept = [description if place == front else kept[place] for place in (0, 1)]
    st.session_state[f"places-{name}"] = kept, front, since
    return kept, front

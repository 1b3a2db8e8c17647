"""Charts that grow by the second without blinking.

Streamlit puts a plotly chart up anew whenever its figure changes, and for a moment there is nothing. So each chart has two places, one
upon the other: what changes is drawn above the last picture, which stays until the new one covers it.
"""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from gradviz.charts import Description
from gradviz.dashboards import look, show
from gradviz.errors import GradvizError
from gradviz.frames import Run


def chart(name: str, runs: Sequence[Run], **options: Any) -> None:
    """As `show.chart`, without downloads: what is not finished is not handed on."""
    try:
        description = show.describe(name, runs, **options)
    except GradvizError as error:
        show.problem(f"The picture “{name}” cannot be drawn", str(error))
        return
    show.titles(description, None)
    if description.missing:
        st.info(look.plain(description.missing), icon=":material/visibility_off:")
        return
    look.key_line(description)
    kept, front = places(name, description)
    layers = "".join(f".st-key-place-{name}-{place}{{grid-area:1/1;z-index:{1 + (place == front)}}}" for place in (0, 1))
    st.html(f"<style>.st-key-steady-{name}{{display:grid}}{layers}</style>")
    with st.container(key=f"steady-{name}"):
        for place in (0, 1):
            with st.container(key=f"place-{name}-{place}"):
                show.panels(kept[place], f"{name}-{place}", None)
    st.markdown(f"**What to look for.** {look.plain(description.look_for)}")
    st.space("small")


def places(name: str, description: Description) -> tuple[list[Description], int]:
    """What stands in both places, and which of them is in front: the one that the newest description went into."""
    kept, front = st.session_state.get(f"places-{name}", ([description, description], 0))
    if description is not kept[front]:
        front = 1 - front
        kept = [description if place == front else kept[place] for place in (0, 1)]
    st.session_state[f"places-{name}"] = kept, front
    return kept, front

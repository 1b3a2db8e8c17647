"""Charts that take a moment: while they are computed, their place is held and says what is done."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import streamlit as st

from gradviz.dashboards import show
from gradviz.errors import GradvizError
from gradviz.frames import Run


@contextmanager
def waiting(name: str, height: int, sentence: str) -> Iterator[None]:
    """A grey field, `height` pixels high, under a sentence; only if it takes longer than a blink, and only where nothing stands yet. An
    older picture stays where it is until the new one is there."""
    standing: set[str] = st.session_state.setdefault("standing", set())
    if name in standing:
        st.empty()  # the places of the sentence and of the field, so that what follows keeps its own
        st.empty()
        yield
        return
    with st.spinner(sentence), st.skeleton(height):
        yield
    standing.add(name)


def chart(name: str, runs: Sequence[Run], sentence: str, height: int = 480, **options: Any) -> None:
    """`show.chart` of a chart that computes."""
    with waiting(name, height, sentence), suppress(GradvizError):  # which show.chart tells
        show.describe(name, runs, **{key: value for key, value in options.items() if key not in ("head", "section", "click")})
    show.chart(name, runs, **options)

"""Charts that take a moment: while they are computed, their place is held and says what is done."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import Any

import streamlit as st

from gradviz.dashboards import look, show, state
from gradviz.errors import GradvizError
from gradviz.frames import Run

Tell = Callable[[str], None]  # says how far it is


@st.cache_resource(show_spinner=False)
def _done() -> set[Any]:
    """What has been computed since the server started, and so is there at once."""
    return set()


@contextmanager
def waiting(what: Any, name: str, sentence: str, height: int = 420) -> Iterator[Tell]:
    """A sentence over a grey field, `height` pixels high: only while `what` is computed for the first time, and only where nothing stands
    yet. An older picture stays, faded, until the new one is there."""
    standing: set[str] = st.session_state.setdefault("standing", set())
    place = st.empty()
    if what in _done() or name in standing:
        yield lambda text: None
    else:
        with place.container():
            note = st.empty()
            note.caption(look.plain(sentence))
            st.skeleton(height)
        yield lambda text: note.caption(look.plain(f"{sentence} {text}"))
        place.empty()
    _done().add(what)
    standing.add(name)


def judging(runs: Sequence[Run]) -> AbstractContextManager[Tell]:
    """While the verdicts on runs are worked out."""
    return waiting(("verdicts", state.key_of(runs)), "verdicts", "Every rule looks at every run.")


def chart(name: str, runs: Sequence[Run], sentence: str, **options: Any) -> None:
    """`show.chart` of a chart that computes. Run by run, so that a page that is left, or asked for something else, need not wait for all
    of them: what was computed of a run is remembered."""
    asked = {key: value for key, value in options.items() if key not in ("head", "section", "click")}
    with waiting((name, *sorted(asked.items()), state.key_of(runs)), name, sentence) as tell:
        for index, run in enumerate(runs):
            tell(f"{index} of {len(runs)} runs are done." if index else "")
            with suppress(GradvizError):  # which show.chart tells
                show.describe(name, [run], **asked)
    show.chart(name, runs, **options)

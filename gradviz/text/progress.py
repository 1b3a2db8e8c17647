"""Who is told how far the reading of a large text is."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from gradviz.text.parts import Watch


def _nobody(doing: str, done: int, total: int) -> None:
    """Whoever wants to know says so with `told`."""


_watch: ContextVar[Watch] = ContextVar("watch", default=_nobody)


def watch() -> Watch:
    return _watch.get()


@contextmanager
def told(watch: Watch) -> Iterator[None]:
    """In this block `watch(doing, done, total)` hears of every piece that is read, counted or encoded; total 0 is unknown."""
    before = _watch.set(watch)
    try:
        yield
    finally:
        _watch.reset(before)

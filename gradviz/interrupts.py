"""Ctrl-C at a good moment: between two updates, when everything that is kept fits together."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Stopped(KeyboardInterrupt):
    """A training was asked to stop, from another process. It ends as after Ctrl-C; the process need not."""


@contextmanager
def postponed() -> Iterator[None]:
    """An interruption waits until the block has ended, and happens then. Outside the main thread, which alone is interrupted: nothing."""
    old = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(old):
        yield
        return
    came: list[tuple[int, FrameType | None]] = []

    def remember(number: int, frame: FrameType | None) -> None:
        came.append((number, frame))

    signal.signal(signal.SIGINT, remember)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, old)
    if came:
        old(*came[0])

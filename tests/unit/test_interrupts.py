"""An interruption that waits for the end of a block."""

import signal
import threading

import pytest

from gradviz.interrupts import postponed


def test_it_happens_at_the_end_and_once() -> None:
    done, before = [], signal.getsignal(signal.SIGINT)

    def work() -> None:
        with postponed():
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)
            done.append("all of the block")

    with pytest.raises(KeyboardInterrupt):
        work()
    assert done
    assert signal.getsignal(signal.SIGINT) is before
    with postponed():
        pass


def test_an_error_of_the_block_comes_first() -> None:
    before = signal.getsignal(signal.SIGINT)

    def work() -> None:
        with postponed():
            signal.raise_signal(signal.SIGINT)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        work()
    assert signal.getsignal(signal.SIGINT) is before


def test_whoever_ignores_interruptions_goes_on_ignoring_them() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with postponed():
            signal.raise_signal(signal.SIGINT)
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


def test_other_threads_are_left_alone() -> None:
    """Handlers can be set in the main thread only; a dashboard trains in others."""
    failed: list[Exception] = []

    def work() -> None:
        try:
            with postponed():
                pass
        except ValueError as error:
            failed.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert not failed

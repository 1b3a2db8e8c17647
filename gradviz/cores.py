"""More than one core: NumPy lets go of Python's lock inside its larger operations, so plain threads run side by side.

Work is divided by its size alone, never by the number of threads, so that numbers do not depend on it. BLAS itself keeps to one thread:
its own threads wait for each other in busy loops, which on busy cores costs a hundred times what it saves.
"""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextvars import copy_context
from functools import cache
from typing import TypeVar

T = TypeVar("T")

MOST = 4  # more threads find nothing to do
WORTH = 10_000_000  # multiplications, about a quarter of a millisecond: handing over costs a twentieth of one


def available() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0)) if "sched_getaffinity" in dir(os) else os.cpu_count() or 1


_threads = min(MOST, available())


def threads() -> int:
    """How many threads large work is spread over."""
    return _threads


def use(count: int) -> None:
    """Spread large work over `count` threads from now on; 1 where other processes keep the other cores busy."""
    global _threads
    _threads = max(1, count)


def together(jobs: Sequence[Callable[[], T]], work: int) -> list[T]:
    """Run all jobs and return what they return. work: multiplications of all jobs; little work is done one after the other.

    The jobs must not write to the same memory. They see the caller's `np.errstate`.
    """
    if work < WORTH or _threads == 1 or len(jobs) == 1:
        return [job() for job in jobs]
    others = [_pool(_threads - 1).submit(copy_context().run, job) for job in jobs[1:]]
    try:
        first = jobs[0]()
    finally:
        wait(others)  # none may write on after the caller has gone
    return [first, *(job.result() for job in others)]


def later(job: Callable[[], T], work: int) -> Callable[[], T]:
    """Begin a job that nobody waits for yet; calling what is returned waits for its result. work: as for `together`; little of it, or
    any with one thread, is done at once: beside a loop of short operations, a thread takes Python's lock more often than it helps.

    What it reads must stay as it is until then.
    """
    if work < WORTH or _threads == 1:
        result = job()
        return lambda: result
    return _pool(1, "gradviz-later").submit(copy_context().run, job).result


@cache
def _pool(workers: int, name: str = "gradviz") -> ThreadPoolExecutor:
    return ThreadPoolExecutor(workers, name)


def halves(length: int) -> tuple[slice, slice]:
    """The two halves of so many rows."""
    return slice(0, length // 2), slice(length // 2, length)

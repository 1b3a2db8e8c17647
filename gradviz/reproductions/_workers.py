"""The same work for several settings at once, each in a process of its own."""

import multiprocessing
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import TypeVar

from gradviz import cores
from gradviz.sweep import one_thread

Job = TypeVar("Job")
Result = TypeVar("Result")


def each(work: Callable[[Job], Result], jobs: Sequence[Job], processes: int = 2) -> list[Result]:
    """work(job) of every job, in their order. `work` must be a function of a module; with one process it is called here."""
    if processes <= 1 or len(jobs) <= 1:
        return [work(job) for job in jobs]
    context = multiprocessing.get_context("spawn")
    with one_thread(), ProcessPoolExecutor(min(processes, len(jobs)), mp_context=context, initializer=cores.use, initargs=(1,)) as pool:
        return list(pool.map(work, jobs))

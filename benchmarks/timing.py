"""Contenders take turns in one process, so that what slows the machine slows all of them; medians are compared."""

import gc
import statistics
import time
from collections.abc import Callable

Contenders = dict[str, Callable[[], object]]


def medians(contenders: Contenders, rounds: int) -> dict[str, float]:
    """Milliseconds of one call of each, median of `rounds` rounds. The first round, in which buffers are made, does not count."""
    times: dict[str, list[float]] = {name: [] for name in contenders}
    gc.collect()
    gc.disable()  # a collection in one contender's turn may be another's garbage
    try:
        for _ in range(rounds + 1):
            for name, run in contenders.items():
                began = time.perf_counter()
                run()
                times[name].append(time.perf_counter() - began)
            gc.collect()
    finally:
        gc.enable()
    return {name: 1000 * statistics.median(taken[1:]) for name, taken in times.items()}

"""Schedules: at which training steps something happens. A schedule is a function from the step to yes or no."""

from collections.abc import Callable

Schedule = Callable[[int], bool]


def every(interval: int, last: int) -> Schedule:
    """Step 0, every `interval` steps, and `last`, so that beginning and end are always there; never if `interval` is 0."""
    return lambda step: interval > 0 and (step % interval == 0 or step == last)

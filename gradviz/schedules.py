"""Schedules: at which training steps something happens. A schedule is a function from the step to yes or no."""

from collections.abc import Callable

Schedule = Callable[[int], bool]


def every(interval: int, last: int) -> Schedule:
    """Step 0, every `interval` steps, and `last`, so that beginning and end are always there; never if `interval` is 0."""
    return lambda step: interval > 0 and (step % interval == 0 or step == last)


def logarithmic(last: int, per_decade: int = 12) -> Schedule:
    """Step 0 and about `per_decade` steps in each power of ten, dense at first, and `last`: training changes most at its beginning."""
    steps = {0, last}
    exponent = 0
    while (step := round(10 ** (exponent / per_decade))) <= last:
        steps.add(step)
        exponent += 1
    return steps.__contains__

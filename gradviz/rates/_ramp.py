"""The beginning that several schedules share."""

START = 0.01  # a factor of 0 would waste the first update


def ramp(update: int, warmup: int, start: float) -> float:
    """From `start` in update 0 in a straight line to 1 in update `warmup`, and 1 from there on."""
    return 1.0 if update >= warmup else start + (1 - start) * update / warmup

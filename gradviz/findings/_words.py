"""What verdicts say in words besides numbers."""

import math

from gradviz.wording import factor, steps


def pace(decay: float, half: float) -> str:
    """Decay per step and half-life."""
    return f"{factor(decay)} per step back, {'no half-life' if math.isinf(half) else f'half-life {steps(half)}'}"


def spoken(point: str) -> str:
    """A hook point in the words of the field."""
    if point in ("hidden", "cell"):
        return f"{point} state"
    if point == "gate.update":
        return "update gate (share kept)"
    return f"{point.removeprefix('gate.')} gate" if point.startswith("gate.") else point

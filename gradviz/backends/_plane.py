"""Panels whose two axes have one scale: a circle is round, a right angle right."""

from collections.abc import Sequence
from dataclasses import replace

from gradviz.charts._description import Axis, Panel

TALLEST = 440.0  # pixels


def rounded(panels: Sequence[Panel], width: float, rows: int) -> tuple[list[Panel], list[float]]:
    """Panels of this width whose limits are widened, about their middle, until a unit is as long up as across; and the height of each
    row of them, in pixels."""
    height = min(TALLEST, max(width * _span(panel.y) / _span(panel.x) for panel in panels))
    units = [min(width / _span(panel.x), height / _span(panel.y)) for panel in panels]
    wide = [
        replace(panel, x=_wide(panel.x, width / unit), y=_wide(panel.y, height / unit)) for panel, unit in zip(panels, units, strict=True)
    ]
    return wide, [height] * rows


def _span(axis: Axis) -> float:
    low, high = axis.limits or (0.0, 1.0)
    return high - low


def _wide(axis: Axis, span: float) -> Axis:
    low, high = axis.limits or (0.0, 1.0)
    middle = (low + high) / 2
    return replace(axis, limits=(middle - span / 2, middle + span / 2))

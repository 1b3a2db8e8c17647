"""How many units of a gate are wide open, per time step."""

from typing import ClassVar

from gradviz.arrays import Array
from gradviz.quantities._base import Quantity
from gradviz.quantities._observed import RIGHT, Observed


class SaturationRight(Quantity):
    """Share of units with a gate activation above 0.9, 0 to 1."""

    points: ClassVar = ("gate.*",)
    meaning: ClassVar = "share of units whose gate is above 0.9 (wide open) at this time step"

    def reduce(self, array: Observed) -> Array:
        return array.share(array.above(RIGHT))

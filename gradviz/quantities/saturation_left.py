"""How many units of a gate are shut, per time step."""

from typing import ClassVar

from gradviz.arrays import Array
from gradviz.quantities._base import Quantity
from gradviz.quantities._observed import LEFT, Observed


class SaturationLeft(Quantity):
    """Share of units with a gate activation below 0.1, 0 to 1."""

    points: ClassVar = ("gate.*",)
    meaning: ClassVar = "share of units whose gate is below 0.1 (shut) at this time step"

    def reduce(self, array: Observed) -> Array:
        return array.share(array.below(LEFT))

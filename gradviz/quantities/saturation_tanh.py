"""How many units sit on the flat ends of tanh, per time step."""

from typing import ClassVar

from gradviz.arrays import Array
from gradviz.quantities._base import Quantity
from gradviz.quantities._observed import RIGHT, Observed


class SaturationTanh(Quantity):
    """Share of units beyond ±0.9, 0 to 1. Says nothing where the activation is not tanh (ReLU)."""

    points: ClassVar = ("hidden", "candidate")
    meaning: ClassVar = "share of units beyond -0.9 or 0.9 at this time step, where tanh is nearly flat"

    def reduce(self, array: Observed) -> Array:
        return array.share(array.below(-RIGHT), array.above(RIGHT))

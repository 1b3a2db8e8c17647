"""How far a gate stands open on average, per time step."""

from typing import ClassVar

from gradviz.arrays import Array
from gradviz.quantities._base import Quantity
from gradviz.quantities._observed import Observed


class GateMean(Quantity):
    """Mean over units of a gate's activation, 0 (shut) to 1 (open). For the GRU's gate.update: the share kept of the old state."""

    points: ClassVar = ("gate.*",)
    meaning: ClassVar = "mean over units of the gate at this time step; for gate.update the share kept of the old state"

    def reduce(self, array: Observed) -> Array:
        return array.mean

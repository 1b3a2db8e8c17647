"""Norm of a state, per time step."""

from typing import ClassVar

from gradviz.arrays import Array, norm
from gradviz.quantities._base import Quantity
from gradviz.quantities._observed import Observed


class ActivationNorm(Quantity):
    """‖h_t‖ over units (and ‖c_t‖). With tanh a hidden state is at most the square root of the number of units long."""

    points: ClassVar = ("hidden", "cell")
    meaning: ClassVar = "norm over units of the state at this time step"

    def reduce(self, array: Observed) -> Array:
        return norm(array.values, axis=-1)

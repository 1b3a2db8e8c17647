"""Norm of the gradient of the loss with respect to a state, per time step."""

from typing import ClassVar

from gradviz.arrays import Array, norm
from gradviz.quantities._base import Quantity
from gradviz.quantities._observed import Observed


class GradientNorm(Quantity):
    """‖∂L/∂h_t‖ over units (and ‖∂L/∂c_t‖), all that the loss feels through the state at t. Unit: loss per activation."""

    points: ClassVar = ("hidden", "cell")
    gradient: ClassVar = True
    meaning: ClassVar = "norm over units of the gradient of the loss with respect to the state at this time step"

    def reduce(self, array: Observed) -> Array:
        return norm(array.values, axis=-1)

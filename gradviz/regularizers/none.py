"""No regularizer: the loss alone is learned from."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from gradviz.arrays import Array
from gradviz.regularizers._base import Regularizer


@dataclass(frozen=True)
class NoRegularizer(Regularizer):
    """Never acts."""

    acts: ClassVar[bool] = False

    def price(self, arriving: Array, leaving: Array, counts: Array) -> tuple[float, Array]:
        return 0.0, np.zeros_like(leaving)

"""What a regularizer of the backward flow is: it looks at how long the gradient is before and after each step back, and prices that."""

from abc import ABC, abstractmethod
from typing import ClassVar

from gradviz.arrays import Array


class Regularizer(ABC):
    """Base of all regularizers. One is a frozen dataclass of options. acts: whether it ever does anything: then what it needs is kept."""

    acts: ClassVar[bool] = True

    @abstractmethod
    def price(self, arriving: Array, leaving: Array, counts: Array) -> tuple[float, Array]:
        """The penalty without its strength, and with it the derivative with respect to `leaving` (time, batch).

        arriving, leaving: (time, batch) squared norms of the gradient at the state after a step, ∂E/∂s_t, and of what the step alone
        makes of it, ∂E/∂s_t · ∂s_t/∂s_{t-1}; counts: (time, batch) false in the padding. NaN and infinity stay what they are.
        """

"""What a learning-rate schedule is: how far a training has come, as a factor of the optimizer's rate."""

from abc import ABC, abstractmethod


class Rate(ABC):
    """Base of all schedules. One is a frozen dataclass of options; it remembers nothing, so that a run can go on anywhere."""

    @abstractmethod
    def factor(self, update: int, total: int) -> float:
        """What the optimizer's rate is multiplied by in update number `update` of `total`, counted from 0. Never below 0."""

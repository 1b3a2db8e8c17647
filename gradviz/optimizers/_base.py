"""What an optimizer is: from gradients to a change of the parameters, in place."""

from abc import ABC, abstractmethod

from gradviz.arrays import Parameters, Rows, whole

State = dict[str, Parameters]


class Optimizer(ABC):
    """Base of all optimizers. One is a frozen dataclass of options with a field `rate`; what it remembers lives in `state`."""

    rate: float

    @abstractmethod
    def start(self, parameters: Parameters) -> State:
        """The memory before the first step: one array per parameter and kind, e.g. {"momentum": {...}};
        also {"count": {"steps": array(0)}} where steps are counted."""

    @abstractmethod
    def step(self, parameters: Parameters, gradients: Parameters, state: State, rate: float) -> None:
        """Change `parameters` and `state` in place, with learning rate `rate` (the schedule's, not necessarily the option's)."""

    def step_rows(self, parameters: Parameters, gradients: Parameters, state: State, rate: float, rows: Rows) -> None:
        """The same step where some gradients hold only these `rows` of their matrix and are zero in all others."""
        full = {name: whole(gradient, rows[name], parameters[name]) if name in rows else gradient for name, gradient in gradients.items()}
        self.step(parameters, full, state, rate)

"""What a clipping rule is: it looks at all gradients and may shorten them; the base measures what it did."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

from gradviz.arrays import Parameters, cosine, global_norm

State = dict[str, Any]


@dataclass(frozen=True)
class Clipped:
    """What one clipping step did.

    gradients: after the rule; before, after: global 2-norms, whatever norm the rule looks at; acted: whether anything changed;
    cosine: of the angle between the gradient before and after (1 if the direction is kept, NaN if a norm is zero or not finite);
    threshold: the one in force at this step, NaN for a rule without one.
    """

    gradients: Parameters
    before: float
    after: float
    acted: bool
    cosine: float
    threshold: float


class Clipping(ABC):
    """Base of all rules. A rule is a frozen dataclass of options; what it remembers between steps lives in `state`."""

    def start(self) -> State:
        """What the rule knows before the first step: plain numbers and lists, so that a run can store it."""
        return {}

    def threshold(self, state: State) -> float:
        """The global 2-norm above which the rule acts, as it stands after the latest `rule`; NaN if there is no single one."""
        return float("nan")

    @abstractmethod
    def rule(self, gradients: Parameters, parameters: Parameters, norm: float, state: State) -> Parameters:
        """The gradients to use instead. `norm` is their global norm. Never writes into the arrays it is given;
        returns the very same dict if it does not act; may update `state`. Of an embedding, gradients may hold some rows alone, the others
        being zero (`Gradients.rows`); parameters hold them all."""

    def clip(self, gradients: Parameters, parameters: Parameters, state: State) -> Clipped:
        before = global_norm(gradients.values())
        after = self.rule(gradients, parameters, before, state)
        if after is gradients:
            return Clipped(gradients, before, before, False, 1.0, self.threshold(state))
        return Clipped(after, before, global_norm(after.values()), True, cosine(gradients, after), self.threshold(state))

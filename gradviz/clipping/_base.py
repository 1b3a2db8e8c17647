"""What a clipping rule is: it looks at all gradients and may shorten them; the base measures what it did."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, fields, replace
from math import inf, isfinite
from typing import Any, ClassVar, TypeVar, cast

from gradviz.arrays import Parameters, cosine, global_norm
from gradviz.errors import GradvizError
from gradviz.options import convert

State = dict[str, Any]
Rule = TypeVar("Rule", bound="Clipping")


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
    """Base of all rules. A rule is a frozen dataclass of options; what it remembers between steps lives in `state`.

    dial: the option that says how long a gradient may be, a float, which may change while a training runs; empty: there is none.
    """

    dial: ClassVar[str] = ""

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

    def turned(self: Rule, value: Any) -> Rule:
        """The same rule with its `dial` at another value. A GradvizError where there is no dial, or where it does not go so far."""
        if not self.dial:
            raise GradvizError(f"the clipping rule {type(self).__name__} has no threshold that could be changed.")
        where = f"{type(self).__name__}.{self.dial}"
        try:
            number = convert(where, next(item for item in fields(cast(Any, self)) if item.name == self.dial), value)
        except OverflowError:  # a whole number that no float can hold
            number = inf
        if not isfinite(number):
            raise GradvizError(f"{where} is {number}; it must be a finite number.")
        return cast(Rule, replace(cast(Any, self), **{self.dial: number}))

    def clip(self, gradients: Parameters, parameters: Parameters, state: State) -> Clipped:
        before = global_norm(gradients.values())
        after = self.rule(gradients, parameters, before, state)
        if after is gradients:
            return Clipped(gradients, before, before, False, 1.0, self.threshold(state))
        return Clipped(after, before, global_norm(after.values()), True, cosine(gradients, after), self.threshold(state))

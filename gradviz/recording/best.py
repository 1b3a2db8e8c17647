"""The weights with the lowest held-out loss, and how long ago that was."""

from dataclasses import dataclass, field

from gradviz.arrays import Parameters


@dataclass
class Best:
    """step: updates done when the loss was lowest, -1 before it was measured; waited: measurements since then;
    weights: a copy of the parameters at that step, empty before."""

    step: int = -1
    loss: float = float("inf")
    waited: int = 0
    weights: Parameters = field(default_factory=dict)

    @property
    def facts(self) -> dict[str, float]:
        """What run.json says of it."""
        return {"step": self.step, "loss": self.loss}

    def take(self, step: int, loss: float, parameters: Parameters) -> bool:
        """Note a measurement; whether it is the lowest so far. NaN never is."""
        if not loss < self.loss:
            self.waited += 1
            return False
        self.weights = {name: array.copy() for name, array in parameters.items()}
        self.step, self.loss, self.waited = step, loss, 0
        return True

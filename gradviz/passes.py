"""What a pass through a network leaves: outputs and buffers forward, the loss, gradients backward."""

from dataclasses import dataclass

from gradviz.arrays import Array, Integers, Parameters
from gradviz.cells import Weights
from gradviz.tape import Tape

States = dict[str, tuple[Array, ...]]  # by "layers.<l>.<direction>": one (batch, unit) per state of the cell


@dataclass(frozen=True)
class Pass:
    """A pass forward.

    outputs: (time, batch, output), or (1, batch, output) if only the last step is read out (`at` is "last"); final: states after
    the last step; inputs: as given; layer_inputs: what each layer read; features: what the readout read; tapes: every activation,
    until the next pass reuses the buffers.
    """

    inputs: Array | Integers
    at: str
    outputs: Array
    final: States
    features: Array
    layer_inputs: list[Array | Integers]
    tapes: dict[str, Tape]
    weights: dict[str, Weights]

    def read_by(self, name: str) -> Array | Integers:
        """What the layer "layers.<l>.<direction>" read."""
        return self.layer_inputs[int(name.split(".")[1])]


@dataclass(frozen=True)
class Loss:
    """mean: per counted step; sum: over the steps of a sequence, mean over the batch (the L of the course notes); per_step: (time,
    batch); d_outputs: gradient of the one asked for; count: steps that count. Complex only in a complex-step check."""

    mean: float
    sum: float
    per_step: Array
    d_outputs: Array
    count: int


@dataclass(frozen=True)
class Gradients:
    """parameters: by name; inputs: (time, batch, feature), None for tokens; initial: of the states before the first step."""

    parameters: Parameters
    inputs: Array | None
    initial: States

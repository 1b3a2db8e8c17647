"""What a pass through a network leaves: outputs and buffers forward, the loss, gradients backward."""

from dataclasses import dataclass, field

import numpy as np

from gradviz.arrays import Array, Integers, Parameters, Rows
from gradviz.cells import Weights
from gradviz.errors import ShapeError, unknown
from gradviz.tape import Tape

States = dict[str, tuple[Array, ...]]  # by "layers.<l>.<direction>": one (batch, unit) per state of the cell


def check_states(states: States, names: list[str], count: int, shape: tuple[int, int]) -> None:
    """States that are handed in, or gradients of states, must be those of layers there are: `count` arrays of `shape` each."""
    for name, arrays in states.items():
        if name not in names:
            raise unknown("recurrent layer", name, names)
        shapes = [np.shape(array) for array in arrays]
        if shapes != [shape] * count:
            raise ShapeError(f"the states of {name} have shapes {shapes}; it takes {count} of shape {shape}, (batch, unit).")


@dataclass(frozen=True)
class Pass:
    """A pass forward.

    outputs: (time, batch, output), or (1, batch, output) if only the last step is read out (`at` is "last"); final: states after
    the last step; inputs: as given, those of a decoder apart; layer_inputs: what each layer read; features: what the readout read;
    tapes: every activation, until the next pass reuses the buffers; masks: by layer, what dropout multiplied its outputs with.
    """

    inputs: Array | Integers
    at: str
    outputs: Array
    final: States
    features: Array
    layer_inputs: list[Array | Integers]
    tapes: dict[str, Tape]
    weights: dict[str, Weights]
    decoder_inputs: Array | Integers | None = None
    masks: dict[int, Array] = field(default_factory=dict)

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
    """parameters: by name; inputs: (time, batch, feature), None for tokens unless asked for; initial: of the states before the first step;
    decoder_inputs: as inputs, of the decoder of an encoder–decoder network.

    Of tokens inputs are their vectors: of the embedding, or one-hot (time, batch, kind). rows: by name, of matrices whose gradient is zero
    in most rows, which rows `parameters` holds and in what order, ascending; `Network.learn` gives embeddings so, `backward` whole."""

    parameters: Parameters
    inputs: Array | None
    initial: States
    decoder_inputs: Array | None = None
    rows: Rows = field(default_factory=dict)


@dataclass(frozen=True)
class Learned:
    """What one batch taught: the pass, its loss, and the gradients."""

    run: Pass
    loss: Loss
    gradients: Gradients

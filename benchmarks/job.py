"""The job that everybody does: one layer and a readout over a batch, forward and backward, in float32.

Bare it gives outputs and the gradients of all parameters and of the inputs. Recorded it gives besides: every state, gate and candidate;
the total gradient of every state at every step; and per step and example the norms of states and of their gradients, the mean of every
gate, and the shares of units that are saturated.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gradviz.batch import Batch, Signature
from gradviz.cells import CELLS
from gradviz.config import Model
from gradviz.network import Network

Array = NDArray[np.float32]
OUTPUTS = 8
LEFT, RIGHT = 0.1, 0.9
GATES = {"rnn": (), "gru": ("reset", "update"), "lstm": ("output", "input", "forget")}


@dataclass(frozen=True)
class Size:
    batch: int
    steps: int
    inputs: int
    units: int

    def __str__(self) -> str:
        return f"({self.batch}, {self.steps}, {self.inputs}, {self.units})"


@dataclass(frozen=True)
class Job:
    """The same numbers for everybody: a network's parameters, a batch, and the gradient that arrives at the outputs."""

    cell: str
    size: Size
    network: Network
    batch: Batch
    d_outputs: Array

    @property
    def weights(self) -> dict[str, Array]:
        """By their last names: weight_ih (block, input, unit) …, readout.weight, readout.bias."""
        return {name.removeprefix("layers.0.forward."): array for name, array in self.network.parameters.items()}


def job(cell: str, size: Size) -> Job:
    """Input weights wide enough that some gates are saturated, as they are in a trained network."""
    rng = np.random.default_rng(0)
    network = Network(Model(cell=CELLS[cell](), units=size.units), Signature(size.inputs, OUTPUTS, False, "squared"))
    network.parameters["layers.0.forward.weight_ih"] *= 4 / np.sqrt(size.inputs)
    inputs, targets, d_outputs = (
        rng.standard_normal((size.steps, size.batch, width)).astype(np.float32) for width in (size.inputs, OUTPUTS, OUTPUTS)
    )
    return Job(cell, size, network, Batch(inputs, targets), d_outputs)

"""How often the gates of an LSTM are nearly shut or nearly open (Karpathy, Johnson and Li 2015)."""

from dataclasses import dataclass
from math import erfc, sqrt

import numpy as np

from gradviz.arrays import Array, Integers
from gradviz.batch import Signature
from gradviz.cells import CELLS
from gradviz.config import Model
from gradviz.network import Network

GATES, SHUT, OPEN, ALWAYS = ("input", "forget", "output"), 0.1, 0.9, 0.9
SPREADS, DRAWS = (1.0, 2.0, 5.0), 200_000


@dataclass(frozen=True)
class Gate:
    """left, right, mean: (unit,) share of steps below 0.1 and above 0.9, and mean activation."""

    left: Array
    right: Array
    mean: Array

    @property
    def always_open(self) -> int:
        return int((self.right > ALWAYS).sum())

    @property
    def always_shut(self) -> int:
        return int((self.left > ALWAYS).sum())

    @property
    def spans(self) -> Array:
        """(unit,) time constants 1/(1 − f) of the mean activation, in steps; infinite for a gate that is never less than 1."""
        with np.errstate(divide="ignore"):
            spans: Array = 1 / (1 - self.mean)
        return spans


def gates(network: Network, inputs: Array | Integers) -> dict[tuple[int, str], Gate]:
    """By layer, counted from 0, and gate; over all steps and examples of `inputs`."""
    run = network.forward(inputs, reuse=True)
    found = {}
    for layer in range(network.model.layers):
        tape = run.tapes[f"layers.{layer}.forward"]
        for gate in GATES:
            values = tape.values(f"gate.{gate}").astype(np.float64)
            left, right = (values < SHUT).mean(axis=(0, 1)), (values > OPEN).mean(axis=(0, 1))
            found[layer, gate] = Gate(left, right, values.mean(axis=(0, 1)))
    return found


def gaussian(spread: float, seed: int) -> Gate:
    """The forget gate of a single unit whose pre-activation is N(0, spread²) at every step, measured as any other."""
    signature = Signature(inputs=1, outputs=1, tokens=False, loss="squared")
    network = Network(Model(CELLS["lstm"](), units=1, biases=False), signature, dtype="float64", seed=seed)
    network.parameters["layers.0.forward.weight_ih"][:] = spread
    network.parameters["layers.0.forward.weight_hh"][:] = 0
    return gates(network, np.random.default_rng([0x6A7E, seed]).standard_normal((20, DRAWS // 20, 1)))[0, "forget"]


def expected(spread: float) -> float:
    """P(σ(a) < 0.1) = Φ(−ln 9 / spread) for a from N(0, spread²); as likely is σ(a) > 0.9."""
    return erfc(np.log(9) / spread / sqrt(2)) / 2

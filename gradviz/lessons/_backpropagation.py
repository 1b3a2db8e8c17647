"""What lesson 5 computes: the gradient matrix of one unit, and what each time step gives to the gradient of the weight they share."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from gradviz.arrays import Array
from gradviz.batch import Batch, Signature
from gradviz.cells.rnn import RNN
from gradviz.config import Model
from gradviz.lessons._small import FIRST, network
from gradviz.network import Network

AT = {"at each step": "every", "at the end": "last"}
NUDGE = 1e-6


@dataclass(frozen=True)
class Flow:
    """One unit h_t = φ(w h_{t−1} + 1) with the losses h_t²/2. matrix: (time of the loss, time) ∂L_t/∂h_k, zero rows where there is no loss;
    shares: (time,) what each step gives to dL/dw; whole: their sum, dL/dw; states: (time,) h."""

    matrix: Array
    shares: Array
    whole: float
    states: Array

    @property
    def total(self) -> Array:
        """(time,) ∂L/∂h_k, L the sum of the losses."""
        return np.asarray(self.matrix.sum(axis=0))

    @property
    def direct(self) -> Array:
        """(time,) the part of a step's own loss."""
        return np.diagonal(self.matrix)


def halves(w: float, kind: str, at: str) -> Network:
    """Its squared error against 0 is h²/2, since the state is read out with √½."""
    weights = {f"{FIRST}.weight_hh": w, f"{FIRST}.weight_ih": 1.0, "readout.weight": np.sqrt(0.5)}
    return network(Model(cell=RNN(kind), units=1), Signature(1, 1, False, "squared", at=AT[at]), weights)


def ones(steps: int, at: str, copies: int = 1) -> Batch:
    """Inputs 1, targets 0."""
    shape = (steps, copies, 1)
    return Batch(np.ones(shape), np.zeros(shape if AT[at] == "every" else shape[1:]))


@lru_cache(maxsize=256)
def flow(steps: int, w: float, kind: str = "linear", at: str = "at each step", truncation: int = 0) -> Flow:
    """truncation: the gradient does not cross every so-many-th step; 0 never cuts. Each row of the matrix goes back in its own copy."""
    unit, batch = halves(w, kind, at), ones(steps, at)
    run = unit.forward(batch.inputs)
    d_outputs = unit.loss(run, batch, reduction="sum").d_outputs
    whole = unit.backward(run, d_outputs, truncation=truncation).parameters[f"{FIRST}.weight_hh"].item()
    tape = run.tapes[FIRST].sequence
    shares, states = tape.d_block[0, :, 0, 0] * tape.before[0][:, 0, 0], tape.after[0][:, 0, 0].copy()
    rows = np.arange(steps) if AT[at] == "every" else np.array([steps - 1])
    copies = unit.forward(ones(steps, at, len(rows)).inputs)
    alone = np.zeros_like(copies.outputs)
    alone[np.arange(len(d_outputs)), np.arange(len(rows))] = d_outputs[:, 0]
    unit.backward(copies, alone, truncation=truncation, parameters=False)
    matrix = np.zeros((steps, steps))
    matrix[rows] = copies.tapes[FIRST].gradients("hidden")[:, :, 0].T
    return Flow(matrix, shares, whole, states)


@lru_cache(maxsize=256)
def difference(steps: int, w: float, kind: str = "linear", at: str = "at each step") -> float:
    """dL/dw by a central finite difference: the loss twice, no backward pass."""
    batch = ones(steps, at)
    above, below = (_loss(halves(w + nudge, kind, at), batch) for nudge in (NUDGE, -NUDGE))
    return (above - below) / (2 * NUDGE)


def _loss(unit: Network, batch: Batch) -> float:
    return unit.loss(unit.forward(batch.inputs), batch, reduction="sum").sum


def late_share(steps: int, w: float, last: int) -> float:
    """What part of ∂h_T/∂w the last so many steps hold, of a linear unit with inputs 1."""
    unit, batch = halves(w, "linear", "at the end"), ones(steps, "at the end")
    run = unit.forward(batch.inputs)
    unit.backward(run, np.ones_like(run.outputs), parameters=False)
    tape = run.tapes[FIRST].sequence
    shares = tape.d_block[0, :, 0, 0] * tape.before[0][:, 0, 0]
    return float(shares[-last:].sum() / shares.sum())

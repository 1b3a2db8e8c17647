"""What lesson 9 computes: a memory whose gates are set by hand, and the roads back through an LSTM of one unit."""

from contextlib import ExitStack
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from gradviz.arrays import Array
from gradviz.batch import Signature
from gradviz.cells import Cell
from gradviz.cells.gru import GRU
from gradviz.cells.lstm import LSTM
from gradviz.config import Model
from gradviz.hooks import clamp
from gradviz.lessons._small import FIRST, network
from gradviz.network import Network
from gradviz.passes import States
from gradviz.tape import Tape

LONGEST = 200  # steps


def _unit(cell: Cell) -> Network:
    """All weights and biases zero."""
    return network(Model(cell=cell, units=1), Signature(1, 1, False, "squared"))


def _held(cell: Cell, steps: int, values: dict[str, float]) -> Tape:
    """A unit whose gates and candidate are held at these values, run from zero."""
    made = _unit(cell)
    with ExitStack() as holding:
        for point, value in values.items():
            holding.enter_context(made.intervene(f"{FIRST}.{point}", clamp(value)))
        return made.forward(np.zeros((steps, 1, 1))).tapes[FIRST]


def written(steps: int, forget: float, write: float, output: float, candidate: float) -> tuple[Array, Array]:
    """(steps,) cell state and output of an LSTM whose gates stand still."""
    tape = _held(LSTM(), steps, {"gate.forget": forget, "gate.input": write, "gate.output": output, "candidate": candidate})
    return tape.values("cell")[:, 0, 0].copy(), tape.values("hidden")[:, 0, 0].copy()


def mixed(steps: int, new: float, candidate: float) -> Array:
    """(steps,) state of a GRU whose update gate takes this share of the new value at every step."""
    return _held(GRU(), steps, {"gate.update": 1 - new, "candidate": candidate}).values("hidden")[:, 0, 0].copy()


@lru_cache(maxsize=128)
def kept(bias: float) -> float:
    """The forget gate of a unit whose weights are zero."""
    made = _unit(LSTM())
    made.parameters[f"{FIRST}.bias"][LSTM().blocks.index("forget")] = bias
    return float(made.forward(np.zeros((1, 1, 1))).tapes[FIRST].values("gate.forget")[0, 0, 0])


@dataclass(frozen=True)
class Roads:
    """∂c_T/∂c_{T−k}, natural logarithms, (lag,) for k = 0 … T − 1. gates: by the forget gates alone; whole: also through the output h
    that is made of each c."""

    gates: Array
    whole: Array


@lru_cache(maxsize=512)
def roads(bias: float, weight: float, steps: int) -> Roads:
    """Back over so many steps from the last cell state of a unit that reads nothing and rests at 0, with i = o = 1/2, whose candidate
    alone is recurrent."""
    made = _unit(LSTM())
    found: dict[str, Array] = {}
    blocks = LSTM().blocks
    made.parameters[f"{FIRST}.bias"][blocks.index("forget")] = bias
    made.parameters[f"{FIRST}.weight_hh"][blocks.index("candidate")] = weight
    run = made.forward(np.zeros((steps + 1, 1, 1)))
    ends: States = {FIRST: (np.zeros((1, 1)), np.ones((1, 1)))}
    with made.observe(f"{FIRST}.cell", lambda name, array: found.update(cell=array[::-1, 0, 0].copy()), gradient=True):
        made.backward(run, np.zeros_like(run.outputs), ends, parameters=False)
    gates = np.log(run.tapes[FIRST].values("gate.forget")[:0:-1, 0, 0])
    return Roads(np.concatenate([[0.0], np.cumsum(gates)]), np.log(found["cell"]))


def half_over(steps: int) -> float:
    """The forget bias that leaves half of the memory after so many steps, by halving an interval."""
    low, high = -40.0, 40.0
    while high - low > 1e-9:
        middle = (low + high) / 2
        low, high = (low, middle) if kept(middle) ** steps > 0.5 else (middle, high)
    return high


def unstable(bias: float) -> float:
    """The recurrent weight of the candidate from which the rest at 0 no longer holds: where ∂c_t/∂c_{t−1} is 1. It is a line in the
    weight."""
    without, one = (float(np.exp(roads(bias, weight, 1).whole[1])) for weight in (0.0, 1.0))
    return (1 - without) / (one - without)

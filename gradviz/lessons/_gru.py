"""What lesson 8 computes: one unit that reads a sentence, its gates held or not, and GRUs on paper."""

from contextlib import ExitStack
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from gradviz.arrays import Array
from gradviz.batch import Batch, Signature
from gradviz.cells import Cell
from gradviz.cells.gru import GRU
from gradviz.cells.gru_reset_before import GRUResetBefore
from gradviz.cells.gru_simplified import GRUSimplified
from gradviz.config import Model
from gradviz.hooks import Change, Replacement, clamp
from gradviz.lessons._small import FIRST, network
from gradviz.network import Network

WORDS = ("the", "cats", "that", "the", "dog", "chased")
NOUN = np.array([0.0, 1, 0, 0, 1, 0])
CLAUSE = np.array([0.0, 0, 1, 1, 1, 1])
NUMBER = np.array([0.0, 1, 0, 0, -1, 0])  # plural 1, singular −1
EVERY = tuple(range(len(WORDS)))
KINDS = ("simplified", "full", "full, reset held open")
FEEDBACK = 2.0  # of the full unit: what its proposal takes of the old memory
STATE = "hidden"


@dataclass(frozen=True)
class Hold:
    """The update gate's share of the new value, held at `value` at these words, counted from 0."""

    words: tuple[int, ...] = ()
    value: float = 0.5


FREE = Hold()


@dataclass(frozen=True)
class Reading:
    """A sentence read, (word,) each. reset, new: the gates' shares, of the old memory that the proposal sees and of the new value;
    proposal; memory; were: P(were) after the word; back: ∂ last memory / ∂ memory."""

    reset: Array
    proposal: Array
    new: Array
    memory: Array
    were: Array
    back: Array

    @property
    def kept(self) -> Array:
        """The share of the memory before each word that it keeps, times that memory."""
        return np.asarray((1 - self.new) * np.concatenate([[0.0], self.memory[:-1]]))


def _network(kind: str) -> Network:
    """Two outputs, was and were, whose softmax makes P(were) = σ(4 · memory)."""
    full = kind != "simplified"
    cell: Cell = GRUResetBefore() if full else GRUSimplified()
    gate, proposal = cell.blocks.index("update"), cell.blocks.index("candidate")
    made = network(Model(cell=cell, units=1), Signature(3, 2, False, "softmax"), {"readout.weight": np.array([[0.0, 4.0]])})
    reads, bias = made.parameters[f"{FIRST}.weight_ih"], made.parameters[f"{FIRST}.bias"]
    reads[gate, :2, 0], bias[gate] = (-12, 12), 6  # the library's gate is the share kept
    reads[proposal, 2] = 3
    if full:
        reads[0, 0], bias[0] = -12, 6
        made.parameters[f"{FIRST}.weight_hh"][proposal] = FEEDBACK
    return made


def held_at(steps: tuple[int, ...], change: Change) -> Change:
    """An intervention at some steps alone."""

    def chosen(t: int, array: Array) -> Array | Replacement | None:
        return change(t, array) if t in steps else None

    return chosen


@lru_cache(maxsize=512)
def read(hold: Hold = FREE, *, clause: bool = True, kind: str = "simplified") -> Reading:
    """The unit reads the sentence. clause: whether it sees which words stand in the clause."""
    made = _network(kind)
    found: dict[str, Array] = {}
    inputs = np.stack([NOUN, CLAUSE * clause, NUMBER], axis=1)[:, None]
    with ExitStack() as holding:
        holding.enter_context(made.intervene(f"{FIRST}.gate.update", held_at(hold.words, clamp(1 - hold.value))))
        if kind == KINDS[2]:
            holding.enter_context(made.intervene(f"{FIRST}.gate.reset", clamp(1.0)))
        run = made.forward(inputs)
    tape = run.tapes[FIRST]
    loss = made.loss(run, Batch(inputs, np.ones((len(WORDS), 1), np.int64)))
    with made.observe(f"{FIRST}.{STATE}", lambda name, array: found.update(back=array[:, 0, 0].copy()), gradient=True):
        made.backward(run, np.zeros_like(run.outputs), {FIRST: (np.ones((1, 1)),)}, parameters=False)
    proposal, kept, memory = (tape.values(point)[:, 0, 0].copy() for point in ("candidate", "gate.update", STATE))
    reset = np.ones(len(WORDS)) if kind == "simplified" else tape.values("gate.reset")[:, 0, 0].copy()
    return Reading(reset, proposal, 1 - kept, memory, np.exp(-loss.per_step[:, 0]), found["back"])


def flips() -> float:
    """The share of the new value at "dog" that leaves the memory at 0: the memory is a line in it."""
    shut, opened = (float(read(Hold((4,), value)).memory[-1]) for value in (0.0, 1.0))
    return shut / (shut - opened)


def kept_over(pre: float, steps: int) -> float:
    """∂ memory / ∂ memory so many steps before, of a unit that reads nothing and whose Γu has this pre-activation."""
    made = network(Model(cell=GRUSimplified(), units=1), Signature(1, 1, False, "squared"))
    made.parameters[f"{FIRST}.bias"][0] = -pre
    run = made.forward(np.zeros((steps, 1, 1)))
    return float(made.backward(run, np.zeros_like(run.outputs), {FIRST: (np.ones((1, 1)),)}).initial[FIRST][0][0, 0])


def gate_that_keeps(share: float, steps: int) -> float:
    """The pre-activation of Γu with which that share is left after so many steps, by halving an interval."""
    low, high = -40.0, 40.0
    while high - low > 1e-9:
        middle = (low + high) / 2
        low, high = (middle, high) if kept_over(middle, steps) > share else (low, middle)
    return low


MATRIX = np.array([[1.0, 2.0], [3.0, 4.0]])


def reset_product(*, before: bool) -> Array:
    """(unit,) W(r h) or r(W h) for h = (1, 1), r = (1, 0): what a proposal's tanh is taken of."""
    cell: Cell = GRUResetBefore() if before else GRU()
    made = network(Model(cell=cell, units=2), Signature(1, 1, False, "squared"))
    made.parameters[f"{FIRST}.weight_hh"][2] = MATRIX.T
    shares = Replacement(np.array([[1.0, 0.0]]))
    with made.intervene(f"{FIRST}.gate.reset", lambda t, array: shares):
        run = made.forward(np.zeros((1, 1, 1)), initial={FIRST: (np.ones((1, 2)),)})
    return np.asarray(np.arctanh(run.tapes[FIRST].values("candidate")[0, 0]))


def new_with(z: float) -> float:
    """How much of the new value a step writes where PyTorch's update gate is z: the state after it, from an empty memory, by its
    proposal."""
    made = network(Model(cell=GRU(), units=1), Signature(1, 1, False, "squared"), {f"{FIRST}.weight_ih": np.array([[[0.0]], [[0]], [[1]]])})
    with made.intervene(f"{FIRST}.gate.update", clamp(z)):
        tape = made.forward(np.ones((1, 1, 1))).tapes[FIRST]
    return float(tape.values(STATE)[0, 0, 0] / tape.values("candidate")[0, 0, 0])

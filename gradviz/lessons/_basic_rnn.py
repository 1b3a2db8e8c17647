"""What lesson 2 computes: one unit from state to state, and where it comes to rest."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from gradviz.arrays import Array
from gradviz.batch import Signature
from gradviz.cells.rnn import RNN
from gradviz.config import Model
from gradviz.dynamics.fixed_points import Search, fixed_points
from gradviz.errors import GradvizError
from gradviz.lessons._small import FIRST, unit
from gradviz.network import Network

LENGTH = 12
LARGEST = 2.0
STARTS = np.linspace(-1, 1, 9)[:, None]


def numbers(text: str) -> tuple[float, ...]:
    """Up to LENGTH inputs from −LARGEST to LARGEST, apart by blanks or commas; zeros where the text ends."""
    words = text.replace("−", "-").replace(",", " ").split()
    if len(words) > LENGTH:
        raise GradvizError(f"There are {len(words)} inputs; write at most {LENGTH}, such as “1 0 −1”. What is missing is 0.")
    return tuple(_number(word, at) for at, word in enumerate(words, 1)) + (0.0,) * (LENGTH - len(words))


def _number(word: str, at: int) -> float:
    try:
        value = float(word)
    except ValueError:
        value = np.nan
    if not abs(value) <= LARGEST:
        raise GradvizError(f"Input {at} is “{word}”; it must be a number from −{LARGEST:g} to {LARGEST:g}, such as 1, −0.5 or 0.")
    return value


@dataclass(frozen=True)
class Steps:
    """One unit, step by step; all (time,). before: h_{t−1}; z: what tanh is taken of; after: h_t."""

    before: Array
    z: Array
    after: Array


@lru_cache(maxsize=256)
def run(inputs: tuple[float, ...], w: float, u: float = 1.0, b: float = 0.0, start: float = 0.0) -> Steps:
    network = unit(w, u, b)
    done = network.forward(np.array(inputs)[:, None, None], initial={FIRST: (np.array([[start]]),)})
    tape = done.tapes[FIRST].sequence
    return Steps(tape.before[0][:, 0, 0].copy(), tape.block[0, :, 0, 0].copy(), tape.after[0][:, 0, 0].copy())


@dataclass(frozen=True)
class Rest:
    """A state that one step leads back to. slope: ∂h_t/∂h_{t−1} there; it attracts if |slope| < 1."""

    state: float
    slope: float


@lru_cache(maxsize=256)
def rests(w: float, drive: float = 0.0) -> tuple[Rest, ...]:
    """Where one unit under a constant drive u x + b comes to rest, or would if nothing disturbed it; ascending."""
    found = fixed_points(unit(w, b=drive), np.zeros(1), STARTS, Search(merge=1e-3)).fixed
    return tuple(sorted((Rest(float(one.state[0]), float(one.modes.values[0].real)) for one in found), key=lambda rest: rest.state))


def after_pulse(pulse: float, w: float, start: float, steps: int) -> Array:
    """(steps,) the states from `start` on, if the first input is `pulse` and the others are 0."""
    return run((pulse, *[0.0] * (steps - 1)), w, start=start).after


def flips_at(w: float, start: float) -> float:
    """The size of the smallest pulse against `start` after which the state ends on the other side, to nine digits: halving the interval."""
    low, high = 0.0, 4.0
    while high - low > 1e-9:
        middle = (low + high) / 2
        low, high = (low, middle) if after_pulse(-middle, w, start, 60)[-1] < 0 else (middle, high)
    return high


def next_states(w: float, drive: float, states: Array) -> Array:
    """(n,) one step on from each state."""
    done = unit(w, b=drive).forward(np.zeros((1, len(states), 1)), initial={FIRST: (states[:, None],)})
    return np.asarray(done.final[FIRST][0][:, 0])


def parameters(units: int, inputs: int) -> int:
    """Of a recurrent layer, without a readout."""
    return sum(array.size for array in _layer(units, inputs).values())


def dense_parameters(units: int, inputs: int) -> int:
    """Of a layer that reads all inputs at once: what a recurrent layer has but for its recurrent weights."""
    return sum(array.size for name, array in _layer(units, inputs).items() if not name.endswith("weight_hh"))


def _layer(units: int, inputs: int) -> dict[str, Array]:
    network = Network(Model(cell=RNN(), units=units), Signature(inputs, 1, False, "squared"))
    return {name: array for name, array in network.parameters.items() if name.startswith(FIRST)}

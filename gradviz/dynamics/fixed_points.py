"""Where a network driven by a constant input comes to rest, or nearly: fixed and slow points (Sussillo and Barak 2013).

q(s) = ½‖F(s) − s‖² is minimised from states that the network visits; s is the joint state of all layers, of an LSTM with the cell states,
and F one step. q = 0 is a fixed point; a minimum above zero is a slow point, where the state lingers. Derivatives are exact.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from gradviz.arrays import Array, Integers
from gradviz.dynamics.jacobians import Trajectory, follow, step_jacobians
from gradviz.dynamics.marquardt import Minima, minimise
from gradviz.dynamics.modes import Modes, modes
from gradviz.errors import GradvizError, NonFiniteError, ShapeError
from gradviz.network import Network
from gradviz.options import check, option
from gradviz.passes import States


@dataclass(frozen=True)
class Search:
    """How to look. Minima are followed to the last digit, so `tolerance` can be far below the 1e-12 that is usual in single precision."""

    tolerance: float = option(1e-20, "q below which a point is fixed and not slow", low=0.0)
    merge: float = option(1e-5, "points nearer than this, relative to 1 + ‖s‖, are one", low=0.0)
    iterations: int = option(1000, "most steps of the search from one start", low=1)

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True)
class Point:
    """state: (state,), in the order of `Portrait.places`; q: ½‖F(s) − s‖²; kind: "fixed" or "slow"; starts: how many led here; modes: of
    the Jacobian ∂F/∂s here."""

    state: Array
    q: float
    kind: str
    starts: int
    modes: Modes

    @property
    def speed(self) -> float:
        """‖F(s) − s‖: how far one step moves the state."""
        return float(np.sqrt(2 * self.q))

    @property
    def stability(self) -> str:
        """See `Modes.stability`."""
        return self.modes.stability


@dataclass(frozen=True)
class Portrait:
    """points: the fixed ones first, each kind by falling number of starts; places: which layer and state each part of a state belongs to;
    starts: how many there were; failed: of how many the search did not come to rest; outside: of how many it ran off to where a gated
    cell's hidden state is beyond ±1. No step reaches such states; far out a gate shuts, and q fades to nothing without a fixed point."""

    points: tuple[Point, ...]
    places: tuple[tuple[str, str], ...]
    starts: int
    failed: int
    outside: int

    @property
    def fixed(self) -> tuple[Point, ...]:
        return tuple(point for point in self.points if point.kind == "fixed")

    @property
    def slow(self) -> tuple[Point, ...]:
        return tuple(point for point in self.points if point.kind == "slow")

    @property
    def _counts(self) -> tuple[tuple[int, str], ...]:
        return (len(self.fixed), "fixed point"), (len(self.slow), "slow point"), (self.starts, "start")

    @property
    def said(self) -> str:
        """What was found, and what was not."""
        stable = sum(point.stability == "stable" for point in self.fixed)
        fixed, slow, starts = (f"{n} {word}{'' if n == 1 else 's'}" for n, word in self._counts)
        found = f"{fixed}, {stable} of them stable, and {slow} from {starts}"
        found += f"; the search from {self.failed} starts did not come to rest" if self.failed else ""
        return f"{found}; from {self.outside} it ran off to states that no step reaches." if self.outside else f"{found}."


def visited(trajectory: Trajectory, count: int = 100, noise: float = 0.0, seed: int = 0) -> Array:
    """(start, state): states of a trajectory to start from, all of them or `count` drawn without repetition, with Gaussian noise of this
    standard deviation added."""
    if count < 1 or not 0 <= noise < np.inf:
        raise GradvizError(f"count is {count} and noise {noise}; they must be at least 1, and at least 0 and finite.")
    rng, states = np.random.default_rng(seed), np.concatenate([trajectory.before, trajectory.final[None]])
    chosen = states if len(states) <= count else states[np.sort(rng.choice(len(states), count, replace=False))]
    return np.asarray(chosen + noise * rng.standard_normal(chosen.shape))


def fixed_points(network: Network, value: Array | int, starts: Array | Sequence[Sequence[float]], search: Search | None = None) -> Portrait:
    """Fixed and slow points under a constant input. value: the input of every step, (feature,) or a token id; starts: (start, state), such
    as `visited` gives them. Which points are found depends on the starts: nothing proves that there are no others."""
    how = search or Search()
    driven = _driven(network, value)
    begin = np.asarray(starts, np.float64)
    if begin.ndim != 2 or begin.shape[1] != driven.width or not len(begin):
        raise ShapeError(f"the starts have shape {begin.shape}; they must be (start, {driven.width}), and at least one.")
    if not np.isfinite(begin).all():
        raise NonFiniteError(f"start {np.argwhere(~np.isfinite(begin))[0][0]} holds NaN or infinity; a search must start from numbers.")
    found = minimise(lambda s: step(driven, s) - s, lambda s: jacobians(driven, s) - np.eye(driven.width), begin, how.iterations)
    ended = found.settled | (found.half < how.tolerance)
    outside = ended & _outside(driven, found.x)
    points = _distinct(driven, found, ended & ~outside, how)
    return Portrait(points, driven.places, len(begin), int((~ended).sum()), int(outside.sum()))


def step(driven: Trajectory, states: Array) -> Array:
    """F: (m, state) states one step later, under the trajectory's first input."""
    network, units, named = driven.network, driven.network.model.units, dict[str, list[Array]]()
    for place, (name, _) in enumerate(driven.places):
        named.setdefault(name, []).append(states[:, place * units : (place + 1) * units])
    initial: States = {name: tuple(parts) for name, parts in named.items()}
    run = network.forward(_inputs(driven, len(states))[None], initial=initial, at=network.signature.at, reuse=True)
    kinds = network.model.cell.states
    return np.concatenate([run.final[name][kinds.index(kind)] for name, kind in driven.places], axis=1)


def jacobians(driven: Trajectory, states: Array) -> Array:
    """(m, state, state): ∂F/∂s at each state."""
    return step_jacobians(replace(driven, inputs=_inputs(driven, len(states))[:, None], before=states))


def _driven(network: Network, value: Array | int) -> Trajectory:
    """One step under the constant input; it refuses what has no single state, weights that are no numbers, inputs that do not fit."""
    given = np.asarray(value) if network.signature.tokens else np.asarray(value, np.float64)
    wanted = () if network.signature.tokens else (network.signature.inputs,)
    if given.shape != wanted:
        what = "one token id" if network.signature.tokens else f"({network.signature.inputs},) values"
        raise ShapeError(f"the constant input has shape {given.shape}; this network takes {what}.")
    return follow(network, given[None])


def _outside(driven: Trajectory, states: Array) -> Array:
    """(m,) whether a hidden state is beyond ±1 where gates bound it: an LSTM's is a share of a tanh, a GRU's a mean of such. A plain cell
    that squashes needs no test, since one step lands inside, and one that does not has no bound."""
    if driven.network.model.cell.family == "rnn":
        return np.zeros(len(states), bool)
    hidden = np.repeat([kind == "hidden" for _, kind in driven.places], driven.network.model.units)
    return np.asarray((np.abs(states[:, hidden]) > 1 + 1e-9).any(axis=1))


def _inputs(driven: Trajectory, count: int) -> Array | Integers:
    return np.repeat(driven.inputs[0], count, axis=0)


def _distinct(driven: Trajectory, found: Minima, ended: Array, how: Search) -> tuple[Point, ...]:
    """One point for all minima that lie together: the one with the smallest q."""
    left, chosen = np.flatnonzero(ended), []
    left = left[np.argsort(found.half[left], kind="stable")]
    while len(left):
        best = found.x[left[0]]
        near = np.linalg.norm(found.x[left] - best, axis=1) <= how.merge * (1 + np.linalg.norm(best))
        chosen.append((left[0], int(near.sum())))
        left = left[~near]
    if not chosen:
        return ()
    steps = jacobians(driven, found.x[[place for place, _ in chosen]])
    points = [
        Point(found.x[place], float(found.half[place]), "fixed" if found.half[place] < how.tolerance else "slow", count, modes(jacobian))
        for (place, count), jacobian in zip(chosen, steps, strict=True)
    ]
    return tuple(sorted(points, key=lambda point: (point.kind, -point.starts)))

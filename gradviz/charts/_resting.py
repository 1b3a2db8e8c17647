"""What a phase portrait is made of: states of several sequences, their main directions, and the points where they rest without input."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from gradviz.arrays import Array
from gradviz.batch import NOTHING
from gradviz.charts._reopened import MOST, Known
from gradviz.dynamics.fixed_points import Point, Portrait, Search, fixed_points, step, visited
from gradviz.dynamics.jacobians import Trajectory, follow

LONG = 1000  # steps without input after which a state should have come to rest
NEAR = 1e-3  # of 1 + ‖s‖: how near to a point it has then come


@dataclass(frozen=True, eq=False)
class View:
    """ways: (time + 1, 2) of each sequence; portrait: the points, places (point, 2) where they are; modes: (point, 2) the direction of the
    most unstable mode of each, of length 1 before it is projected; reached: (sequence,) which point each comes to rest at without input,
    −1 if none; shares: of the variance along both directions;
    tokens: whether no input is no token, or else zeros."""

    ways: tuple[Array, ...]
    portrait: Portrait
    places: Array
    modes: Array
    reached: Array
    shares: tuple[float, float]
    tokens: bool

    @property
    def rests(self) -> list[Point]:
        """The points at which sequences come to rest."""
        return [self.portrait.points[at] for at in sorted({int(at) for at in self.reached}) if at >= 0]

    @property
    def moving(self) -> int:
        """How many sequences have not come to rest."""
        return int((self.reached < 0).sum())


@lru_cache(maxsize=2 * MOST)
def view(known: Known, more: tuple[Known, ...], layer: int, starts: int, iterations: int) -> View:
    """Of the hidden state of `layer`. The search begins at `starts` states of the sequences, at those they come to without input, and in
    the middle of the ways they go there."""
    paths = [one.path for one in (known, *more)]
    hidden = paths[0].part(next(name for name, _ in paths[0].places if name.startswith(f"layers.{layer}.")), "hidden")
    seen = [np.concatenate([path.before, path.final[None]])[:, hidden] for path in paths]
    middle, basis, shares = _main(np.concatenate(seen))
    signature = known.network.signature
    value = NOTHING if signature.tokens else np.zeros(signature.inputs)
    ended, middles = _left_alone(follow(known.network, np.asarray(value)[None]), np.stack([path.final for path in paths]))
    chosen = [visited(path, count) for path, count in zip(paths, _dealt(starts, len(paths)), strict=True) if count]
    begin = np.concatenate([ended, middles, *chosen])
    begin = begin[np.isfinite(begin).all(axis=1)]
    portrait = fixed_points(known.network, value, begin, Search(iterations=iterations))
    states = np.array([point.state for point in portrait.points]).reshape(-1, paths[0].width)
    modes = np.array([_direction(point.modes.right[hidden, 0] @ basis.T) for point in portrait.points]).reshape(-1, 2)
    ways = tuple((part - middle) @ basis.T for part in seen)
    return View(ways, portrait, (states[:, hidden] - middle) @ basis.T, modes, _reached(ended, states, portrait), shares, signature.tokens)


def _main(states: Array) -> tuple[Array, Array, tuple[float, float]]:
    """Mean, the two directions (2, unit) of the largest variance, and their shares of it."""
    middle = states.mean(axis=0)
    _, sizes, directions = np.linalg.svd(states - middle, full_matrices=False)
    basis = np.zeros((2, states.shape[1]))
    basis[: len(directions)] = directions[:2]
    basis *= np.where(basis.sum(axis=1) < 0, -1.0, 1.0)[:, None]  # a direction has no sign of its own: one rule for all machines
    power = np.pad(sizes**2, (0, 1))
    first, second = power[:2] / (power.sum() or 1.0)
    return middle, basis, (float(first), float(second))


def _left_alone(driven: Trajectory, states: Array) -> tuple[Array, Array]:
    """(sequence, state) after LONG steps under the constant input, and the mean of the second half of them: of a cycle, what it goes
    around."""
    total = np.zeros_like(states)
    with np.errstate(all="ignore"):
        for at in range(LONG):
            states = step(driven, states)
            if 2 * at >= LONG:
                total += states
    return states, total / (LONG - LONG // 2)


def _dealt(count: int, among: int) -> list[int]:
    return [count // among + (at < count % among) for at in range(among)]


def _direction(mode: Array) -> Array:
    """(2,) of a complex one the real direction in which it reaches furthest."""
    turned: Array = (mode * np.exp(-0.5j * np.angle((mode * mode).sum()))).real
    return turned


def _reached(ended: Array, points: Array, portrait: Portrait) -> Array:
    """(sequence,) the fixed point beside which each state is, −1 if there is none. Beside a slow point it is on its way still."""
    if not len(points):
        return np.full(len(ended), -1)
    with np.errstate(all="ignore"):
        far = np.linalg.norm(ended[:, None] - points[None], axis=2) / (1 + np.linalg.norm(points, axis=1))
    fixed = np.array([point.kind == "fixed" for point in portrait.points])
    far = np.where(np.isfinite(far) & fixed, far, np.inf)
    return np.where(far.min(axis=1) <= NEAR, far.argmin(axis=1), -1)

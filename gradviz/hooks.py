"""Named points of a network, observers of whole sequences, and interventions at single steps.

A point's name says where it is: layers.0.forward.gate.forget, layers.1.backward.hidden, readout.logits. Here forward and
backward are the directions in which a layer reads; the gradient of the same array is asked for with `gradient=True`.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import NamedTuple

import numpy as np

from gradviz.arrays import Array
from gradviz.errors import GradvizError, ShapeError, unknown

KINDS = ("total", "direct", "through_time")


class Point(NamedTuple):
    """A place where arrays can be looked at. shape in words, such as "(time, batch, 64)"; kinds: gradients it has."""

    name: str
    shape: str
    meaning: str
    visible: bool = True
    changeable: bool = True
    kinds: tuple[str, ...] = ("total",)


@dataclass(frozen=True)
class Replacement:
    """What an intervention puts in an array's place: values (batch, unit), and passes, where the gradient still reaches the
    original (true only makes sense where the value was left as it was; nowhere if None). held: where a state keeps the value it had
    before the step, whatever `values` say, and its gradient goes there."""

    values: Array
    passes: Array | None = None
    held: Array | None = None


Observer = Callable[[str, Array], None]
Change = Callable[[int, Array], "Array | Replacement | None"]


class Hooks:
    """The observers and interventions of one network."""

    def __init__(self, points: Callable[[], list[Point]]) -> None:
        self._points = points
        self._observers: list[tuple[str, str, Observer]] = []
        self._changes: list[tuple[str, Change]] = []

    @property
    def split(self) -> bool:
        """Whether anyone asks for the gradient that arrives through time."""
        return any(kind == "through_time" for _, kind, _ in self._observers)

    def _check(self, pattern: str, fits: Callable[[Point], bool]) -> None:
        names = [point.name for point in self._points() if fits(point)]
        if not any(fnmatchcase(name, pattern) for name in names):
            raise GradvizError(f"no hook point matches {pattern!r}. There is: {', '.join(names)}.")

    @contextmanager
    def observe(self, pattern: str, observer: Observer, gradient: bool | str = False) -> Iterator[None]:
        """Inside the block, call `observer(name, array)` once a sequence with each matching array, read-only, (time, batch, unit).

        The array is a view of a buffer that the next pass overwrites: copy what must last. `gradient`: false for the
        activations; true or "total" for the gradient of the loss with respect to them; of states also "direct" and "through_time".
        """
        kind = "" if gradient is False else "total" if gradient is True else gradient
        if kind and kind not in KINDS:
            raise unknown("kind of gradient", kind, KINDS)
        self._check(pattern, lambda point: point.visible and (not kind or kind in point.kinds))
        item = (pattern, kind, observer)
        self._observers.append(item)
        try:
            yield
        finally:
            self._observers = [other for other in self._observers if other is not item]

    @contextmanager
    def intervene(self, pattern: str, change: Change) -> Iterator[None]:
        """Inside the block, call `change(t, array)` at every step, (batch, unit); it may return an array or a `Replacement`.

        The backward pass honours it: where a value was replaced, no gradient reaches what was computed before.
        """
        self._check(pattern, lambda point: point.changeable)
        item = (pattern, change)
        self._changes.append(item)
        try:
            yield
        finally:
            self._changes = [other for other in self._changes if other is not item]

    def changes(self, prefix: str, points: list[str]) -> dict[str, list[Change]]:
        """Interventions on the points of one layer and direction, by the last parts of their names."""
        found = {point: [change for pattern, change in self._changes if fnmatchcase(f"{prefix}.{point}", pattern)] for point in points}
        return {point: changes for point, changes in found.items() if changes}

    def observed(self, name: str) -> bool:
        """Whether anyone looks at a point, or at a gradient there."""
        return any(fnmatchcase(name, pattern) for pattern, _, _ in self._observers)

    def show(self, name: str, array: Callable[[str], Array], kinds: tuple[str, ...] = ("",)) -> None:
        """Give `array(kind)` to all observers of these kinds ("" for activations) whose pattern matches; nothing is computed if there
        are none."""
        for pattern, kind, observer in list(self._observers):
            if kind in kinds and fnmatchcase(name, pattern):
                view = array(kind).view()
                view.flags.writeable = False
                observer(name, view)


def applied(change: Change, t: int, array: Array, where: str) -> Replacement | None:
    """Ask an intervention what it wants, and check that it fits."""
    wanted = change(t, array.copy())
    if wanted is None:
        return None
    said = f"the intervention at {where}, step {t},"
    answer = wanted if isinstance(wanted, Replacement) else Replacement(np.asarray(wanted))
    for part, values in (("values", answer.values), ("passes", answer.passes), ("held", answer.held)):
        if values is not None and np.shape(values) != array.shape:
            raise ShapeError(f"{said} returned {part} of shape {np.shape(values)}; they must have shape {array.shape}.")
    dtype = np.asarray(answer.values).dtype
    if not np.can_cast(dtype, array.dtype, "same_kind"):
        raise GradvizError(f"{said} returned values of type {dtype}; the network's are {array.dtype}.")
    return answer


def clamp(value: float, units: list[int] | None = None) -> Change:
    """Hold a gate or state at `value`, for the given units or for all."""

    def change(t: int, array: Array) -> Replacement:
        chosen = np.zeros(array.shape, bool)
        chosen[:, slice(None) if units is None else units] = True
        return Replacement(np.where(chosen, np.asarray(value, array.dtype), array), ~chosen)

    return change


def ablate(units: list[int]) -> Change:
    """Silence units: their value is 0, and no gradient passes through them."""
    return clamp(0.0, units)


def freeze(units: list[int] | None = None, rows: Callable[[int], bool] = lambda t: True) -> Change:
    """On a state: keep what it was before the step, for the given units or for all, at the steps for which `rows(t)` is true. The gradient
    passes by the step as the state does."""

    def change(t: int, array: Array) -> Replacement | None:
        held = np.zeros(array.shape, bool)
        held[:, slice(None) if units is None else units] = True
        return Replacement(array, ~held, held) if rows(t) else None

    return change


def detach(rows: Callable[[int], bool] = lambda t: True) -> Change:
    """Leave the value and cut the gradient, at the steps for which `rows(t)` is true; on `recurrent` this is h-detach
    (Kanuparthi et al. 2018)."""

    def change(t: int, array: Array) -> Replacement | None:
        return Replacement(array, np.zeros(array.shape, bool)) if rows(t) else None

    return change


def table(points: list[Point]) -> str:
    """The points as plain text: name, shape, meaning."""
    wide = max(len(point.name) for point in points), max(len(point.shape) for point in points)
    return "\n".join(f"{point.name:<{wide[0]}}  {point.shape:<{wide[1]}}  {point.meaning}" for point in points)


def layer_of(name: str) -> tuple[int, str, str] | None:
    """(layer, direction, point) of a name such as layers.0.forward.gate.forget; None for points outside layers."""
    found = re.fullmatch(r"layers\.(\d+)\.(forward|backward)\.(.+)", name)
    return (int(found[1]), found[2], found[3]) if found else None

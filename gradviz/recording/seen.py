"""What a recorder saw of one pass: every array reduced as it comes by, and told as rows once the pass is over."""

from collections.abc import Callable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import partial

import numpy as np

from gradviz.arrays import Array
from gradviz.cores import later
from gradviz.hooks import layer_of
from gradviz.quantities import Observed, Quantity
from gradviz.quantities._observed import LEFT, RIGHT
from gradviz.recording.statistics import over_batch, over_steps

PASSES = 25  # multiplications that would take as long as all that is asked of one number

Row = dict[str, object]
Place = tuple[int, str, str]  # layer, direction, point


@dataclass(frozen=True)
class Reduced:
    """What is left of one array. series: heads of rows with (time, batch) values each; units: whole rows of the table `saturation`."""

    series: list[tuple[Row, Array]] = field(default_factory=list)
    units: list[Row] = field(default_factory=list)


def where(place: Place) -> Row:
    """The columns that say where."""
    return {"layer": place[0], "direction": place[1], "point": place[2]}


class Seen:
    """`activations` and `gradients` are observers. masks: of each layer's sequences, (time, batch), false in the padding, or None.

    Large arrays are reduced on another core while the pass goes on; it leaves them as they are until the next one begins.
    """

    def __init__(self, quantities: list[tuple[str, Quantity]], masks: dict[int, Array | None]) -> None:
        self._quantities, self._masks = quantities, masks
        self._reduced: list[Callable[[], Reduced]] = []

    def activations(self, name: str, array: Array) -> None:
        self._see(name, array, gradient=False)

    def gradients(self, name: str, array: Array) -> None:
        self._see(name, array, gradient=True)

    def _see(self, name: str, array: Array, *, gradient: bool) -> None:
        self._reduced.append(later(partial(self._reduce, name, array, gradient=gradient), PASSES * array.size))

    def _reduce(self, name: str, array: Array, *, gradient: bool) -> Reduced:
        place = layer_of(name)
        assert place is not None
        found, observed = Reduced(), Observed(array)
        for quantity_name, quantity in self._quantities:
            if quantity.gradient == gradient and any(fnmatchcase(place[2], pattern) for pattern in quantity.points):
                found.series.append(({**where(place), "quantity": quantity_name}, quantity.reduce(observed)))
        if not gradient and place[2] != "cell":  # the only one without limits
            low = LEFT if place[2].startswith("gate.") else -RIGHT
            found.units.append({**where(place), **over_steps(observed, low, RIGHT, self._masks[place[0]])})
        return found

    def rows(self) -> list[tuple[str, Row]]:
        """(table, row) of everything seen."""
        done = [wait() for wait in self._reduced]
        told = [("saturation", row) for reduced in done for row in reduced.units]
        for layer, mask in self._masks.items():
            told += [("timesteps", row) for row in _told([item for one in done for item in one.series if item[0]["layer"] == layer], mask)]
        return told


def _told(series: list[tuple[Row, Array]], mask: Array | None) -> list[Row]:
    """Rows of one layer. Statistics of all series are taken at once: sorting them together costs little more than sorting one."""
    if not series:
        return []
    statistics = over_batch(np.array([values for _, values in series]), mask)
    return [{**head, **{name: of_all[k] for name, of_all in statistics.items()}} for k, (head, _) in enumerate(series)]

"""What a recorder saw of one pass: every array reduced as it comes by, and told as rows once the pass is over."""

from fnmatch import fnmatchcase

import numpy as np

from gradviz.arrays import Array
from gradviz.hooks import layer_of
from gradviz.quantities import Quantity
from gradviz.quantities._share import LEFT, RIGHT
from gradviz.recording.statistics import over_batch, over_steps

Row = dict[str, object]
Place = tuple[int, str, str]  # layer, direction, point


def where(place: Place) -> Row:
    """The columns that say where."""
    return {"layer": place[0], "direction": place[1], "point": place[2]}


class Seen:
    """`activations` and `gradients` are observers. mask: (time, batch), false in the padding, or None."""

    def __init__(self, quantities: list[tuple[str, Quantity]], mask: Array | None) -> None:
        self._quantities, self._mask = quantities, mask
        self._series: list[tuple[Row, Array]] = []
        self._units: list[Row] = []

    def activations(self, name: str, array: Array) -> None:
        place = self._reduce(name, array, gradient=False)
        if place[2] != "cell":  # the only one without limits
            low = LEFT if place[2].startswith("gate.") else -RIGHT
            self._units.append({**where(place), **over_steps(array, low, RIGHT, self._mask)})

    def gradients(self, name: str, array: Array) -> None:
        self._reduce(name, array, gradient=True)

    def _reduce(self, name: str, array: Array, *, gradient: bool) -> Place:
        place = layer_of(name)
        assert place is not None
        for quantity_name, quantity in self._quantities:
            if quantity.gradient == gradient and any(fnmatchcase(place[2], pattern) for pattern in quantity.points):
                self._series.append(({**where(place), "quantity": quantity_name}, quantity.reduce(array)))
        return place

    def rows(self) -> list[tuple[str, Row]]:
        """(table, row) of everything seen. Statistics of all series are taken at once: sorting them together costs little more than one."""
        series = over_batch(np.array([values for _, values in self._series]), self._mask)
        told = [{**head, **{name: of_all[k] for name, of_all in series.items()}} for k, (head, _) in enumerate(self._series)]
        return [("timesteps", row) for row in told] + [("saturation", row) for row in self._units]

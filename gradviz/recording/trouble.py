"""Where the first value that is not a number came from: layer, time step, example, unit; forward before backward."""

import numpy as np

from gradviz.arrays import Array
from gradviz.network import Network
from gradviz.passes import Pass


def origin(network: Network, run: Pass) -> dict[str, object] | None:
    """The first bad value of a pass, as a row of the table `trouble`; None if all states and their gradients are finite.

    In the forward pass that is the earliest step of the lowest layer, in the backward pass the latest step of the highest.
    """
    points = [point for _, made in network.model.cell.stages for point in made]
    for place, tape in run.tapes.items():
        found = [(point, _first(tape.values(point), tape.order)) for point in points]
        bad = [(point, where) for point, where in found if where is not None]
        if bad:
            point, first = min(bad, key=lambda item: tape.order.index(item[1][0]))
            return _row(place, point, first, tape.values(point), gradient=False)
    for place, tape in reversed(run.tapes.items()):
        for point in network.model.cell.states:
            where = _first(tape.gradients(point), tape.order[::-1])
            if where is not None:
                return _row(place, point, where, tape.gradients(point), gradient=True)
    return None


def _first(values: Array, order: range) -> tuple[int, int, int] | None:
    """(time, example, unit) of the first value that is not finite, in the given order of time steps."""
    bad_steps = np.atleast_1d(~np.isfinite(values).all(axis=(1, 2)))
    for t in order:
        if bad_steps[t]:
            example, unit = np.argwhere(~np.isfinite(values[t]))[0]
            return t, int(example), int(unit)
    return None


def _row(place: str, point: str, where: tuple[int, int, int], values: Array, *, gradient: bool) -> dict[str, object]:
    _, layer, direction = place.split(".")
    time, example, unit = where
    return {
        "layer": int(layer), "direction": direction, "point": point, "gradient": gradient,
        "time": time, "example": example, "unit": unit, "value": str(values[where]),
    }  # fmt: skip

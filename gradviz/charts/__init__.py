"""Charts, one picture a file. A chart takes runs and returns a description; backends draw it."""

from collections.abc import Sequence

from gradviz.charts._base import Chart
from gradviz.charts._description import Description
from gradviz.frames import Run
from gradviz.registry import Registry

CHARTS: Registry[Chart] = Registry(__name__, Chart, "chart")  # type: ignore[type-abstract]


def chart(name: str, runs: Sequence[Run]) -> Description:
    """The chart called `name` of these runs, with its default options: for others, `CHARTS[name](step=…).describe(runs)`."""
    return CHARTS[name]().describe(runs)


__all__ = ["CHARTS", "Chart", "Description", "chart"]

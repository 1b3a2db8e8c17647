"""Charts, one picture a file. A chart takes runs and returns a description: `CHARTS["waterfall"](step=…).describe(runs)`.

Backends draw it; `gradviz.chart`, above both, makes a `Picture` of it.
"""

from gradviz.charts._base import Chart
from gradviz.charts._description import Description
from gradviz.registry import Registry

CHARTS: Registry[Chart] = Registry(__name__, Chart, "chart")  # type: ignore[type-abstract]

__all__ = ["CHARTS", "Chart", "Description"]

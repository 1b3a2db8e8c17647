"""Local smoothness along an update, against the gradient's norm (Zhang et al. 2019, "Why gradient clipping accelerates training").

L̂ = max over a of ‖∇(x + a·d) − ∇(x)‖ / (a ‖d‖), d the update. Where log L̂ rises with log ‖∇‖, the loss is roughest where gradients are
large, which is where clipping shortens steps.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gradviz.arrays import Array, Parameters, global_norm
from gradviz.batch import Batch
from gradviz.dynamics.gradients import gradient
from gradviz.errors import GradvizError, ShapeError, unknown
from gradviz.network import Network

FEWEST = 3  # points of a line that say something


@dataclass(frozen=True)
class Smoothness:
    """fractions: (fraction,) a; each: (fraction,) the quotient at each; gradient: ‖∇(x)‖; update: ‖d‖."""

    fractions: Array
    each: Array
    gradient: float
    update: float

    @property
    def value(self) -> float:
        """L̂, the largest quotient; NaN if one is, as without an update."""
        return float(self.each.max())


@dataclass(frozen=True)
class Relation:
    """log L̂ = slope · log ‖∇‖ + intercept, least squares; r: the correlation; count: how many points, finite and above zero, it is of."""

    slope: float
    intercept: float
    r: float
    count: int

    @property
    def said(self) -> str:
        if self.count < FEWEST:
            return f"not enough data: {self.count} points, and a line needs {FEWEST}."
        if not np.isfinite(self.slope):
            return "no line: the gradient norms do not differ."
        return f"log smoothness changes by {self.slope:.3g} per unit of log gradient norm, r = {self.r:.3g} over {self.count} points."


def smoothness(
    network: Network, batch: Batch, update: Parameters, fractions: Sequence[float] = (0.5,), reduction: str = "mean"
) -> Smoothness:
    """Of one update d, by parameter; parameters that it does not name stay. The network is not changed, and its hooks are left out.

    fractions: the authors' code takes the middle alone. reduction: see `Network.loss`; it should be the training's.
    """
    shares = np.asarray(fractions, np.float64)
    if shares.ndim != 1 or not len(shares) or not (np.isfinite(shares) & (shares > 0)).all():
        raise GradvizError(f"the fractions are {list(fractions)}; they must be finite and above 0, and at least one.")
    exact = network.astype("float64")
    _check(update, exact.parameters)
    before = {name: array.copy() for name, array in exact.parameters.items()}
    here, length = gradient(exact, batch, reduction), global_norm(update.values())
    each = np.full(len(shares), np.nan)
    for place, share in enumerate(shares):
        if not 0 < length < np.inf:
            break
        for name, direction in update.items():
            exact.parameters[name][...] = before[name] + share * direction.astype(np.float64)
        there = gradient(exact, batch, reduction)
        with np.errstate(all="ignore"):
            each[place] = global_norm(there[name] - here[name] for name in here) / (share * length)
    return Smoothness(shares, each, global_norm(here.values()), length)


def relation(values: Array, norms: Array) -> Relation:
    """Of several updates: values (n,) L̂, norms (n,) ‖∇‖."""
    values, norms = np.asarray(values, np.float64), np.asarray(norms, np.float64)
    if values.shape != norms.shape or values.ndim != 1:
        raise ShapeError(f"values have shape {values.shape} and norms {norms.shape}; both must be (n,).")
    used = np.isfinite(values) & np.isfinite(norms) & (values > 0) & (norms > 0)
    count = int(used.sum())
    if count < FEWEST:
        return Relation(np.nan, np.nan, np.nan, count)
    x, y = np.log(norms[used]), np.log(values[used])
    across, up = x - x.mean(), y - y.mean()
    with np.errstate(all="ignore"):
        slope, r = across @ up / (across @ across), across @ up / np.sqrt((across @ across) * (up @ up))
    return Relation(float(slope), float(y.mean() - slope * x.mean()), float(np.clip(r, -1, 1)), count)


def _check(update: Parameters, parameters: Parameters) -> None:
    for name, direction in update.items():
        if name not in parameters:
            raise unknown("parameter", name, parameters)
        if np.shape(direction) != parameters[name].shape:
            raise ShapeError(f"the update of {name} has shape {np.shape(direction)}; the parameter has {parameters[name].shape}.")

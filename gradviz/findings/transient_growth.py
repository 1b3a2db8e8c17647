"""Does the gradient grow before it fades, although the spectral radius is below one?"""

from typing import ClassVar

import numpy as np

from gradviz.arrays import Array
from gradviz.dynamics.normality import Transient, transient
from gradviz.errors import RunError
from gradviz.findings._base import Finding, Verdict
from gradviz.findings._evidence import Path, paths
from gradviz.frames import Run
from gradviz.wording import number, steps

LARGE = 10.0  # times the identity
HUMP = 1.0  # decades by which a profile must rise over lag 0, and fall again
MOST = 256  # units: the eigenvalues of a larger matrix take longer than a verdict should
POWERS = 100


class TransientGrowth(Finding):
    title: ClassVar = "Whether the gradient grows before it fades"
    meaning: ClassVar = (
        "A spectral radius below 1 says that the gradient fades in the end and nothing of what it does before. If the recurrent matrix is "
        "far from normal, its eigenvectors lean on one another and some directions grow for many steps first: the network can be unstable "
        "in training although every eigenvalue looks safe."
    )
    remedy: ClassVar = (
        "Start with an orthogonal recurrent matrix, which is normal: its singular values are its eigenvalues' sizes. Clip by norm, for "
        "what grows on the way is caught where it arrives. Watch the largest singular value, not the spectral radius."
    )
    source: ClassVar = (
        "Henrici 1962 (departure from normality); Trefethen & Embree 2005; Pascanu, Mikolov & Bengio 2013, section 2.1 (the singular value "
        "bounds the gradient, the eigenvalue does not)"
    )
    chart: ClassVar = "waterfall"
    rank: ClassVar = 28
    rule: ClassVar = (
        "Plain RNNs of at most 256 units in a layer, with the weights at the end. Where the spectral radius of a layer's recurrent matrix "
        "is below 1: a warning if the gradient of the last step's loss at the last recorded training step rises at least tenfold over "
        "lag 0 and falls by as much; a note if it does not, but a power of the matrix, up to the 100th or the length of the sequence, is "
        "at least 10 times as large as the identity; else good. Where the radius is 1 or more there is nothing transient about growth."
    )

    def check(self, run: Run) -> Verdict:
        if run.family != "rnn":
            return self.verdict("none", "no plain RNN", "Not applicable: the recurrent matrix alone decides in plain RNNs only.")
        known = _matrices(run)
        if not known:
            return self.verdict(
                "none", "no data", "Not enough data: it takes the weights at the end and how far back the gradient reaches."
            )
        if max(len(matrix) for _, matrix in known) > MOST:
            return self.verdict("none", "large", f"Not judged: more than {MOST} units. `gradviz.dynamics.normality` takes any number.")
        if not all(np.isfinite(matrix).all() for _, matrix in known):
            return self.verdict("none", "not finite", "Not applicable: the weights hold NaN or infinity.")
        radii = [float(np.abs(np.linalg.eigvals(matrix)).max()) for _, matrix in known]
        fading = [place for place, radius in zip(known, radii, strict=True) if radius < 1]
        if not fading:
            radius = min(radii)
            said = f"Not applicable: the spectral radius of the recurrent matrix is {number(radius, 3)}, so that growth need not pass."
            return self.verdict("none", "radius over 1", said, {"radius": radius})
        judged = [(path, transient(matrix, min(POWERS, max(1, len(path.profiles[-1]) - 1)))) for path, matrix in fading]
        return self._judge(*max(judged, key=lambda item: (_hump(item[0]), item[1].growth)))

    def _judge(self, path: Path, of: Transient) -> Verdict:
        hump, at = _hump(path), int(np.nanargmax(path.profiles[-1])) if _hump(path) > 0 else 0
        numbers = {
            "radius": of.radius, "largest_singular_value": of.stretch, "departure_from_normality": of.departure,
            "largest_growth": of.growth, "lag_of_largest_growth": float(of.lag), "log10_rise": hump, "lag_of_peak": float(at),
        }  # fmt: skip
        matrix = f"spectral radius {number(of.radius, 3)}, largest singular value {number(of.stretch, 3)}, Henrici's departure from "
        matrix += f"normality {number(of.departure, 3)}"
        power = f"its powers are at most {number(of.growth)} times the identity" + (f" (the {_th(of.lag)})" if of.lag else "")
        if hump >= HUMP:
            said = f"The gradient grows {number(10**hump)}-fold up to {steps(at)} back and falls again ({path.where}): {matrix}; {power}."
            return self.verdict("warning", "grows first", said, numbers, path.evidence())
        if of.growth >= LARGE:
            said = f"The recurrent matrix of {path.where} can grow before it fades, though the gradient does not now: {matrix}; {power}."
            return self.verdict("note", "not normal", said, numbers, path.evidence())
        return self.verdict("good", "no hump", f"The gradient has no hump ({path.where}): {matrix}; {power}.", numbers, path.evidence())


def _matrices(run: Run) -> list[tuple[Path, Array]]:
    """Each recorded path with the recurrent matrix of its layer, as far as they are there."""
    try:
        weights = run.weights()
    except RunError:
        return []
    named = [(path, weights.get(f"layers.{path.layer}.{path.direction}.weight_hh")) for path in paths(run) if len(path.profiles[-1])]
    return [(path, np.asarray(given[0], float)) for path, given in named if given is not None and given.ndim == 3]


def _hump(path: Path) -> float:
    """Decades by which the last profile rises over lag 0, or falls after it if that is less; 0 without a peak."""
    profile = path.profiles[-1][~np.isnan(path.profiles[-1])]
    if not len(profile) or not np.isfinite(profile[0]) or not np.isfinite(profile.max()):
        return 0.0
    return float(min(profile.max() - profile[0], profile.max() - profile[-1]))


def _th(count: int) -> str:
    ending = "th" if 10 < count % 100 < 14 else {1: "st", 2: "nd", 3: "rd"}.get(count % 10, "th")
    return f"{count}{ending}"

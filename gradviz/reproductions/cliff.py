"""The wall in the error surface of one unit (Pascanu, Mikolov and Bengio 2013, section 2.3 and figure 6)."""

import math

import numpy as np
import pandas as pd

from gradviz.charts import Description
from gradviz.charts._description import log10
from gradviz.charts.cliff import Cliff as Picture
from gradviz.charts.cliff import across, beside, longest
from gradviz.dynamics.one_unit import PAPER, Descent, Refined, beside_wall, descents, refined, surface
from gradviz.reproductions._base import Outcome, Reproduction, Setting, Statement, Tell, agrees
from gradviz.wording import number

START, RATE, THRESHOLD, STEPS = (5.0, -2.3), 0.05, 1.0, 400
SAMPLED = (4.3, 6.0)  # w
GRID = 0.01  # an even grid this fine still misses the wall


class Cliff(Reproduction):
    title = "The wall in the error surface of a recurrent unit"
    source = "Pascanu, Mikolov and Bengio 2013, section 2.3 and figure 6"
    question = (
        "One logistic unit runs for 50 steps and its end is compared with a target. How steep can the error be over its two parameters, "
        "and what does gradient descent do there, with and without clipping?"
    )
    minutes = 0.1

    def run(self, *, quick: bool = False, seed: int = 0, tell: Tell = lambda doing: None) -> Outcome:
        tell("Sampling the surface along its wall")
        w = np.linspace(*SAMPLED, 40 if quick else 120)
        near = refined(w)
        plain, clipped = descents(START, RATE, STEPS, (None, THRESHOLD))
        return Outcome(
            _claim(plain, clipped),
            (_exact(), _steep(near), _curved(near), _thrown(plain, clipped)),
            _settings(),
            (_map(), _across()),
        )


def _exact() -> Statement:
    """On the line the state never moves, and everything has a closed form."""
    s = 1 / (1 + math.exp(-PAPER.start))
    errors = []
    for w in (4.5, 5.0, 6.0):
        a = w * s * (1 - s)
        expected = 2 * (s - PAPER.target) * s * (1 - s) * (a**PAPER.steps - 1) / (a - 1)
        errors.append(abs(float(beside_wall(w, 0.0).d_b) / expected - 1))
    return Statement(
        "On the line b = x₀ − w σ(x₀) the state stays at x₀ for ever, and ∂E/∂b = 2 (σ(x₀) − 0.7) σ'(x₀) (aᵀ − 1)/(a − 1), a = w σ'(x₀).",
        "the model of figure 6, solved by hand",
        f"At w = 4.5, 5 and 6 the computed derivative differs from it by at most {number(max(errors))} of its size.",
        agrees(max(errors) < 1e-9),
    )


def _steep(near: Refined) -> Statement:
    row = int(np.abs(near.w[:, 0] - 6).argmin())
    w, norms = float(near.w[row, 0]), near.surface.norm[row]
    at = int(np.argmax(norms))
    even = np.arange(-6, 2, GRID)
    missed = float(surface(w, even).norm.max())
    ratio = float(norms[at] / norms[[0, -1]].max())
    return Statement(
        "When gradients explode the error surface has a steep wall.",
        "section 2.3 and figure 6 (a picture without numbers)",
        f"At w = {number(w, 3)} the gradient's norm rises to {number(float(norms[at]))}, {number(ratio)} times what it is one unit of b "
        f"away, at a distance of {number(abs(float(near.offset[row, at])))} from the line. An even grid of {GRID} finds {number(missed)}.",
        agrees(ratio > 1e4),
        "The wall is about (w σ'(x₀))⁻⁵⁰ wide: only samples that crowd towards it show its height.",
    )


def _curved(near: Refined) -> Statement:
    norm, curvature = (log10(values).ravel() for values in (near.surface.norm, near.surface.curvature))
    usable = np.isfinite(norm) & np.isfinite(curvature) & (norm > 0)
    r = float(np.corrcoef(norm[usable], curvature[usable])[0, 1])
    return Statement(
        "When gradients explode, so does the curvature along the same direction.",
        "section 2.3",
        f"Where the gradient's norm is above 1, its logarithm and that of the largest curvature correlate with r = {number(r, 3)} "
        f"(n = {int(usable.sum())} samples beside the wall).",
        agrees(r > 0.8),
    )


def _thrown(plain: Descent, clipped: Descent) -> Statement:
    jump = longest(plain)
    held = longest(clipped)
    return Statement(
        "A step at the wall throws plain gradient descent far away; with the gradient rescaled it stays and goes on.",
        "figure 6, its two trajectories",
        f"From w = {number(START[0])}, b = {number(START[1])} the longest plain step is {number(jump)} long and the error ends at "
        f"{number(plain.error[-1])}; with clipping no step is longer than {number(held)} and it ends at {number(clipped.error[-1])}.",
        agrees(jump > 10 * held and clipped.error[-1] < plain.error[-1]),
        "The paper's starting point and rate are not stated; these were chosen so that the path meets the wall.",
    )


def _claim(plain: Descent, clipped: Descent) -> str:
    jump = longest(plain)
    return (
        f"One step at the wall moves the parameters by {number(jump)}; clipped, descent goes on beside it to an error of "
        f"{number(clipped.error[-1])}"
    )


def _settings() -> tuple[Setting, ...]:
    return (
        Setting("unit", "x_t = w σ(x_{t−1}) + b, x₀ = 0.5", "the same"),
        Setting("error", "(σ(x₅₀) − 0.7)² after 50 steps", "the same"),
        Setting("where it is sampled", "–", f"w from {SAMPLED[0]} to {SAMPLED[1]}, b in even ratios towards the wall"),
        Setting("descent", "–", f"from (5, −2.3), rate {RATE}, {STEPS} steps"),
        Setting("clipping", "rescale the gradient if its norm exceeds a threshold", f"threshold {THRESHOLD:g}"),
    )


# ---------------------------------------------------------------------- pictures


def _map() -> Description:
    return Picture(*START, RATE, THRESHOLD, STEPS).describe(())


def _across() -> Description:
    frames = {w: beside(w) for w in (4.5, 5.0, 6.0)}
    peak = max(float(frame["norm"].max()) for frame in frames.values())
    return Description(
        "cliff_across",
        f"The gradient rises to {number(peak)} within a distance no even grid would meet",
        "Norm of the gradient against the distance from the wall, on either side; both scales log.",
        "Further right is further away. The larger w, the nearer to the wall the peak stands, and the higher.",
        pd.concat(frames.values(), ignore_index=True),
        tuple(across(frame) for frame in frames.values()),
        source="Pascanu, Mikolov and Bengio 2013, section 2.3",
    )

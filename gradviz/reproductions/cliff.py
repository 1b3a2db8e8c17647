"""The wall in the error surface of one unit (Pascanu, Mikolov and Bengio 2013, section 2.3 and figure 6)."""

import math

import numpy as np
import pandas as pd

from gradviz.charts._description import Axis, Description, Heat, Line, Panel, Points, log10
from gradviz.dynamics.one_unit import PAPER, Descent, Refined, beside_wall, descend, refined, surface, wall
from gradviz.reproductions._base import Outcome, Reproduction, Setting, Statement, Tell, agrees
from gradviz.wording import number

START, RATE, THRESHOLD, STEPS = (5.0, -2.3), 0.05, 1.0, 400
SAMPLED = (4.3, 6.0)  # w
SHOWN, BIASES = (4.3, 5.2), (-2.75, -2.05)  # w and b of the picture
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
        plain, clipped = descend(START, RATE, STEPS), descend(START, RATE, STEPS, THRESHOLD)
        return Outcome(
            _claim(plain, clipped),
            (_exact(), _steep(near), _curved(near), _thrown(plain, clipped)),
            _settings(),
            (_map(plain, clipped, 80 if quick else 160), _across(near)),
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
    jump = float(np.linalg.norm(np.diff(plain.path, axis=0), axis=1).max())
    held = float(np.linalg.norm(np.diff(clipped.path, axis=0), axis=1).max())
    return Statement(
        "A step at the wall throws plain gradient descent far away; with the gradient rescaled it stays and goes on.",
        "figure 6, its two trajectories",
        f"From w = {number(START[0])}, b = {number(START[1])} the longest plain step is {number(jump)} long and the error ends at "
        f"{number(plain.error[-1])}; with clipping no step is longer than {number(held)} and it ends at {number(clipped.error[-1])}.",
        agrees(jump > 10 * held and clipped.error[-1] < plain.error[-1]),
        "The paper's starting point and rate are not stated; these were chosen so that the path meets the wall.",
    )


def _claim(plain: Descent, clipped: Descent) -> str:
    jump = float(np.linalg.norm(np.diff(plain.path, axis=0), axis=1).max())
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


def _map(plain: Descent, clipped: Descent, side: int) -> Description:
    w, b = np.linspace(*SHOWN, side), np.linspace(*BIASES, side)
    (left, right), (bottom, top) = SHOWN, BIASES
    at_w, at_b = plain.path.T
    inside = (left <= at_w) & (at_w <= right) & (bottom <= at_b) & (at_b <= top)
    kept = plain.path[: len(inside) if inside.all() else int(np.argmin(inside))]
    heat = Heat(w, b, surface(w[None], b[:, None]).error, limits=(0.0, 0.5), unit="error")
    on_wall = Line(w, wall(w), "the wall", "ink", dashed=True, label="wall")
    path = Points(clipped.path[:, 0], clipped.path[:, 1], "clipped descent", "lstm", small=True)
    lost = Points(kept[:, 0], kept[:, 1], "plain descent, before it leaves", "rnn", filled=False)
    frame = pd.concat(
        [
            pd.DataFrame({"descent": name, "step": np.arange(len(one.path)), "w": one.path[:, 0], "b": one.path[:, 1]}).assign(
                error=one.error, norm=one.norm
            )
            for name, one in (("plain", plain), ("clipped", clipped))
        ],
        ignore_index=True,
    )
    away = number(float(np.linalg.norm(plain.path - plain.path[0], axis=1).max()))
    return Description(
        "cliff",
        f"Plain descent leaves the picture after {len(kept) - 1} steps and ends {away} away; clipped descent stays beside the wall",
        "Error over the two parameters, linear scale; dashed: the wall; marks: places that descent visits, one a step.",
        "The edge along the dashed line is the wall. Descent comes down to it from the right; one step on its edge decides what follows.",
        frame,
        (Panel((heat, on_wall, path, lost), Axis("w"), Axis("b")),),
        columns=1,
        shape="line",
        key=(("dot", "clipped descent"), ("ring", "plain descent")),
        source="Pascanu, Mikolov and Bengio 2013, figure 6",
    )


def _across(near: Refined) -> Description:
    panels, frames = [], []
    for wanted in (4.5, 5.0, 6.0):
        row = int(np.abs(near.w[:, 0] - wanted).argmin())
        w, norms, away = float(near.w[row, 0]), near.surface.norm[row], near.offset[row]
        sides = (("above the wall", away > 0, "lstm", False), ("below the wall", away < 0, "rnn", True))
        lines = [
            Line(log10(np.abs(away[side])), log10(norms[side]), name, colour, dashed, label=name) for name, side, colour, dashed in sides
        ]
        frames.append(pd.DataFrame({"w": w, "offset": away, "norm": norms}))
        panels.append(Panel(tuple(lines), Axis("distance in b from the wall", "log"), Axis("gradient norm", "log"), f"w = {number(w, 3)}"))
    peak = max(float(frame["norm"].max()) for frame in frames)
    return Description(
        "cliff_across",
        f"The gradient rises to {number(peak)} within a distance no even grid would meet",
        "Norm of the gradient against the distance from the wall, on either side; both scales log.",
        "Further right is further away. The larger w, the nearer to the wall the peak stands, and the higher.",
        pd.concat(frames, ignore_index=True),
        tuple(panels),
        source="Pascanu, Mikolov and Bengio 2013, section 2.3",
    )

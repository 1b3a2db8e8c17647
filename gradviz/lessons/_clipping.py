"""What lesson 7 computes: the gradient of one unit at the wall of its error, clipped and not, and where descent goes with it."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from gradviz.arrays import Array, Parameters, cosine, global_norm
from gradviz.clipping import Clipping
from gradviz.clipping.none import NoClipping
from gradviz.clipping.norm import Norm
from gradviz.clipping.value import Value
from gradviz.dynamics.jacobians import follow, step_jacobians
from gradviz.dynamics.one_unit import PAPER, Descent, Surface, beside_wall, descend, logistic, surface, wall
from gradviz.lessons._small import unit

RULES = ("none", "norm", "value")


def rule_of(name: str, threshold: float) -> Clipping:
    rules = {"none": NoClipping(), "norm": Norm(threshold), "value": Value(threshold)}
    return rules[name]


def clipped(gradient: Array, name: str, threshold: float) -> Array:
    """(2,) what a rule of the library makes of the gradient (of w and of b, which are clipped together)."""
    rule, parts = rule_of(name, threshold), split(gradient)
    after = rule.clip(parts, parts, rule.start()).gradients
    return np.concatenate([after["w"], after["b"]])


def split(gradient: Array) -> Parameters:
    return {"w": gradient[:1], "b": gradient[1:]}


def angle(one: Array, other: Array) -> float:
    """Cosine of the angle between two gradients."""
    return cosine(split(one), split(other))


def length(gradient: Array) -> float:
    return global_norm([gradient])


def gradient(here: Surface) -> Array:
    """(2,) of E by w and b, at one place."""
    return np.array([float(here.d_w), float(here.d_b)])


def at_wall(w: float, offset: float = 0.0) -> Array:
    """(2,) the gradient so far above the wall."""
    return gradient(beside_wall(w, offset))


def slope() -> float:
    """σ'(x_0): ∂x_t/∂x_{t−1} on the wall, for w = 1."""
    there = float(logistic(np.asarray(PAPER.start)))
    return there * (1 - there)


@dataclass(frozen=True)
class Way:
    """How descent is clipped, and how far it goes."""

    rule: str = "norm"
    threshold: float = 1.0
    rate: float = 0.01
    steps: int = 1


@lru_cache(maxsize=256)
def walk(w: float, offset: float, way: Way) -> Descent:
    """Gradient descent from that far above the wall."""
    place, parts = np.array([w, float(wall(w)) + offset]), []
    for _ in range(way.steps + 1):
        here = surface(place[0], place[1])
        parts.append((place, float(here.error), float(here.norm)))
        place = place - way.rate * clipped(gradient(here), way.rule, way.threshold)
    path, error, norm = (np.array(part) for part in zip(*parts, strict=True))
    return Descent(path, error, norm)


def drift(place: Array, rate: float, steps: int) -> float:
    """How far unclipped descent moves on a plateau, where the gradient hardly changes: hundreds of steps are taken as one."""
    path = descend((float(place[0]), float(place[1])), 100 * rate, steps // 100).path
    return float(np.linalg.norm(path[-1] - path[0]))


def terms(w: float, steps: int) -> Array:
    """(steps,) ∂h_T/∂h_k of a linear unit, k = 1 … T."""
    factors = step_jacobians(follow(unit(w, activation="linear"), np.zeros((steps, 1))))[1:, 0, 0]
    return np.append(np.cumprod(factors[::-1])[::-1], 1.0)


def early(parts: Array, first: int) -> float:
    """The share of the first terms in the sum of all."""
    return float(parts[:first].sum() / parts.sum())


def shortened(parts: Array, threshold: float) -> Array:
    """The same terms, clipped together by their norm."""
    rule = Norm(threshold)
    return rule.clip({"terms": parts}, {"terms": parts}, rule.start()).gradients["terms"]

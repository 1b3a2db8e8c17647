"""Lesson 7: gradient clipping on the cliff."""

from typing import ClassVar

import numpy as np

from gradviz.arrays import Array
from gradviz.dynamics.one_unit import beside_wall, wall
from gradviz.lessons import _clipping
from gradviz.lessons._base import Choice, Facts, Lesson, Question, Screen, Source
from gradviz.lessons._clipping import Way, angle, at_wall, clipped, length, walk
from gradviz.lessons._clipping_plays import Cliffwalk, Rules
from gradviz.lessons._words import Equation

UNIT = Equation(
    r"x^{\langle t\rangle}=w\,\sigma(x^{\langle t-1\rangle})+b,\quad x^{\langle 0\rangle}=0.5,\quad "
    r"E=\left(\sigma(x^{\langle 50\rangle})-0.7\right)^2",
    r"x_t=w\,\sigma(x_{t-1})+b,\quad x_0=0.5,\quad E=\left(\sigma(x_{50})-0.7\right)^2",
)
WALL = Equation(r"b=0.5-w\,\sigma(0.5)")
DESCENT = Equation(r"(w,b)\leftarrow(w,b)-\eta\,g,\quad\eta=0.01")
CLIP = Equation(r"g\leftarrow g\cdot\min\left(1,\frac{\tau}{\|g\|}\right)")
VALUE = Equation(r"g_i\leftarrow\max\left(-\tau,\min(\tau,g_i)\right)")


class Clipping(Lesson):
    order = 7
    title = "Clipping on the cliff"
    claim = "Clipping shortens a gradient; it does not mend one"
    goal = "compute a clipped gradient, and say what clipping cannot do"
    plays: ClassVar = (Cliffwalk, Rules)
    dispels = "Clipping cures vanishing gradients, and both rules do the same."
    notes = "Vanishing gradients with RNNs: exploding gradients and clipping"
    code = ("gradviz.clipping.norm", "gradviz.clipping.value", "gradviz.dynamics.one_unit")
    sources: ClassVar = (
        Source(
            "Pascanu, Mikolov and Bengio 2013, On the difficulty of training recurrent neural networks", "https://arxiv.org/abs/1211.5063"
        ),
    )
    view = "clipping"
    screens: ClassVar = (
        Screen(
            "The smallest network with a cliff: one unit, a weight $w$, a bias $b$, 50 steps without input. The map shows its error "
            "for every $w$ and $b$: two plains, and an edge between them.",
            UNIT,
            0,
        ),
        Screen(
            "On the dashed line the state never leaves 0.5. Each step back multiplies by {slope:.4f} $w$, the slope there. From $w$ = "
            "{begins:.3f} on that is above 1: over 50 steps it explodes, and the line is a **wall**.",
            WALL,
            0,
            {"w": 4.25},
        ),
        Screen(
            "Stand on it at $w = 5$, $b$ = {b:.4f}. The error is small, {error:.4f}; but the gradient is ({g_w:.2f}, {g_b:.2f}), "
            "{norm:.1f} long. A thousandth higher in $b$ it is {beside:.2f}. Nothing warns of the wall.",
            WALL,
            0,
        ),
        Screen(
            "One plain step from there goes {away:.2f} far, off the map, to ({w_1:.3f}, {b_1:.3f}). The error is {error_1:.4f} there, and "
            "the gradient {norm_1}: a plateau with no way back.",
            DESCENT,
            0,
            {"rule": "none"},
        ),
        Screen(
            "**Clip by norm**, τ = 1: the same direction, length 1. The step ends at ({w_c:.4f}, {b_c:.4f}) with the error {error_c:.4f} "
            "and a gradient of {norm_c:.3f}. It did not help at once; but descent goes on from here.",
            CLIP,
            0,
        ),
        Screen(
            "**Clip by value** instead holds each entry within ±τ. Here both end at −1, although one was larger: the gradient turns. The "
            "cosine to what it was is {turned:.3f}; by norm it stays {straight:.0f}.",
            VALUE,
            1,
            {"threshold": 1.0},
        ),
        Screen(
            "Clipping lengthens nothing: {norm_1} stays {norm_same}. Nor does it balance: all time steps shrink alike. With $w = 1.1$ the "
            "first 10 of 50 terms hold {early:.1%} of a gradient, clipped {early_clipped:.1%}.",
            CLIP,
            1,
            {"gradient": "on the plateau", "threshold": 1.0},
        ),
        Screen(
            "Which τ? Record the norms of a run first: Pascanu and others found half to ten times their mean to work. With too large a τ "
            "the wall throws you all the same; here anything above {norm:.1f} does nothing.",
            CLIP,
            0,
            {"threshold": 1000.0},
        ),
    )
    questions: ClassVar = (
        Question(
            "The gradient is (30, 40), the threshold 5. What do the two rules make of it, by norm and by value?",
            (
                Choice(
                    "(3, 4) and (5, 5)",
                    lambda facts: (round(facts["norm_first"]), round(facts["value_first"])) == (3, 5),
                    "50 long, so that the norm’s rule divides by 10; the other cuts each entry at 5.",
                ),
                Choice(
                    "(3, 4) both",
                    lambda facts: facts["norm_first"] == facts["value_first"],
                    "By value each entry is cut for itself: 30 to 5, 40 to 5.",
                ),
                Choice(
                    "(5, 5) and (3, 4)",
                    lambda facts: round(facts["norm_first"]) == 5,
                    "The other way round: the norm’s rule keeps the ratio 3 to 4.",
                ),
            ),
            "By norm ({norm_first:.0f}, {norm_second:.0f}), cosine {norm_cosine:.0f}; by value ({value_first:.0f}, {value_second:.0f}), "
            "cosine {value_cosine:.3f}.",
            1,
            {"gradient": "(30, 40)", "threshold": 1000.0},
            {"gradient": "(30, 40)", "threshold": 5.0},
        ),
        Question(
            "The plain step has landed on the plateau. Descent takes 1000 more steps, η = 0.01. Where is it then?",
            (
                Choice(
                    "back at the wall",
                    lambda facts: facts["drift"] > 5,
                    "Downhill leads there, but every step is η times a gradient of next to nothing.",
                ),
                Choice(
                    "about halfway",
                    lambda facts: 0.1 < facts["drift"] <= 5,
                    "That would take a gradient of about 0.4, not of {norm_1}.",
                ),
                Choice(
                    "where it was",
                    lambda facts: facts["drift"] <= 0.1,
                    "An explosion has become a vanished gradient, and no clipping lengthens it.",
                ),
            ),
            "It has moved by {drift}; thrown it was {away:.2f} far.",
            0,
            {},
            {"rule": "none", "steps": 100},
        ),
    )

    def facts(self) -> Facts:
        here, plain, tame = beside_wall(5.0, 0.0), walk(5.0, 0.0, Way("none")), walk(5.0, 0.0, Way())
        wild, terms, sample = at_wall(5.0), _clipping.terms(1.1, 50), np.array([30.0, 40.0])
        by_norm, by_value = (clipped(sample, rule, 5.0) for rule in ("norm", "value"))
        landed = np.array([plain.norm[1], 0.0])
        return {
            "slope": _clipping.slope(),
            "begins": 1 / _clipping.slope(),
            "b": float(wall(5.0)),
            "error": float(here.error),
            "g_w": float(wild[0]),
            "g_b": float(wild[1]),
            "norm": length(wild),
            "beside": length(at_wall(5.0, 0.001)),
            "away": float(np.linalg.norm(plain.path[1] - plain.path[0])),
            **_at("1", plain.path[1], plain.error[1], plain.norm[1]),
            **_at("c", tame.path[1], tame.error[1], tame.norm[1]),
            "turned": angle(wild, clipped(wild, "value", 1.0)),
            "straight": angle(wild, clipped(wild, "norm", 1.0)),
            "norm_same": length(clipped(landed, "norm", 1.0)),
            "early": _clipping.early(terms, 10),
            "early_clipped": _clipping.early(_clipping.shortened(terms, 1.0), 10),
            "norm_first": float(by_norm[0]),
            "norm_second": float(by_norm[1]),
            "value_first": float(by_value[0]),
            "value_second": float(by_value[1]),
            "norm_cosine": angle(sample, by_norm),
            "value_cosine": angle(sample, by_value),
            "drift": _clipping.drift(plain.path[1], 0.01, 1000),
        }


def _at(name: str, place: Array, error: float, norm: float) -> Facts:
    return {f"w_{name}": float(place[0]), f"b_{name}": float(place[1]), f"error_{name}": float(error), f"norm_{name}": float(norm)}

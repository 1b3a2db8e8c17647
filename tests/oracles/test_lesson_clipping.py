"""The numbers of the lesson on clipping, from a loop over one unit with floats alone."""

import math

import numpy as np
import pytest

from gradviz.dynamics.one_unit import descend, wall
from gradviz.lessons import LESSONS, facts_of
from gradviz.lessons._clipping import Way, clipped, walk
from gradviz.lessons._clipping_plays import GRADIENTS, Cliffwalk, Rules

FACTS = facts_of(LESSONS["clipping"])


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def error(w: float, b: float) -> tuple[float, float, float]:
    """E, ∂E/∂w, ∂E/∂b."""
    x, of_w, of_b = 0.5, 0.0, 0.0
    for _ in range(50):
        s = sigmoid(x)
        x, of_w, of_b = w * s + b, s + w * s * (1 - s) * of_w, 1 + w * s * (1 - s) * of_b
    s = sigmoid(x)
    outer = 2 * (s - 0.7) * s * (1 - s)
    return (s - 0.7) ** 2, outer * of_w, outer * of_b


ON_WALL = 0.5 - 5 * sigmoid(0.5)


def test_on_the_wall() -> None:
    e, g_w, g_b = error(5, ON_WALL)
    assert (FACTS["slope"], FACTS["begins"]) == (pytest.approx(0.2350, abs=5e-5), pytest.approx(4.255, abs=5e-4))
    assert FACTS["slope"] == pytest.approx(sigmoid(0.5) * (1 - sigmoid(0.5)))
    assert FACTS["b"] == pytest.approx(ON_WALL)
    assert (FACTS["error"], FACTS["g_w"], FACTS["g_b"]) == (pytest.approx(e), pytest.approx(g_w), pytest.approx(g_b))
    assert (FACTS["g_w"], FACTS["g_b"]) == (pytest.approx(-411.87, abs=5e-3), pytest.approx(-661.68, abs=5e-3))
    assert (FACTS["error"], FACTS["norm"]) == (pytest.approx(0.0060, abs=5e-5), pytest.approx(779.4, abs=0.05))
    assert FACTS["beside"] == pytest.approx(math.hypot(*error(5, ON_WALL + 0.001)[1:]), rel=1e-6)
    assert FACTS["beside"] == pytest.approx(0.78, abs=5e-3)


def test_one_step_with_and_without() -> None:
    _, g_w, g_b = error(5, ON_WALL)
    for name, factor in (("1", 1.0), ("c", 1 / math.hypot(g_w, g_b))):
        w, b = 5 - 0.01 * factor * g_w, ON_WALL - 0.01 * factor * g_b
        e, *slopes = error(w, b)
        found = [FACTS[f"{kind}_{name}"] for kind in ("w", "b", "error", "norm")]
        assert found == pytest.approx([w, b, e, math.hypot(*slopes)], rel=1e-6)
    plain, tame = ([FACTS[f"{kind}_{name}"] for kind in ("w", "b", "error")] for name in "1c")
    assert plain == [pytest.approx(9.119, abs=5e-4), pytest.approx(4.005, abs=5e-4), pytest.approx(0.0900, abs=5e-5)]
    assert tame == [pytest.approx(5.0053, abs=5e-5), pytest.approx(-2.6038, abs=5e-5), pytest.approx(0.0122, abs=5e-5)]
    assert (FACTS["away"], FACTS["norm_1"]) == (pytest.approx(7.79, abs=5e-3), pytest.approx(1.7e-6, abs=5e-8))
    assert FACTS["norm_c"] == pytest.approx(0.190, abs=5e-4)


def test_a_thousand_steps_on_the_plateau() -> None:
    w, b = FACTS["w_1"], FACTS["b_1"]
    for _ in range(1000):
        _, g_w, g_b = error(w, b)
        w, b = w - 0.01 * g_w, b - 0.01 * g_b
    assert FACTS["drift"] == pytest.approx(math.hypot(w - FACTS["w_1"], b - FACTS["b_1"]), rel=1e-3)
    assert f"{FACTS['drift']:.0e}" == "2e-05"


def test_what_the_rules_do() -> None:
    assert (FACTS["norm_first"], FACTS["norm_second"]) == (pytest.approx(3), pytest.approx(4))
    assert (FACTS["value_first"], FACTS["value_second"]) == (5, 5)
    assert FACTS["value_cosine"] == pytest.approx(350 / (50 * math.hypot(5, 5)))
    g_w, g_b = error(5, ON_WALL)[1:]
    assert FACTS["turned"] == pytest.approx((abs(g_w) + abs(g_b)) / (math.hypot(g_w, g_b) * math.sqrt(2)))
    assert (FACTS["turned"], FACTS["straight"]) == (pytest.approx(0.974, abs=5e-4), pytest.approx(1))
    assert FACTS["norm_same"] == FACTS["norm_1"]
    powers = [1.1 ** (50 - k) for k in range(1, 51)]
    assert FACTS["early"] == pytest.approx(sum(powers[:10]) / sum(powers))
    assert (FACTS["early"], FACTS["early_clipped"]) == (pytest.approx(0.620, abs=5e-4), pytest.approx(FACTS["early"]))


def test_descent_is_that_of_the_library() -> None:
    """Its own descent shortens by itself; the lesson's asks the rules."""
    start = (5.0, float(wall(5.0)))
    for rule, threshold in (("none", None), ("norm", 1.0), ("norm", 1000.0)):
        found = walk(5.0, 0.0, Way(rule, threshold or 1.0, 0.01, 4))
        assert found.path == pytest.approx(descend(start, 0.01, 4, threshold).path, rel=1e-9)
    step = walk(5.0, 0.0, Way("value", 1.0, 0.01, 1)).path
    assert step[1] - step[0] == pytest.approx([0.01, 0.01])


def test_pictures_say_what_they_show() -> None:
    assert "off the map" in Cliffwalk(rule="none").draw().title
    assert "off the map" not in Cliffwalk().draw().title
    assert "off the map" in Cliffwalk(threshold=1000.0).draw().title
    assert "neither rule touches it" in Rules(gradient="on the plateau").draw().title
    assert Rules(gradient="on the plateau").draw().frame["length"][0] == FACTS["norm_1"]
    frame = Rules(gradient="(30, 40)").draw().frame
    assert frame["length"].tolist() == pytest.approx([50, 5, math.hypot(5, 5)])
    for name in GRADIENTS:
        drawn = Rules(gradient=name, threshold=1.0).draw().frame
        assert drawn["cosine"][1] == pytest.approx(1)
        assert (drawn["length"] <= drawn["length"][0]).all()
    assert clipped(np.array([0.5, -7.0]), "value", 2.0).tolist() == [0.5, -2.0]

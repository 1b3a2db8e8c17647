"""The numbers of the lesson on the basic recurrent network, from plain loops and closed forms."""

from math import atanh, tanh

import numpy as np
import pytest

from gradviz.errors import GradvizError
from gradviz.lessons import LESSONS, facts_of
from gradviz.lessons._basic_rnn import numbers, rests
from gradviz.lessons._basic_rnn_plays import Map, Unit

FACTS = facts_of(LESSONS["basic_rnn"])


def loop(inputs: list[float], w: float, h: float = 0.0, u: float = 1.0, b: float = 0.0) -> list[float]:
    found = []
    for x in inputs:
        h = tanh(w * h + u * x + b)
        found.append(h)
    return found


def resting(w: float) -> float:
    """The positive solution of h = tanh(w h), by bisection of artanh(h)/h = w, which rises with h."""
    low, high = 1e-9, 1 - 1e-15
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if atanh(middle) / middle < w else (low, middle)
    return low


def test_an_echo_fades() -> None:
    told = [FACTS[f"echo_{t}"] for t in range(1, 5)]
    assert told == pytest.approx(loop([1, 0, 0, 0], 0.5), rel=1e-14)
    assert told == pytest.approx([0.7616, 0.3634, 0.1797, 0.0896], abs=5e-5)


def test_weights_are_counted() -> None:
    assert FACTS["shared"] == 2 * 2 + 3 * 2 + 2 == 12
    assert FACTS["dense"] == 100 * 3 * 2 + 2 == 602


def test_order_counts() -> None:
    assert FACTS["forwards"] == pytest.approx(loop([1, 0, -1], 0.5)[-1]) == pytest.approx(-0.6741, abs=5e-5)
    assert FACTS["backwards"] == pytest.approx(0.6741, abs=5e-5)


def test_where_it_latches() -> None:
    rest = resting(2)
    assert FACTS["rest"] == pytest.approx(rest, rel=1e-12) == pytest.approx(0.9575, abs=5e-5)
    assert FACTS["flip"] == pytest.approx(2 * rest, abs=1e-8) == pytest.approx(1.915, abs=5e-4)
    assert FACTS["slope"] == pytest.approx(2 * (1 - rest**2), rel=1e-9) == pytest.approx(0.1664, abs=5e-5)
    assert FACTS["divided"] == pytest.approx(6, abs=0.02)


def test_only_a_large_pulse_flips() -> None:
    rest = resting(2)
    told = [FACTS[f"pulse_{t}"] for t in (1, 2, 3)]
    assert told == pytest.approx(loop([-1, 0, 0], 2, rest))
    assert told == pytest.approx([0.7235, 0.8951, 0.9458], abs=5e-5)
    for name, pulse, sign in (("last", -1, 1), ("weak", -1.9, 1), ("strong", -2, -1)):
        assert FACTS[name] == pytest.approx(loop([pulse, *[0] * 99], 2, rest)[-1], rel=1e-9) == pytest.approx(sign * rest, rel=1e-9)


@pytest.mark.parametrize("w", [0.5, 1.0, 1.05, 1.5, 2.5])
def test_two_places_appear_past_one(w: float) -> None:
    found = [one.state for one in rests(w)]
    if w <= 1:
        assert found == pytest.approx([0], abs=1e-3)
    else:
        assert found == pytest.approx([-resting(w), 0, resting(w)], abs=1e-9)
        assert [one.slope for one in rests(w)] == pytest.approx([w * (1 - h**2) for h in (resting(w), 0, resting(w))], rel=1e-6)
    assert (FACTS["places"], FACTS["side"], FACTS["at_zero"]) == (3, pytest.approx(resting(1.5)), pytest.approx(1.5))
    assert FACTS["at_side"] == pytest.approx(1.5 * (1 - resting(1.5) ** 2))


def test_pictures_show_a_step_taken_apart() -> None:
    picture = Unit(step=3, w=1.5, u=0.5, b=-0.2, inputs="1, 0.5 −2").draw()
    h = loop([1, 0.5, -2, *[0] * 9], 1.5, u=0.5, b=-0.2)
    assert picture.frame["h"].to_numpy() == pytest.approx(h)
    bars = {mark.name: (mark.base, mark.y.item()) for mark in picture.panels[1].marks if type(mark).__name__ == "Bars"}
    assert bars["w·h"] == (0, pytest.approx(1.5 * h[1]))
    assert bars["u·x"] == (bars["w·h"][1], pytest.approx(1.5 * h[1] - 1))
    assert bars["b"] == (bars["u·x"][1], pytest.approx(1.5 * h[1] - 1.2))
    assert bars["z"] == (0, pytest.approx(atanh(h[2])))
    assert picture.panels[2].marks[1].y == pytest.approx([h[2]])


def test_the_way_through_the_map_goes_from_the_diagonal_to_the_curve() -> None:
    picture = Map(w=2.0, drive=0.1, start=-0.4).draw()
    way = next(mark for mark in picture.panels[0].marks if mark.name == "steps")
    h = np.array([-0.4, *loop([0] * 24, 2.0, -0.4, b=0.1)])
    assert way.x[::2] == pytest.approx(h[:-1])
    assert way.y[1::2] == pytest.approx(h[1:])
    assert way.y[2::2] == pytest.approx(way.x[2::2])
    assert picture.frame["h"].to_numpy() == pytest.approx(h)


@pytest.mark.parametrize(
    ("typed", "said"), [("1 x 0", "Input 2 is “x”"), ("0 0 nan", "Input 3"), ("2.5", "from −2 to 2"), ("1 " * 13, "13 inputs")]
)
def test_what_is_no_input_is_said(typed: str, said: str) -> None:
    with pytest.raises(GradvizError, match=said):
        Unit(inputs=typed).draw()
    assert numbers("1, −0.5") == (1, -0.5, *[0] * 10)

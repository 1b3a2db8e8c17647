"""The numbers of the lesson on deep recurrent networks, from binomial coefficients and finite differences."""

from math import comb

import numpy as np
import pytest

from gradviz.lessons import LESSONS, facts_of
from gradviz.lessons._deep import MOST, Grid, Hump, bottom, gradients

FACTS = facts_of(LESSONS["deep"])


def walk(steps: int, w: float, depth: float, kind: str, nudge: tuple[int, int, float] = (-1, -1, 0.0)) -> np.ndarray:
    """(layer,) the last states from 0.5 without input; state nudge[0] (layer) of step nudge[1] is moved by nudge[2]."""
    h = np.full(MOST, 0.5)
    for t in range(steps):
        below = 0.0
        for layer in range(MOST):
            z = w * h[layer] + (depth * below if layer else 0.0)
            h[layer] = (np.tanh(z) if kind == "tanh" else z) + (nudge[2] if (layer, t) == nudge[:2] else 0.0)
            below = h[layer]
    return h


def test_ways_are_counted() -> None:
    assert [FACTS[f"ways_{layers}"] for layers in (1, 2, 3)] == [1, 50, 1275] == [comb(50 + n - 2, n - 1) for n in (1, 2, 3)]


@pytest.mark.parametrize("layers", [1, 2, 3, 4])
def test_without_tanh_it_is_ways_times_weights(layers: int) -> None:
    expected = [comb(k + layers - 1, layers - 1) * 0.9**k * 0.7 ** (layers - 1) for k in range(60)]
    assert bottom(layers, 60, 0.9, 0.7) == pytest.approx(expected, rel=1e-12)


def test_three_layers_at_the_first_step() -> None:
    assert FACTS["bottom"] == pytest.approx(1275 * 0.9**51) == pytest.approx(5.91, abs=5e-3)
    assert FACTS["alone"] == pytest.approx(0.9**49) == pytest.approx(0.00573, abs=5e-6)
    assert FACTS["gain"] == pytest.approx(1033, abs=0.5)
    assert gradients(50, 0.9, 0.9)[2, 2, 0] == pytest.approx(FACTS["alone"])


def test_it_rises_before_it_falls() -> None:
    line = [comb(k + 2, 2) * 0.9 ** (k + 2) for k in range(200)]
    assert FACTS["start"] == pytest.approx(0.81)
    assert (FACTS["peak_at"], FACTS["peak"]) == (17, pytest.approx(max(line)))
    assert FACTS["peak"] == pytest.approx(23.1, abs=0.05)
    assert line[75] > 0.81 > line[76]
    assert FACTS["below"] == 76
    assert FACTS["late"] == pytest.approx(1.3e-5, abs=5e-7)
    assert FACTS["rate"] == pytest.approx((line[199] / line[150]) ** (1 / 49)) == pytest.approx(0.91, abs=5e-3)


@pytest.mark.parametrize("kind", ["linear", "tanh"])
def test_gradients_are_slopes(kind: str) -> None:
    found = gradients(5, 0.8, 1.2, kind)
    for layer in range(MOST):
        for t in range(5):
            above, below = (walk(5, 0.8, 1.2, kind, (layer, t, nudge)) for nudge in (1e-6, -1e-6))
            assert found[:, layer, t] == pytest.approx((above - below) / 2e-6, abs=1e-8)


def test_pictures_show_what_the_text_says() -> None:
    assert Grid(w=1.0, depth=1.0).draw().title.startswith("1\u202f275 ways lead")
    heat = Grid().draw().panels[0].marks[0]
    assert 10 ** heat.values[[0, 2], 0] == pytest.approx([FACTS["bottom"], FACTS["alone"]])
    lines = {mark.name: mark.y for mark in Hump(steps=200).draw().panels[0].marks}
    assert [int(line.argmax()) for line in lines.values()] == sorted(int(line.argmax()) for line in lines.values())
    assert 10 ** (lines["L = 3"][-1] - lines["L = 3"][-2]) == pytest.approx(0.9, abs=0.01)
    assert 10 ** lines["L = 1"][-1] == pytest.approx(0.9**199)

"""The numbers of the lesson on the LSTM, from loops over one unit and from sigmoids on paper."""

import numpy as np
import pytest

from gradviz.batch import Signature
from gradviz.cells.lstm import LSTM
from gradviz.charts._description import Line
from gradviz.config import Model
from gradviz.dynamics.highway import highway
from gradviz.dynamics.jacobians import follow
from gradviz.lessons import LESSONS, facts_of
from gradviz.lessons._lstm import kept, mixed, roads, written
from gradviz.lessons._lstm_plays import Memory, Road
from gradviz.lessons._small import FIRST, network

FACTS = facts_of(LESSONS["lstm"])


def sigmoid(x: float) -> float:
    return float(1 / (1 + np.exp(-x)))


def last(c: float, bias: float, weight: float, steps: int) -> float:
    """The cell state after so many steps from c with h = tanh(c)/2, gates at 1/2, forget bias, and a recurrent candidate."""
    h = np.tanh(c) / 2
    for _ in range(steps):
        c = sigmoid(bias) * c + np.tanh(weight * h) / 2
        h = np.tanh(c) / 2
    return float(c)


@pytest.mark.parametrize(("forget", "write", "output", "candidate"), [(1, 1, 1, 0.76), (0.9, 0.3, 0.5, -0.4), (0, 1, 0, 1), (0.5, 0, 1, 1)])
def test_a_memory_with_gates_set_by_hand(forget: float, write: float, output: float, candidate: float) -> None:
    cell, seen = written(7, forget, write, output, candidate)
    c, gru = 0.0, 0.0
    for t in range(7):
        c = forget * c + write * candidate
        gru = write * candidate + (1 - write) * gru
        assert cell[t] == pytest.approx(c, abs=1e-12)
        assert seen[t] == pytest.approx(output * np.tanh(c), abs=1e-12)
    assert mixed(7, write, candidate)[-1] == pytest.approx(gru, abs=1e-12)


def test_keeping_and_writing_are_separate() -> None:
    assert FACTS["counted"] == pytest.approx(10 * np.tanh(1))
    assert FACTS["counted"] == pytest.approx(7.616, abs=5e-4)
    assert FACTS["never"] == pytest.approx(0.7616, abs=5e-5)
    assert (FACTS["hidden"], FACTS["silent"]) == (0, FACTS["counted"])


def test_the_forget_bias_is_a_half_life() -> None:
    for bias, life in ((0, 1), (1, 2.21), (2, 5.46), (3, 14.3), (5, 103)):
        assert FACTS[f"life_{bias}"] == pytest.approx(np.log(0.5) / np.log(sigmoid(bias)))
        assert FACTS[f"life_{bias}"] == pytest.approx(life, rel=2.5e-3)
    assert FACTS["left_0"] == pytest.approx(2.0**-100)
    assert FACTS["left_5"] == pytest.approx(0.511, abs=5e-4)
    assert sigmoid(FACTS["half_100"]) ** 100 == pytest.approx(0.5)
    assert FACTS["half_100"] == pytest.approx(4.97, abs=5e-3)


def test_the_road_through_h() -> None:
    assert FACTS["factor"] == pytest.approx(sigmoid(5) + 0.25)
    assert FACTS["factor"] == pytest.approx(1.2433, abs=5e-5)
    assert FACTS["grown"] == pytest.approx(77.9, abs=0.05)
    assert FACTS["gates"] == pytest.approx(20 * np.log(sigmoid(5)))
    assert (FACTS["gates"], FACTS["whole"]) == (pytest.approx(-0.134, abs=5e-4), pytest.approx(4.355, abs=5e-4))
    assert FACTS["unstable"] == pytest.approx(4 * (1 - sigmoid(5)))
    assert FACTS["unstable"] == pytest.approx(0.027, abs=5e-4)


def test_the_gates_agree_with_the_ledger_of_the_library() -> None:
    weights = {f"{FIRST}.bias": np.array([[0.0], [0], [5], [0]]), f"{FIRST}.weight_hh": np.array([[[0.0]], [[0]], [[0]], [[1]]])}
    made = network(Model(cell=LSTM(), units=1), Signature(1, 1, False, "squared"), weights)
    assert highway(follow(made, np.zeros((20, 1)))).log_direct[:, 0] == pytest.approx(roads(5.0, 1.0, 20).gates)


def test_the_state_itself_grows_as_its_derivative_says() -> None:
    """A tiny cell state, whose output is made of it, followed forward."""
    grown = last(1e-9, 5, 1, 20) / 1e-9
    assert np.exp(roads(5.0, 1.0, 20).whole[-1]) == pytest.approx(grown, rel=1e-6)


def test_pictures_show_what_the_text_says() -> None:
    frame = Memory(candidate=0.5, forget=0.9, write=0.4).draw().frame
    assert (frame["kept"] + frame["written"]).tolist() == pytest.approx(frame["memory"].tolist())
    assert frame["written"].tolist() == pytest.approx([0.2] * 20)
    road = Road(bias=5.0, weight=1.0, steps=20).draw()
    assert road.frame["log10_whole"].iloc[-1] == pytest.approx(np.log10(FACTS["grown"]))
    assert "it is 77.9" in road.title
    closed = {mark.name: mark.y[-1] for mark in Road(bias=3.0).draw().panels[0].marks if isinstance(mark, Line)}
    assert closed == pytest.approx(
        {**{f"bias {b}": 100 * np.log10(sigmoid(b)) for b in (0, 1, 2, 5)}, "by the gates: all of it": 100 * np.log10(sigmoid(3))}
    )
    assert kept(0.0) == 0.5

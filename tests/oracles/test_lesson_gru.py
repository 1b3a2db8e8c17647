"""The numbers of the lesson on the GRU, from a plain loop over six words and from sigmoids on paper."""

import numpy as np
import pytest

from gradviz.charts._description import Line
from gradviz.lessons import LESSONS, facts_of
from gradviz.lessons._gru import EVERY, FREE, KINDS, Hold, gate_that_keeps, kept_over, read
from gradviz.lessons._gru_plays import Felt, Microscope

FACTS = facts_of(LESSONS["gru"])
NOUNS, CLAUSE, NUMBERS = (0, 1, 0, 0, 1, 0), (0, 0, 1, 1, 1, 1), (0, 1, 0, 0, -1, 0)


def sigmoid(x: float) -> float:
    return float(1 / (1 + np.exp(-x)))


def loop(
    held: dict[int, float], *, clause: bool = True, feedback: float = 0.0, reset_open: bool = False
) -> tuple[list[float], list[float]]:
    """Memories, and ∂c⟨6⟩/∂c⟨t⟩, of the unit on paper."""
    c, memories, factors = 0.0, [], []
    for t in range(6):
        gate = held.get(t, sigmoid(12 * NOUNS[t] - 12 * CLAUSE[t] * clause - 6))
        reset = 1.0 if reset_open else sigmoid(6 - 12 * NOUNS[t])
        proposal = np.tanh(3 * NUMBERS[t] + feedback * reset * c)
        factors.append(1 - gate + gate * (1 - proposal**2) * feedback * reset)
        c = gate * proposal + (1 - gate) * c
        memories.append(c)
    return memories, [float(np.prod(factors[t + 1 :])) for t in range(6)]


@pytest.mark.parametrize("clause", [True, False])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("hold", [FREE, Hold((4,), 1.0), Hold((1,), 0.3), Hold(EVERY, 0.5), Hold((3,), 0.0)])
def test_the_unit_reads_as_on_paper(hold: Hold, kind: str, clause: bool) -> None:
    found = read(hold, clause=clause, kind=kind)
    feedback = 0.0 if kind == "simplified" else 2.0
    memory, back = loop(dict.fromkeys(hold.words, hold.value), clause=clause, feedback=feedback, reset_open="open" in kind)
    assert found.memory == pytest.approx(memory, abs=1e-12)
    assert found.back == pytest.approx(back, abs=1e-12)
    assert found.were == pytest.approx([sigmoid(4 * c) for c in memory], abs=1e-12)
    assert found.new * found.proposal + found.kept == pytest.approx(memory, abs=1e-12)


def test_numbers_of_the_story() -> None:
    said = {"open": 0.9975, "shut": 0.0025, "cats": 0.9926, "end": 0.9877, "dog": -0.9951, "felt": 0.9975, "felt_half": 0.0625}
    for name, value in said.items():
        assert FACTS[name] == pytest.approx(value, abs=5.1e-5), name
    said = {"were": 0.981, "dog_were": 0.018, "half": -0.218, "half_were": 0.295, "unmarked": 0.019, "flips": 0.499, "even": -0.001}
    for name, value in said.items():
        assert FACTS[name] == pytest.approx(value, abs=5.1e-4), name
    assert FACTS["even_were"] == pytest.approx(0.499, abs=5e-4)
    assert loop({4: FACTS["flips"]})[0][-1] == pytest.approx(0, abs=1e-12)
    assert (FACTS["tainted"], FACTS["clean"]) == (pytest.approx(-0.768, abs=5e-4), pytest.approx(-0.995, abs=5e-4))
    assert FACTS["cut_were"] == pytest.approx(sigmoid(4 * loop({3: 1.0})[0][-1]))


def test_how_long_a_sigmoid_keeps() -> None:
    lives = [np.log(0.5) / np.log(1 - sigmoid(pre)) for pre in (-2, -4, -6)]
    assert [FACTS["life_2"], FACTS["life_4"], FACTS["life_6"]] == pytest.approx(lives)
    assert lives == pytest.approx([5.46, 38.2, 280], rel=1e-3)
    share = 1 - 0.5 ** (1 / 100)
    assert FACTS["for_100"] == pytest.approx(np.log(share / (1 - share)), abs=1e-6)
    assert FACTS["for_100"] == pytest.approx(-4.97, abs=5e-3)
    assert FACTS["zero_20"] == pytest.approx(2.0**-20)
    assert gate_that_keeps(kept_over(-1.5, 3), 3) == pytest.approx(-1.5, abs=1e-6)


def test_where_the_reset_gate_acts() -> None:
    matrix, h, r = np.array([[1, 2], [3, 4]]), np.array([1, 1]), np.array([1, 0])
    assert [FACTS["before_1"], FACTS["before_2"]] == pytest.approx(matrix @ (r * h))
    assert [FACTS["after_1"], FACTS["after_2"]] == pytest.approx(r * (matrix @ h))
    assert [FACTS["before_2"], FACTS["after_1"]] == [pytest.approx(3), pytest.approx(3)]
    assert FACTS["pytorch"] == pytest.approx(0.1)


def test_a_held_gate_moves_its_own_column_and_later_ones() -> None:
    free = Microscope().draw().frame
    for at, name in ((4, "5 dog"), (1, "2 cats")):
        held = Microscope(clamp=name, value=0.35).draw().frame
        assert held[:at].equals(free[:at])
        assert held["update gate"][at] == pytest.approx(0.35)
        assert (held["memory"] != free["memory"])[at:].all()
        assert held["update gate"].drop(at).equals(free["update gate"].drop(at))


def test_pictures_say_what_they_show() -> None:
    assert Microscope(clamp="5 dog", value=1.0).draw().title.startswith("After “chased” the memory is −0.995")
    assert "comes later" in Microscope(step=2, clamp="5 dog").draw().title
    assert len(Microscope(step=2).draw().frame) == 2
    cut = Felt(clamp="5 dog", value=1.0).draw()
    assert cut.frame["felt"].tolist() == [0, 0, 0, 0, pytest.approx(1), 1]
    assert "feels 0 of" in cut.title
    line = next(mark for mark in cut.panels[0].marks if isinstance(mark, Line) and mark.name == "as set")
    assert line.y[0] == -np.inf

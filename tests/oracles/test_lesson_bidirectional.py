"""The numbers of the lesson on bidirectional networks: powers of w, plain loops and finite differences."""

import numpy as np
import pytest

from gradviz.lessons import LESSONS, facts_of
from gradviz.lessons._bidirectional import BEARS, INPUT, ROOSEVELT, SENTENCES, SPEAKS, Arriving, Influence, influence, on_final

FACTS = facts_of(LESSONS["bidirectional"])


def states(inputs: list[float], w: float, bias: float = 0.0) -> list[float]:
    """tanh(w h + x + b), one after the other."""
    h, found = 0.0, []
    for x in inputs:
        h = float(np.tanh(w * h + x + bias))
        found.append(h)
    return found


def both(inputs: list[float], w: float) -> np.ndarray:
    return np.array(states(inputs, w)) + np.array(states(inputs[::-1], w)[::-1])


def test_influences_without_tanh_are_powers() -> None:
    t, s = np.indices((8, 8))
    forward = np.where(s <= t, 0.9 ** np.abs(t - s), 0)
    assert influence("forward", 0.9, 8) == pytest.approx(forward)
    assert influence("backward", 0.9, 8) == pytest.approx(forward.T)
    assert influence("both", 0.9, 8) == pytest.approx(forward + forward.T)
    assert (FACTS["one_way"], FACTS["both_ways"]) == (36, 64)


def test_influences_with_tanh_are_finite_differences() -> None:
    step = 1e-6
    for s in range(5):
        moved = [[INPUT + sign * step * (at == s) for at in range(5)] for sign in (1, -1)]
        slope = (both(moved[0], 0.8) - both(moved[1], 0.8)) / (2 * step)
        assert influence("both", 0.8, 5, "tanh")[:, s] == pytest.approx(slope, abs=1e-8)


def test_final_states() -> None:
    s = np.arange(1, 22)
    assert on_final("both", 0.9, 21) == pytest.approx(0.9 ** (21 - s) + 0.9 ** (s - 1))
    assert on_final("forward", 0.9, 21) == pytest.approx(0.9 ** (21 - s))
    assert (FACTS["edge"], FACTS["middle"]) == (pytest.approx(1.122, abs=5e-4), pytest.approx(0.697, abs=5e-4))
    assert FACTS["least"] == 11


def test_where_the_second_reader_starts() -> None:
    assert FACTS["own_end"] == pytest.approx(states([-1.0] * 3, 1.5, 0.5)[-1]) == pytest.approx(-0.941, abs=5e-4)
    assert FACTS["padding"] == pytest.approx(states([0.0] * 5 + [-1.0] * 3, 1.5, 0.5)[-1]) == pytest.approx(0.298, abs=5e-4)


def test_copying_the_next_word() -> None:
    assert FACTS["leak"] == pytest.approx(np.log1p(3 * np.exp(-10))) == pytest.approx(0.00014, abs=5e-6)
    assert FACTS["honest"] == pytest.approx(np.log(4))


def test_teddy() -> None:
    def chance(inputs: list[float], way: str) -> float:
        forward, backward = states(inputs, 0.6)[2], states(inputs[::-1], 0.6)[::-1][2]
        return float(1 / (1 + np.exp(-2 * (forward + (backward if way == "both" else 0)))))

    bears, roosevelt = ([SPEAKS[word] for word in SENTENCES[name]] for name in (BEARS, ROOSEVELT))
    assert FACTS["forward"] == pytest.approx(chance(bears, "forward")) == pytest.approx(chance(roosevelt, "forward"))
    assert (FACTS["bears"], FACTS["roosevelt"]) == (pytest.approx(chance(bears, "both")), pytest.approx(chance(roosevelt, "both")))
    assert FACTS["apart"] == 0
    assert FACTS["both_apart"] == pytest.approx(FACTS["roosevelt"] - FACTS["bears"])


@pytest.mark.parametrize("sentence", list(SENTENCES))
def test_forward_outputs_stay_while_words_arrive(sentence: str) -> None:
    whole = Arriving(sentence, 7).draw().frame
    for read in range(2, 7):
        said = Arriving(sentence, read).draw()
        assert said.frame["forward"].tolist() == whole["forward"].tolist()[:read]
        assert (said.frame["both_ways"] != whole["both_ways"][:read]).all()
        assert f"moves 0 of the {read - 1} " in said.title
        assert f", {read - 1} if read both ways" in said.title


def test_titles_count_what_they_show() -> None:
    assert "36 of 64" in Influence("forward").draw().title
    assert "64 of 64" in Influence().draw().title
    assert "word 11 weighs least, 0.697" in Influence(steps=21).draw().title
    assert "words 4 and 5 weigh least" in Influence().draw().title
    assert "all words weigh the same" in Influence(w=1.0).draw().title
    values = Influence("backward").draw().panels[0].marks[0].values
    assert np.isneginf(values[np.tril_indices(8, -1)]).all()
    assert np.isfinite(values[np.triu_indices(8)]).all()

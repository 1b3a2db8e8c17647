"""The numbers of the lesson on backpropagation through time, from powers of the weight and finite differences."""

import numpy as np
import pytest

from gradviz.dynamics.matrix import gradient_matrix
from gradviz.lessons import LESSONS, facts_of
from gradviz.lessons._backpropagation import AT, difference, flow, halves, ones
from gradviz.lessons._backpropagation_plays import Shares, Triangle

FACTS = facts_of(LESSONS["backpropagation"])
CASES = [(kind, at, w) for kind in ("linear", "tanh") for at in AT for w in (0.5, -1.3)]


def states(steps: int, w: float, kind: str, nudge: tuple[int, float] = (0, 0.0)) -> list[float]:
    """h_1 … h_T; at step nudge[0] the state is moved by nudge[1]."""
    h, found = 0.0, []
    for t in range(1, steps + 1):
        z = w * h + 1
        h = (np.tanh(z) if kind == "tanh" else z) + (nudge[1] if t == nudge[0] else 0.0)
        found.append(h)
    return found


def test_three_steps_on_paper() -> None:
    assert [FACTS[f"state_{t}"] for t in (1, 2, 3)] == [1, 1.5, 1.75]
    assert [FACTS[f"total_{t}"] for t in (1, 2, 3)] == pytest.approx([2.1875, 2.375, 1.75], rel=1e-14)
    assert [FACTS["through_1"], FACTS["through_2"]] == pytest.approx([1.1875, 0.875], rel=1e-14)
    assert [float(FACTS["share_2"]), float(FACTS["share_3"])] == [2.375 * 1, 1.75 * 1.5]
    assert FACTS["whole"] == pytest.approx(5, rel=1e-14)
    assert FACTS["difference"] == pytest.approx(5, rel=1e-9)
    assert FACTS["largest"] == 2
    assert FACTS["direct_only"] == pytest.approx(1.5 * 1 + 1.75 * 1.5, rel=1e-14)
    assert FACTS["left"] == pytest.approx(82.5)


def test_late_steps_hold_most() -> None:
    h = np.array([0.0, *states(50, 0.9, "linear")])
    terms = np.array([0.9 ** (50 - k) * h[k - 1] for k in range(1, 51)])
    for last, told in ((1, 10.3), (5, 42.1), (10, 66.8), (20, 89.7)):
        assert FACTS[f"late_{last}"] == pytest.approx(100 * terms[-last:].sum() / terms.sum())
        assert FACTS[f"late_{last}"] == pytest.approx(told, abs=0.05)


@pytest.mark.parametrize(("kind", "at", "w"), CASES)
def test_each_cell_is_the_slope_of_a_loss(kind: str, at: str, w: float) -> None:
    it = flow(4, w, kind, at)
    for k in range(1, 5):
        above, below = (np.square(states(4, w, kind, (k, nudge))) / 2 for nudge in (1e-6, -1e-6))
        slopes = (above - below) / 2e-6
        if at == "at the end":
            slopes[:-1] = 0
        assert it.matrix[:, k - 1] == pytest.approx(slopes, abs=1e-8)
    norms = gradient_matrix(halves(w, kind, at), ones(4, at)).norms
    assert np.abs(it.matrix[-len(norms) :]) == pytest.approx(norms, rel=1e-12)


@pytest.mark.parametrize(("kind", "at", "w"), CASES)
def test_shares_sum_to_the_slope_of_the_loss(kind: str, at: str, w: float) -> None:
    losses = [np.square(states(7, w + nudge, kind)) / 2 for nudge in (1e-6, -1e-6)]
    above, below = (each.sum() if at == "at each step" else each[-1] for each in losses)
    it = flow(7, w, kind, at)
    assert it.shares.sum() == pytest.approx(it.whole, rel=1e-12)
    assert it.whole == pytest.approx((above - below) / 2e-6, rel=1e-6)
    assert difference(7, w, kind, at) == pytest.approx(it.whole, rel=1e-6)


def test_a_cut_blanks_what_crosses_it() -> None:
    free, cut = flow(5, 0.5), flow(5, 0.5, truncation=2)
    block = np.arange(5) // 2
    assert cut.matrix == pytest.approx(np.where(block[:, None] == block[None, :], free.matrix, 0))
    assert cut.whole < free.whole


def test_the_table_holds_the_matrix_and_its_sums() -> None:
    rows = Triangle().draw().panels[0].marks[0].letters[::-1]
    assert rows[1:4] == (("1", "1", "", ""), ("2", "0.75", "1.5", ""), ("3", "0.4375", "0.875", "1.75"))
    assert rows[4] == ("total", "2.1875", "2.375", "1.75")
    assert rows[5] == ("direct", "1", "1.5", "1.75")
    rows = Triangle(cut=1).draw().panels[0].marks[0].letters[::-1]
    assert rows[3] == ("3", "·", "·", "1.75")
    assert rows[4][1:] == rows[5][1:]
    assert "4.125 instead of 5" in Triangle(cut=1).draw().title
    small = flow(8, 0.5, "tanh").matrix[7, 0]
    assert Triangle(steps=8, kind="tanh").draw().panels[0].marks[0].letters[::-1][8][1] == f"{small:.0e}".replace("e-0", "e−")
    assert "minimum" in Triangle(w=-1.0, steps=2, loss="at the end").draw().title


def test_the_sum_of_the_last_steps_ends_at_the_finite_difference() -> None:
    picture = Shares().draw()
    rule, line = picture.panels[1].marks
    assert line.y[-1] == pytest.approx(rule.value, rel=1e-6)
    assert line.y[9] / line.y[-1] == pytest.approx(0.668, abs=5e-4)
    assert picture.title.startswith("The last 10 of 50 steps hold 66.8 % of dL/dw = ")
    assert Shares(steps=3, w=0.5, loss="at each step").draw().title.startswith("The last of 3 steps holds 52.5 % of dL/dw = 5;")
    assert Shares(steps=8, w=-0.5).draw().title.startswith("The 8 shares sum to")

"""The numbers of the lesson on vanishing and exploding gradients, from powers and plain loops."""

import numpy as np
import pytest

from gradviz.lessons import LESSONS, facts_of
from gradviz.lessons._vanishing import Spectrum, Weight, drawn

FACTS = facts_of(LESSONS["vanishing"])


def loop(w: float, start: float, steps: int = 50) -> float:
    """∂h_T/∂h_1 with tanh, step by step."""
    h, product = start, 1.0
    for t in range(1, steps + 1):
        h = np.tanh(w * h)
        product *= w * (1 - h**2) if t > 1 else 1.0
    return product


def test_one_weight() -> None:
    assert FACTS["linear_09"] == pytest.approx(0.9**49)
    assert FACTS["linear_11"] == pytest.approx(1.1**49)
    assert FACTS["linear_gain"] == pytest.approx(18636, abs=0.5)
    assert FACTS["half_life"] == pytest.approx(6.58, abs=0.005)
    assert (FACTS["halved"] ** 49, FACTS["doubled"] ** 49) == (pytest.approx(0.5), pytest.approx(2))


def test_with_tanh_the_larger_weight_leaves_less() -> None:
    assert FACTS["tanh_09"] == pytest.approx(loop(0.9, 0.5)) == pytest.approx(0.00308, abs=5e-6)
    assert FACTS["tanh_11"] == pytest.approx(loop(1.1, 0.5)) == pytest.approx(6.74e-5, abs=5e-8)
    assert FACTS["tanh_loss"] == pytest.approx(46, abs=0.5)
    assert FACTS["factor"] == pytest.approx(0.822, abs=5e-4)


def test_matrices() -> None:
    powers = [np.linalg.norm(np.linalg.matrix_power(np.array([[0.9, 5], [0, 0.9]]), k), 2) for k in range(80)]
    assert (FACTS["peak_at"], FACTS["peak"]) == (9, pytest.approx(powers[9]))
    assert powers[54] > 1 > powers[55]
    assert FACTS["below"] == 55
    assert FACTS["eigenvalue"] == pytest.approx(3.6)
    assert FACTS["twenty"] == pytest.approx(2.1e11, rel=0.01)
    assert (FACTS["rho"], FACTS["sigma"]) == (pytest.approx(1.53, abs=0.005), pytest.approx(3.01, abs=0.005))
    assert FACTS["measured"] == pytest.approx(1.076, abs=5e-4)


def test_a_random_rotation_turns_and_does_not_stretch() -> None:
    assert drawn(1.0, "orthogonal").sigma == pytest.approx(1)
    assert np.abs(drawn(1.0, "orthogonal").eigenvalues) == pytest.approx(1)


def test_pictures_show_what_the_text_says() -> None:
    frame = Weight(w=1.1).draw().frame
    assert frame["without_tanh"].iloc[0] == pytest.approx(1.1**49)
    assert frame["with_tanh"].iloc[[0, -1]].tolist() == [pytest.approx(loop(1.1, 0.5)), 1.0]
    level = Weight(w=1.0).draw().frame
    assert (level["without_tanh"] == 1).all()
    assert (np.diff(level["with_tanh"]) > 0).all()
    measured = next(mark for mark in Spectrum(weights="late").draw().panels[1].marks if mark.name == "measured")
    assert 10 ** measured.y[9] == pytest.approx(FACTS["peak"])

"""The numbers of the lesson on notation and lengths, from loops over cells."""

import numpy as np
import pytest

from gradviz.lessons import LESSONS, facts_of
from gradviz.lessons._notation import Cells, read

FACTS = facts_of(LESSONS["notation"])


def states(length: int, steps: int) -> list[float]:
    """tanh(0.5 h + x) with x = 1 up to `length`, then 0."""
    h, found = 0.0, []
    for t in range(1, steps + 1):
        h = np.tanh(0.5 * h + (1.0 if t <= length else 0.0))
        found.append(h)
    return found


def loss(inputs: np.ndarray, targets: np.ndarray, mask: np.ndarray) -> float:
    """Mean of (h − target)² where the mask is 1; arrays (time, example)."""
    total, h = 0.0, np.zeros(inputs.shape[1])
    for x, y, m in zip(inputs, targets, mask, strict=True):
        h = np.tanh(0.5 * h + x)
        total += (m * (h - y) ** 2).sum()
    return total / mask.sum()


def test_cells_are_counted() -> None:
    assert (FACTS["cells"], FACTS["padding"], FACTS["real"]) == (3 * 8, 3 + 5, 5 + 3 + 8)
    assert FACTS["place"] == (2, 1)


def test_last_state() -> None:
    assert FACTS["at_length"] == pytest.approx(states(3, 8)[2], rel=1e-14)
    assert FACTS["at_length"] == pytest.approx(0.8938, abs=5e-5)
    assert FACTS["at_end"] == pytest.approx(states(3, 8)[7], rel=1e-14)
    assert FACTS["at_end"] == pytest.approx(0.0257, abs=5e-5)


def test_padding_that_is_free_flatters() -> None:
    assert FACTS["nats"] == pytest.approx(np.log(10))
    assert FACTS["loss"] == pytest.approx(16 * np.log(10) / 24)
    assert FACTS["loss"] == pytest.approx(1.5351, abs=5e-5)
    assert FACTS["perplexity"] == pytest.approx(4.64, abs=5e-3)
    assert FACTS["masked"] == pytest.approx(10)


@pytest.mark.parametrize("masked", [True, False])
def test_gradients_of_cells_are_slopes_of_the_loss(masked: bool) -> None:
    it = read((5, 3, 8), masked)
    x = it.mask.astype(float)
    counted = x if masked else np.ones_like(x)
    for at in np.ndindex(*x.shape):
        above, below = x.copy(), x.copy()
        above[at] += 1e-6
        below[at] -= 1e-6
        slope = (loss(above, x, counted) - loss(below, x, counted)) / 2e-6
        assert it.gradient[at] == pytest.approx(slope, abs=1e-9)
    assert (it.gradient[~it.mask] == 0).all() == masked
    assert (it.gradient[it.mask] != 0).all()


def test_the_table_shows_each_cell_at_its_place() -> None:
    picture = Cells(mask=False).draw()
    rows = picture.panels[0].marks[0].letters[::-1]
    assert rows[3] == ("2", "1", "1", "1", "1", "//", "//", "//", "//", "//")
    assert "x[2, 1]" in picture.panels[0].marks[0].hover[::-1][3][4]
    gradient = picture.frame.query("example == 2 and step == 8")["gradient"].item()
    assert rows[7][9] == f"{np.log10(abs(gradient)):.0f}".replace("-", "−")
    assert Cells().draw().panels[0].marks[0].letters[::-1][7][5:] == ("0",) * 5


def test_where_the_last_state_is_read() -> None:
    own, end = (Cells(last=last).draw().panels[1].marks[-1] for last in ("own length", "end of array"))
    assert own.x.tolist() == [5, 3, 8]
    assert end.x.tolist() == [8, 8, 8]
    assert own.y == pytest.approx([states(n, 8)[n - 1] for n in (5, 3, 8)])
    assert end.y == pytest.approx([states(n, 8)[-1] for n in (5, 3, 8)])

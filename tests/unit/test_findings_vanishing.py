"""The rule for vanishing gradients on profiles whose reach is known: w to the power of the lag."""

import math
from pathlib import Path

import numpy as np
import pytest

from gradviz.findings import FINDINGS, Verdict
from gradviz.frames import Run
from tests.finding_runs import Writer, power


def check(run: Run) -> Verdict:
    return FINDINGS["vanishing"]().check(run)


def one(tmp_path: Path, weight: float, *, lag: int | None = None, length: int = 100) -> Verdict:
    return check(Writer(tmp_path / "run", lag=lag).reach({0: power(0.9, length), 100: power(weight, length)}).run())


def weight_arriving(share: float, lag: int) -> float:
    """The weight of which `share` is left at `lag`."""
    return share ** (1 / lag)


@pytest.mark.parametrize(
    ("share", "severity", "word"),
    [
        (1.0, "good", "reaches back"),
        (0.011, "good", "reaches back"),
        (0.009, "good", "not vanished"),
        (1.1e-3, "good", "not vanished"),
        (0.9e-3, "critical", "vanishing"),
        (1e-30, "critical", "vanishing"),
    ],
)
def test_what_arrives_at_the_lag_of_the_task_decides(tmp_path: Path, share: float, severity: str, word: str) -> None:
    verdict = one(tmp_path, weight_arriving(share, 75), lag=75, length=150)
    assert (verdict.severity, verdict.word) == (severity, word)
    assert verdict.numbers["log10_at_lag"] == pytest.approx(math.log10(share), abs=1e-9)


def test_numbers_are_those_of_the_profile(tmp_path: Path) -> None:
    verdict = one(tmp_path, 0.5, lag=75)
    assert verdict.code == "vanishing"
    numbers = verdict.numbers
    assert (numbers["decay_start"], numbers["decay_end"]) == pytest.approx((0.9, 0.5))
    assert (numbers["half_life_start"], numbers["half_life_end"]) == pytest.approx((math.log(0.5) / math.log(0.9), 1.0))
    assert (numbers["horizon_start"], numbers["horizon_end"]) == (44, 7)
    early, whole = sum(0.5**lag for lag in range(90, 100)), sum(0.5**lag for lag in range(100))
    assert numbers["log10_share_of_first_tenth_end"] == pytest.approx(math.log10(early / whole))
    assert list(verdict.rows["step"]) == [0, 100]
    assert list(verdict.rows["horizon"]) == [44, 7]
    assert "×0.50" in verdict.summary
    assert "75 steps back" in verdict.summary


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (0.92, 0.94, "×0.93 (0.92–0.94) per step back, half-life 9.6\u202fsteps (8.3–11)"),
        (0.9299, 0.9301, "×0.93 (0.9299–0.9301) per step back, half-life 9.6\u202fsteps (9.5–9.6):"),
        (0.95, 0.97, "×0.93 (sequence by sequence 0.95–0.97) per step back, half-life 9.6\u202fsteps:"),
        (0.90, 1.02, "×0.93 (0.90–1.02) per step back, half-life 9.6\u202fsteps (6.6–∞)"),
        (math.nan, math.nan, "×0.93 per step back, half-life 9.6\u202fsteps:"),
    ],
)
@pytest.mark.parametrize("lag", [None, 75])
def test_it_says_how_sure_the_pace_is(tmp_path: Path, low: float, high: float, said: str, lag: int | None) -> None:
    writer = Writer(tmp_path / "run", lag=lag)
    writer.interval = (low, high, 8.0)
    verdict = check(writer.reach({0: power(0.93), 100: power(0.93)}).run())
    assert verdict.summary.startswith(said)
    ends = (verdict.numbers["decay_low_end"], verdict.numbers["decay_high_end"])
    assert ends == pytest.approx((low, high), nan_ok=True)
    assert verdict.rows["decay_low"].tolist() == pytest.approx([low] * 2, nan_ok=True)
    if low == 0.92:
        assert verdict.numbers["half_life_low_end"] == pytest.approx(math.log(0.5) / math.log(0.92))


def test_a_pace_that_may_not_fade_has_a_half_life_of_at_least(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "run")
    writer.interval = (0.99, 1.01, 8.0)
    assert "no half-life (at least 69\u202fsteps)" in check(writer.reach({0: power(1.0), 9: power(1.0)}).run()).summary


def test_too_short_a_profile_is_not_enough_data(tmp_path: Path) -> None:
    verdict = check(Writer(tmp_path / "run", lag=3).reach({0: power(0.9, 6), 9: power(0.9, 6)}).run())
    assert (verdict.severity, verdict.word) == ("none", "no fit")
    assert verdict.summary.startswith("Not enough data: no line fits")


def test_share_of_first_tenth_survives_numbers_no_float_can_hold(tmp_path: Path) -> None:
    numbers = one(tmp_path, 1e-10, lag=75).numbers
    assert numbers["log10_share_of_first_tenth_end"] == pytest.approx(-900, abs=1e-6)


@pytest.mark.parametrize(
    ("horizon", "severity", "word"),
    [
        (2, "warning", "vanishing"),
        (3, "warning", "vanishing"),
        (4, "note", "short memory"),
        (49, "note", "short memory"),
        (50, "good", "reaches back"),
    ],
)
def test_without_a_lag_the_length_of_the_sequence_decides(tmp_path: Path, horizon: int, severity: str, word: str) -> None:
    verdict = one(tmp_path, weight_arriving(0.01, horizon) * 0.9999)
    assert verdict.numbers["horizon_end"] == horizon
    assert (verdict.severity, verdict.word) == (severity, word)


def test_a_gradient_that_is_exactly_zero_has_vanished(tmp_path: Path) -> None:
    dead = np.full(100, -np.inf)
    dead[:2] = 0.0
    verdict = check(Writer(tmp_path / "run").reach({0: power(1.1), 100: dead}).run())
    assert (verdict.severity, verdict.word) == ("critical", "vanished")
    assert verdict.numbers["decay_end"] == 0
    assert "from 2\u202fsteps back on" in verdict.summary


def test_the_cell_state_counts_where_it_reaches_further(tmp_path: Path) -> None:
    writer = (
        Writer(tmp_path / "run", "lstm", lag=75)
        .reach({0: power(0.5), 100: power(0.5)})
        .reach({0: power(0.9), 100: power(0.99)}, point="cell")
    )
    verdict = check(writer.run())
    assert verdict.word == "reaches back"
    assert verdict.numbers["decay_end"] == pytest.approx(0.99)
    assert "cell state" in verdict.summary


def test_the_hidden_state_counts_where_it_reaches_further(tmp_path: Path) -> None:
    writer = (
        Writer(tmp_path / "run", "lstm", lag=75)
        .reach({0: power(0.5), 100: power(0.99)})
        .reach({0: power(0.9), 100: power(0.5)}, point="cell")
    )
    assert check(writer.run()).word == "reaches back"


def test_a_deeper_layer_counts_as_well(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "run", lag=75).reach({9: power(0.2)}).reach({9: power(0.99)}, layer=1)
    assert "layer 1" in check(writer.run()).summary


def test_says_nothing_of_an_untrained_network(tmp_path: Path) -> None:
    assert check(Writer(tmp_path / "run", lag=75).reach({0: power(0.1)}).run()).severity == "none"


def test_not_fading_is_no_memory_in_a_network_that_exploded(tmp_path: Path) -> None:
    assert check(Writer(tmp_path / "run").reach({0: power(1.14), 100: power(1.0)}).run()).severity == "none"
    assert check(Writer(tmp_path / "again", lag=75).reach({0: power(0.9), 100: power(1.14)}).run()).severity == "none"


@pytest.mark.parametrize("profile", [np.full(100, np.nan), np.full(100, -np.inf), np.zeros(4), np.zeros(0), np.full(100, np.inf)])
def test_says_why_a_profile_has_no_answer(tmp_path: Path, profile: np.ndarray) -> None:
    verdict = check(Writer(tmp_path / "run", lag=75).reach({0: power(0.9), 100: profile}).run())
    assert verdict.severity == "none"
    assert verdict.summary


def test_a_lag_beyond_the_recorded_sequence_is_read_at_its_end(tmp_path: Path) -> None:
    assert one(tmp_path, 0.5, lag=1000).numbers["lag"] == 99


def test_of_equal_horizons_the_one_with_more_left_counts(tmp_path: Path) -> None:
    for name, hidden, cell in (("hidden", 0.995, 0.99), ("cell", 0.99, 0.995), ("cell", 0.99, 0.99)):
        writer = Writer(tmp_path / f"{hidden}{cell}", "lstm").reach({9: power(hidden)}).reach({9: power(cell)}, point="cell")
        assert f"{name} state" in check(writer.run()).summary


def test_a_horizon_as_long_as_the_lag_suffices(tmp_path: Path) -> None:
    weight = weight_arriving(0.01, 75) * 0.9999
    assert one(tmp_path, weight, lag=75).numbers["horizon_end"] == 75
    assert check(Writer(tmp_path / "again", lag=75).reach({9: power(weight)}).run()).severity == "good"
    assert check(Writer(tmp_path / "further", lag=76).reach({9: power(weight)}).run()).word == "not vanished"

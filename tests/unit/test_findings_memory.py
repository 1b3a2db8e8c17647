"""Memory against the task's lag, dead units, stuck units, and where an explosion begins."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradviz.findings import FINDINGS, Verdict
from gradviz.findings._summary import headline
from tests.finding_runs import Writer, power

RELU = {"model": {"cell": {"name": "rnn", "activation": "relu"}}, "training": {"batch": 32}}


def said(rule: str, writer: Writer) -> Verdict:
    return FINDINGS[rule]().check(writer.run())


@pytest.mark.parametrize(
    ("share", "severity", "word"),
    [(0.011, "good", "long enough"), (0.009, "warning", "too short"), (1.1e-3, "warning", "too short"), (0.9e-3, "note", "too short")],
)
def test_memory_against_the_lag(tmp_path: Path, share: float, severity: str, word: str) -> None:
    writer = Writer(tmp_path / "run", lag=75).reach({0: power(0.9, 150), 100: power(share ** (1 / 75), 150)})
    verdict = said("short_memory", writer)
    assert (verdict.severity, verdict.word) == (severity, word)
    assert verdict.numbers["log10_at_lag"] == pytest.approx(np.log10(share))
    assert "75\u202fsteps" in verdict.summary


def test_both_numbers_are_said(tmp_path: Path) -> None:
    verdict = said("short_memory", Writer(tmp_path / "run", lag=8).reach({9: power(0.5)}))
    assert (verdict.numbers["horizon"], verdict.numbers["lag"], verdict.severity) == (7, 8, "warning")
    assert "reaches 7\u202fsteps back" in verdict.summary
    assert "needs 8\u202fsteps" in verdict.summary
    assert said("short_memory", Writer(tmp_path / "as long", lag=7).reach({9: power(0.5)})).severity == "good"


def test_a_gradient_that_falls_and_rises_again_gets_there(tmp_path: Path) -> None:
    profile = np.r_[0.0, np.full(20, -2.5), np.full(79, -0.5)]
    writer = Writer(tmp_path / "run", lag=75).reach({9: profile})
    run = writer.run()
    assert (FINDINGS["short_memory"]().check(run).word, FINDINGS["vanishing"]().check(run).severity) == ("dips", "good")


def test_no_verdict_on_memory_without_a_lag_or_a_profile(tmp_path: Path) -> None:
    words = {
        "no lag": Writer(tmp_path / "a").reach({9: power(0.5)}),
        "no data": Writer(tmp_path / "b", lag=75),
        "untrained": Writer(tmp_path / "c", lag=75).reach({0: power(0.5)}),
        "grows": Writer(tmp_path / "d", lag=75).reach({9: power(1.2)}),
        "no horizon": Writer(tmp_path / "e", lag=75).reach({9: np.full(100, np.nan)}),
    }
    for word, writer in words.items():
        assert (said("short_memory", writer).severity, FINDINGS["short_memory"]().check(writer.run()).word) == ("none", word)


def test_lags_that_no_sequence_reaches_are_read_at_the_last_that_one_does(tmp_path: Path) -> None:
    run = Writer(tmp_path / "run", lag=75).reach({9: np.r_[power(0.5, 40), np.full(60, np.nan)]}).run()
    for rule in ("vanishing", "short_memory"):
        assert FINDINGS[rule]().check(run).numbers["lag"] == 39
        assert FINDINGS[rule]().check(run).numbers["log10_at_lag"] == pytest.approx(39 * np.log10(0.5))


@given(st.lists(st.floats(-8, 0.5), min_size=9, max_size=60), st.integers(1, 80))
@settings(max_examples=60, deadline=None)
def test_vanishing_and_short_memory_never_contradict(tmp_path_factory: pytest.TempPathFactory, tail: list[float], lag: int) -> None:
    run = Writer(tmp_path_factory.mktemp("h") / "run", lag=lag).reach({9: np.r_[0.0, tail]}).run()
    far, memory = (FINDINGS[rule]().check(run) for rule in ("vanishing", "short_memory"))
    pairs = {
        ("critical", "vanishing"): {("note", "too short")},
        ("good", "reaches back"): {("good", "long enough")},
        ("good", "not vanished"): {("warning", "too short"), ("note", "dips")},
    }
    assert (memory.severity, memory.word) in pairs.get((far.severity, far.word), {("none", "grows")})
    if memory.severity == "warning":
        assert headline(run).code == "short_memory"


def units(folder: Path, dead: int, *, loss: float = 9.0, activation: str = "relu") -> Verdict:
    """100 relu units, some of which never fire; at the first recorded step all of them were dead."""
    cell = {"name": "rnn", "activation": activation}
    writer = Writer(folder, experiment={**RELU, "model": {"cell": cell}}, baselines={"constant": 2.2}).steps([1.0] * 30, loss=loss)
    share = [0.0] * 100
    writer.saturation("hidden", share, share, 0, mean=share)
    for step in range(60, 100, 10):  # in most batches one more is silent, but not in all
        writer.saturation("hidden", share, share, step, mean=[0.0] * min(dead + 1, 100) + [1e-30] * (99 - dead))
    return said("dead_units", writer.saturation("hidden", share, share, mean=[0.0] * dead + [1e-30] * (100 - dead)).held_out(loss))


@pytest.mark.parametrize(
    ("dead", "loss", "severity"),
    [(0, 9.0, "good"), (24, 9.0, "good"), (25, 9.0, "warning"), (25, 1.0, "note"), (89, 9.0, "warning"), (90, 1.0, "critical")],
)
def test_dead_units_at_their_thresholds(tmp_path: Path, dead: int, loss: float, severity: str) -> None:
    verdict = units(tmp_path / "run", dead, loss=loss)
    assert verdict.severity == severity
    assert verdict.numbers == {"dead 0 forward": dead / 100, "step": 100, "sequences": 160}
    assert f"{dead} of 100 units" in verdict.summary
    assert verdict.rows["which"].tolist() == [list(range(dead))]


def test_only_relu_can_die(tmp_path: Path) -> None:
    assert units(tmp_path / "tanh", 100, activation="tanh").word == "no relu"
    assert said("dead_units", Writer(tmp_path / "none", experiment=RELU)).word == "no data"
    bad = Writer(tmp_path / "nan", experiment=RELU).saturation("hidden", [0.0], [0.0], mean=[np.nan])
    assert said("dead_units", bad).word == "no data"


def test_stuck_units_are_counted_and_the_worst_is_named(tmp_path: Path) -> None:
    left, right = [0.0, 0.5, 0.2, 0.9], [0.95, 0.0, 0.8, 0.04]
    verdict = said("saturated_gates", Writer(tmp_path / "run", "gru").saturation("gate.reset", left, right))
    assert verdict.numbers["stuck units gate.reset 0 forward"] == 0.5
    assert "2 of its 4 units are there at least 95\u202f% of the time, most of all unit 2 (100\u202f%)" in verdict.summary


def test_a_side_that_holds_memory_makes_no_unit_stuck(tmp_path: Path) -> None:
    verdict = said("saturated_gates", Writer(tmp_path / "run", "lstm").saturation("gate.forget", [0.0, 0.99], [1.0, 0.0]))
    assert verdict.numbers["stuck units gate.forget 0 forward"] == 0.5
    assert "most of all unit 1" in verdict.summary


def test_an_explosion_says_where_it_begins(tmp_path: Path) -> None:
    """The gradient fades for 20 steps back, grows for 60, and stays."""
    profile = np.r_[np.linspace(0, -2, 21), np.linspace(-2, 10, 61)[1:], np.full(19, 9.9)]
    verdict = said("exploding", Writer(tmp_path / "run").steps([1.0] * 30).reach({0: power(0.9), 16: profile, 32: profile}))
    assert (verdict.numbers["first_step"], verdict.severity) == (16, "critical")
    assert (verdict.numbers["grows_from_lag"], verdict.numbers["largest_at_lag"]) == (20, 80)
    assert "from lag 20 and is largest at lag 80" in verdict.summary
    assert "explodes from step 16 on" in verdict.summary

"""Over-clipping, saturation, numbers that are none: each rule at its thresholds, and silent where all is well."""

from pathlib import Path

import numpy as np
import pytest

from gradviz.findings import FINDINGS, Verdict
from gradviz.frames import Run
from tests.finding_runs import Writer

RNG = np.random.default_rng(0)


def check(rule: str, run: Run) -> Verdict:
    return FINDINGS[rule]().check(run)


def clipping(folder: Path, often: float, much: float) -> Verdict:
    """200 steps at threshold 0.5; of the later hundred a share `often` is `much` times as long, the rest is short."""
    late = np.where(np.arange(100) < 100 * often, 0.5 * much, 0.25)
    norms = np.r_[np.full(100, 1e5), late]
    return check("over_clipped", Writer(folder, clipping="norm").steps(norms, np.minimum(norms, 0.5)).run())


@pytest.mark.parametrize(
    ("often", "much", "severity"),
    [
        (0.0, 1.0, "good"),
        (0.82, 1.3, "good"),  # the demo's clipped RNN
        (1.0, 2.9, "good"),
        (0.79, 100.0, "good"),
        (0.8, 3.0, "warning"),
        (0.94, 100.0, "warning"),
        (1.0, 9.9, "warning"),
        (0.95, 10.0, "critical"),
        (1.0, 1e6, "critical"),
    ],
)
def test_over_clipped_at_its_thresholds(tmp_path: Path, often: float, much: float, severity: str) -> None:
    verdict = clipping(tmp_path / "run", often, much)
    assert verdict.severity == severity
    assert verdict.numbers["share_clipped"] == pytest.approx(often)
    assert verdict.numbers["share_clipped_all"] == pytest.approx((1 + often) / 2)
    assert verdict.numbers["median_cut"] == pytest.approx(much if often > 0.5 else 1.0)


def test_over_clipped_leaves_out_what_has_no_length(tmp_path: Path) -> None:
    norms = np.r_[np.ones(50), np.full(40, 50.0), [np.nan, np.inf, 0.0], np.full(7, 50.0)]
    after = np.where(norms > 1, 1.0, norms)
    verdict = check("over_clipped", Writer(tmp_path / "run", clipping="norm").steps(norms, after).run())
    assert verdict.numbers["median_cut"] == 50
    assert verdict.numbers["left_out"] == 3


def test_over_clipped_needs_clipping_and_steps(tmp_path: Path) -> None:
    assert check("over_clipped", Writer(tmp_path / "none").steps(np.ones(100)).run()).word == "no clipping"
    few = check("over_clipped", Writer(tmp_path / "few", clipping="norm").steps(np.ones(30), np.full(30, 0.01)).run())
    assert few.severity == "none"
    dead = check("over_clipped", Writer(tmp_path / "dead", clipping="norm").steps(np.full(100, np.nan)).run())
    assert dead.severity == "none"


def saturated(folder: Path, point: str, left: float, right: float, *, family: str = "gru", loss: float = 9.0) -> Verdict:
    writer = Writer(folder, family, baselines={"letter pairs": 2.2}).steps(np.ones(30), loss=loss)
    noise = RNG.permutation([-1.0, 1.0] * 8) * min(left, right, 1 - left, 1 - right)
    return check(
        "saturated_gates", writer.saturation(point, [0.5] * 16, [0.5] * 16, step=0).saturation(point, left + noise, right + noise).run()
    )


@pytest.mark.parametrize(
    ("point", "left", "right", "family", "severity"),
    [
        ("hidden", 0.3, 0.3, "rnn", "good"),
        ("hidden", 0.47, 0.47, "rnn", "good"),
        ("hidden", 0.48, 0.48, "rnn", "critical"),
        ("gate.reset", 0.2, 0.76, "gru", "warning"),
        ("gate.reset", 0.2, 0.74, "gru", "good"),
        ("gate.output", 1.0, 0.0, "lstm", "warning"),
        ("candidate", 0.5, 0.5, "lstm", "warning"),
    ],
)
def test_saturation_at_its_thresholds(tmp_path: Path, point: str, left: float, right: float, family: str, severity: str) -> None:
    verdict = saturated(tmp_path / "run", point, left, right, family=family)
    assert verdict.severity == severity
    assert verdict.numbers[f"left {point} 0 forward"] == pytest.approx(left)
    assert verdict.numbers[f"right {point} 0 forward"] == pytest.approx(right)


def test_switches_of_a_network_that_learned_are_no_fault(tmp_path: Path) -> None:
    verdict = saturated(tmp_path / "run", "gate.reset", 0.5, 0.5, loss=1.0)
    assert (verdict.severity, verdict.word) == ("note", "switches")


@pytest.mark.parametrize(("point", "left", "right"), [("gate.forget", 0.0, 1.0), ("gate.update", 0.0, 1.0), ("gate.input", 1.0, 0.0)])
def test_gates_that_hold_memory_are_no_fault(tmp_path: Path, point: str, left: float, right: float) -> None:
    """Chrono initialisation opens forget gates and shuts input gates, before anything is learned."""
    assert saturated(tmp_path / "held", point, left, right).severity == "good"
    assert saturated(tmp_path / "stuck", point, right, left).severity == "warning"


def test_states_that_no_tanh_bounds_are_not_judged(tmp_path: Path) -> None:
    relu = {"model": {"cell": {"name": "rnn", "activation": "relu"}}}
    run = Writer(tmp_path / "relu", "rnn", experiment=relu).saturation("hidden", [0.0] * 4, [1.0] * 4).run()
    assert check("saturated_gates", run).severity == "none"
    assert saturated(tmp_path / "gru", "hidden", 0.5, 0.5).severity == "none"


def test_non_finite_names_the_first(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "run").steps([1.0] * 5 + [np.nan] * 3, loss=[1.0] * 5 + [np.nan] * 3)
    writer.trouble(step=6).trouble(gradient=True, time=90).trouble(time=31, layer=1, example=3, unit=4).trouble(time=40)
    verdict = check("non_finite", writer.run())
    assert (verdict.severity, verdict.word) == ("critical", "NaN")
    expected = {"step": 5.0, "layer": 1.0, "time": 31.0, "example": 3.0, "unit": 4.0, "steps_not_finite": 3.0}
    assert verdict.numbers == expected
    assert "forward pass" in verdict.summary
    assert list(verdict.rows["time"]) == [31, 40, 90, 7]


def test_non_finite_in_a_backward_pass_begins_at_the_latest_step(tmp_path: Path) -> None:
    verdict = check(
        "non_finite", Writer(tmp_path / "run").trouble(gradient=True, time=3).trouble(gradient=True, time=8, value="-inf").run()
    )
    assert verdict.word == "−∞"
    assert "backward pass, the gradient of the hidden state of layer 0" in verdict.summary
    assert "time step 8" in verdict.summary


def test_non_finite_loss_before_any_recorded_state(tmp_path: Path) -> None:
    verdict = check("non_finite", Writer(tmp_path / "run").steps([1.0] * 3, loss=[1.0, np.inf, 1.0]).trouble(step=2).run())
    assert (verdict.severity, verdict.word, verdict.numbers["step"]) == ("critical", "∞", 1)
    norm = check("non_finite", Writer(tmp_path / "norm").steps([1.0, np.nan, 1.0]).run())
    assert "gradient norm is NaN" in norm.summary


def test_non_finite_is_silent_on_extremes_that_are_numbers(tmp_path: Path) -> None:
    assert check("non_finite", Writer(tmp_path / "run").steps([1e-300, 1e300, 0.0]).run()).severity == "good"

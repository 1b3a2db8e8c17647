"""The rule for exploding gradients on growth that is known, and on healthy runs, where it must hold its tongue."""

import math
from pathlib import Path

import numpy as np
import pytest

from gradviz.findings import FINDINGS, Verdict
from gradviz.frames import Run
from gradviz.wording import number
from tests.finding_runs import Writer, power

BASELINES = {"letter frequencies": 3.2, "letter pairs": 2.2}
SPIKE = np.r_[np.ones(50), 5000.0, np.ones(50)]


def check(run: Run) -> Verdict:
    return FINDINGS["exploding"]().check(run)


def exploding(folder: Path, end: float | np.ndarray, *, loss: float, clipped: bool) -> Verdict:
    """A first gradient that grows 1.14-fold per step back, and what came of it."""
    norms = np.r_[np.full(20, 1e4), np.full(80, 0.5)]
    writer = Writer(folder, clipping="norm" if clipped else "none", baselines=BASELINES)
    writer.steps(norms, np.minimum(norms, 0.5) if clipped else None, loss).held_out(loss)
    last = power(end) if isinstance(end, float) else end
    return check(writer.reach({0: power(1.14), 12: power(1.1), 24: power(0.9), 100: last}).run())


def test_clipping_led_it_out(tmp_path: Path) -> None:
    verdict = exploding(tmp_path / "run", 0.7, loss=1.7, clipped=True)
    assert (verdict.severity, verdict.word) == ("note", "tamed")
    assert verdict.numbers["growth_decades"] == pytest.approx(99 * math.log10(1.14))
    assert (verdict.numbers["first_step"], verdict.numbers["last_step"]) == (0, 12)
    assert verdict.numbers["share_shortened"] == 1
    assert verdict.numbers["largest_norm"] == 1e4
    assert list(verdict.rows["step"]) == [0, 12]


def test_taken_at_full_length_and_ruined(tmp_path: Path) -> None:
    verdict = exploding(tmp_path / "run", 0.95, loss=2.9, clipped=False)
    assert (verdict.severity, verdict.word) == ("critical", "exploded")
    assert "loss 2.9, letter pairs 2.2" in verdict.summary


def test_a_gradient_that_ended_zero_is_ruined_whatever_the_loss(tmp_path: Path) -> None:
    dead = np.r_[0.0, np.full(99, -np.inf)]
    assert exploding(tmp_path / "run", dead, loss=1.0, clipped=False).severity == "critical"
    assert exploding(tmp_path / "clip", dead, loss=1.0, clipped=True).severity == "warning"


def test_a_gradient_that_does_not_fade_is_not_over(tmp_path: Path) -> None:
    assert exploding(tmp_path / "run", 1.004, loss=1.0, clipped=False).severity == "critical"


def test_recovered_by_itself_is_a_warning(tmp_path: Path) -> None:
    assert exploding(tmp_path / "run", 0.9, loss=1.7, clipped=False).severity == "warning"


def test_clipped_but_nothing_learned_is_no_success(tmp_path: Path) -> None:
    assert exploding(tmp_path / "run", 0.9, loss=2.9, clipped=True).severity == "warning"


@pytest.mark.parametrize("clipped", [True, False])
def test_still_exploding_at_the_end_is_critical(tmp_path: Path, clipped: bool) -> None:
    verdict = exploding(tmp_path / "run", 1.1, loss=1.0, clipped=clipped)
    assert (verdict.severity, verdict.word) == ("critical", "explodes")


@pytest.mark.parametrize(
    ("weight", "severity"), [(0.5, "good"), (1.0, "good"), (1.025, "good"), (100 ** (0.99 / 99), "good"), (100 ** (1.01 / 99), "critical")]
)
def test_growth_below_hundredfold_is_healthy(tmp_path: Path, weight: float, severity: str) -> None:
    """1.025 per step is a tanh RNN at gain 1.5, which learns as well without clipping as with it."""
    verdict = check(Writer(tmp_path / "run").steps(np.ones(100)).reach({0: power(weight), 100: power(weight)}).run())
    assert verdict.severity == severity


def test_a_bump_in_a_fading_profile_is_no_explosion(tmp_path: Path) -> None:
    bump = power(0.8)
    bump[1:4] += 3.0
    assert check(Writer(tmp_path / "run").steps(np.ones(50)).reach({0: bump, 50: bump}).run()).severity == "good"


def test_growth_beyond_floats_is_said_in_decades(tmp_path: Path) -> None:
    verdict = check(Writer(tmp_path / "run").steps(np.ones(9)).reach({0: power(1e10), 9: power(1e10)}).run())
    assert verdict.numbers["growth_decades"] == pytest.approx(990)
    assert "10⁹⁹⁰" in verdict.summary


@pytest.mark.parametrize(
    ("kept", "end", "severity", "word"),
    [(5000.0, 2.0, "critical", "exploded"), (5000.0, 0.5, "warning", "spikes"), (1.0, 0.5, "note", "tamed")],
)
def test_a_spike(tmp_path: Path, kept: float, end: float, severity: str, word: str) -> None:
    after = SPIKE.copy()
    after[50] = kept
    verdict = check(Writer(tmp_path / "run").steps(SPIKE, after, np.r_[np.full(51, 1.0), np.full(50, end)]).reach({0: power(0.9)}).run())
    assert (verdict.severity, verdict.word) == (severity, word)
    assert verdict.numbers["step"] == 50
    assert verdict.numbers["loss_before"] == 1.0


def test_ordinary_noise_is_no_spike(tmp_path: Path) -> None:
    norms = np.exp(np.random.default_rng(0).normal(0, 1.5, 400))
    assert check(Writer(tmp_path / "run").steps(norms).reach({0: power(0.9)}).run()).severity == "good"


def test_a_network_that_learns_from_large_first_gradients_is_healthy(tmp_path: Path) -> None:
    norms = np.r_[np.full(5, 1e4), np.full(200, 0.1)]
    assert check(Writer(tmp_path / "run").steps(norms).reach({0: power(0.9)}).run()).severity == "good"


def test_overflow(tmp_path: Path) -> None:
    verdict = check(Writer(tmp_path / "run").steps([1.0, 1e20, np.inf, np.nan]).run())
    assert (verdict.severity, verdict.word, verdict.numbers["step"]) == ("critical", "exploded", 2)
    assert "∞" in verdict.summary


def test_nan_without_growth_is_left_to_another_rule(tmp_path: Path) -> None:
    assert check(Writer(tmp_path / "run").steps([1.0, 1.0, np.nan]).reach({0: power(0.9)}).run()).severity == "good"
    assert check(Writer(tmp_path / "grown").steps([1.0, 200.0, np.nan]).reach({0: power(0.9)}).run()).severity == "critical"


@pytest.mark.parametrize("last", [np.full(100, np.nan), np.full(100, -np.inf), np.full(100, np.inf)], ids=["nan", "zero", "infinite"])
def test_a_gradient_that_is_gone_is_not_called_stable(tmp_path: Path, last: np.ndarray) -> None:
    """A ReLU network that overflows at its first update: one huge norm, then NaN."""
    verdict = check(Writer(tmp_path / "run").steps([4e33, np.nan, np.nan]).reach({0: power(0.9), 2: last}).run())
    assert (verdict.severity, verdict.word) == ("none", "no gradient")
    assert number(4e33) in verdict.summary


def test_norms_alone_cannot_acquit(tmp_path: Path) -> None:
    assert check(Writer(tmp_path / "run").steps(np.ones(100)).run()).severity == "none"


@pytest.mark.parametrize(("quiet", "word"), [(19, "stable"), (20, "spikes")])
def test_a_spike_needs_twenty_norms_before_it(tmp_path: Path, quiet: int, word: str) -> None:
    norms = np.r_[np.ones(quiet), 5000.0, np.ones(30)]
    assert check(Writer(tmp_path / "run").steps(norms).reach({0: power(0.9)}).run()).word == word


@pytest.mark.parametrize(
    ("loss", "held_out", "explained", "severity"),
    [
        ("softmax", 2.1, -1.0, "warning"),
        ("softmax", 2.3, 1.0, "critical"),
        ("squared", 2.1, 0.1, "warning"),
        ("squared", 2.1, -0.1, "critical"),
    ],
)
def test_learned_is_what_shows_in_held_out_sequences(tmp_path: Path, loss: str, held_out: float, explained: float, severity: str) -> None:
    """An RNN that learns nothing may beat the variance of all sequences on 64 of them, but not their own mean."""
    writer = Writer(tmp_path / "run", baselines=BASELINES, signature={"loss": loss}).steps(np.ones(100), loss=9.9)
    verdict = check(writer.held_out(held_out, accuracy=explained).reach({0: power(1.14), 100: power(0.9)}).run())
    assert verdict.severity == severity


@pytest.mark.parametrize(("loss", "severity"), [(2.1, "warning"), (2.3, "critical"), (np.nan, "critical")])
def test_training_loss_stands_in_where_nothing_was_held_out(tmp_path: Path, loss: float, severity: str) -> None:
    writer = Writer(tmp_path / "run", baselines=BASELINES).steps(np.ones(100), loss=loss)
    assert check(writer.reach({0: power(1.14), 100: power(0.9)}).run()).severity == severity

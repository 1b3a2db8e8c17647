"""The one row and the one verdict that a table shows of a run."""

import math
from pathlib import Path

import numpy as np
import pytest

from gradviz.findings import FINDINGS, ORDER, verdicts
from gradviz.findings._summary import headline, row
from gradviz.findings._words import pace, spoken
from tests import finding_runs
from tests.finding_runs import Writer

profile = finding_runs.power


def test_row_of_a_clipped_run(tmp_path: Path) -> None:
    losses = np.r_[np.full(80, 5.0), np.linspace(1, 2, 20)]
    norms = np.r_[np.full(30, 4.0), np.full(70, 0.25)]
    writer = Writer(tmp_path / "run", "gru", "norm").steps(norms, np.minimum(norms, 0.5), losses).held_out(2.5, 0).held_out(1.25)
    shown = row(writer.reach({0: profile(0.5), 100: profile(0.8)}).run())
    assert (shown["name"], shown["family"], shown["status"], shown["updates"]) == ("run", "gru", "finished", 100)
    assert shown["loss"] == pytest.approx(1.5)
    assert (shown["held_out_loss"], shown["accuracy"], shown["seconds"]) == (1.25, 0.5, 99.0)
    assert (shown["decay_start"], shown["decay_end"]) == pytest.approx((0.5, 0.8))
    assert shown["half_life"] == pytest.approx(math.log(0.5) / math.log(0.8))
    assert (shown["horizon"], shown["state"]) == (21.0, "hidden")
    assert (shown["share_clipped"], shown["largest_norm"], shown["median_norm"]) == (0.3, 4.0, 0.25)
    assert (shown["word"], shown["severity"], shown["code"]) == ("short memory", "note", "vanishing")


def test_row_of_a_run_that_just_began(tmp_path: Path) -> None:
    shown = row(Writer(tmp_path / "run").run())
    assert shown["severity"] == "none"
    for name in ("loss", "held_out_loss", "decay_start", "half_life", "horizon", "share_clipped", "largest_norm"):
        assert math.isnan(shown[name])


def test_an_unclipped_run_has_no_share(tmp_path: Path) -> None:
    assert math.isnan(row(Writer(tmp_path / "run").steps([1.0] * 9).run())["share_clipped"])


def test_a_cause_is_said_before_its_effects(tmp_path: Path) -> None:
    dead = np.r_[0.0, np.full(99, -np.inf)]
    writer = Writer(tmp_path / "run", baselines={"letter pairs": 2.2}).steps(np.r_[1e5, np.zeros(99)], loss=3.3)
    run = writer.reach({0: profile(1.14), 50: dead, 100: dead}).saturation("hidden", [0.5] * 4, [0.5] * 4).run()
    assert [verdict.code for verdict in verdicts(run)][:3] == ["exploding", "vanishing", "saturated_gates"]
    assert headline(run).word == "exploded"
    severities = [ORDER.index(verdict.severity) for verdict in verdicts(run)]
    assert severities == sorted(severities)
    assert len(severities) == len(FINDINGS)


def test_a_tamed_run_with_a_short_memory_is_called_tamed(tmp_path: Path) -> None:
    norms = np.r_[np.full(20, 1e4), np.full(80, 0.6)]
    writer = Writer(tmp_path / "run", clipping="norm", baselines={"letter pairs": 2.2}).steps(norms, np.minimum(norms, 0.5))
    run = writer.reach({0: profile(1.14), 100: profile(0.7)}).run()
    assert [(verdict.word, verdict.severity) for verdict in verdicts(run)][:2] == [("tamed", "note"), ("short memory", "note")]
    assert headline(run).word == "tamed"


def test_praise(tmp_path: Path) -> None:
    assert (
        headline(Writer(tmp_path / "far", lag=75).steps([1.0] * 50).reach({0: profile(0.9), 50: profile(0.99)}).run()).word
        == "reaches back"
    )
    assert headline(Writer(tmp_path / "new", lag=75).steps([1.0] * 50).reach({0: profile(0.9)}).run()).word == "healthy"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (pace(0.5), "×0.50 per step back, half-life 1\u202fstep"),
        (pace(1.01), "×1.01 per step back, no half-life"),
        (spoken("cell"), "cell state"),
        (spoken("gate.forget"), "forget gate"),
        (spoken("gate.update"), "update gate (share kept)"),
    ],
)
def test_words(text: str, expected: str) -> None:
    assert text == expected


def test_a_network_that_was_never_trained_is_not_called_healthy(tmp_path: Path) -> None:
    verdict = headline(Writer(tmp_path / "run").reach({0: profile(0.99)}).run())
    assert (verdict.severity, verdict.word) == ("none", "untrained")

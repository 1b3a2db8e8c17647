"""Clipping that catches too little, bends the step, or takes too much: numbers of runs known in closed form."""

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradviz.clipping import CLIPPING
from gradviz.clipping.value import Value
from gradviz.findings import FINDINGS, Verdict
from gradviz.findings._clipping import share_removed
from gradviz.frames import Run
from tests.finding_runs import Writer, power


def check(rule: str, run: Run) -> Verdict:
    return FINDINGS[rule]().check(run)


def turned(folder: Path, gradients: list[tuple[float, ...]], rule: str, limit: float) -> Verdict:
    """What is said of steps with these gradients, each clipped by the very rule."""
    clipping = CLIPPING[rule](limit=limit)
    done = [clipping.clip({"w": np.array(one[:1]), "v": np.array(one[1:])}, {}, clipping.start()) for one in gradients]
    before, after, cosines = ([getattr(one, name) for one in done] for name in ("before", "after", "cosine"))
    writer = Writer(folder, clipping=rule).steps(before, after, cosine=cosines)
    return check("bent_direction", writer.run())


def test_the_angle_of_a_gradient_clipped_by_value(tmp_path: Path) -> None:
    """(3, 4) cut to (1, 1): cosine 7 / (5 √2), 8.13°."""
    verdict = turned(tmp_path / "run", [(3.0, 4.0)] * 30, "value", 1.0)
    assert verdict.severity == "good"
    assert verdict.numbers["median_cosine"] == pytest.approx(0.989949, abs=1e-6)
    assert verdict.numbers["median_angle"] == pytest.approx(8.1301, abs=1e-4)
    assert verdict.numbers["share_clipped"] == 1
    assert "8.1°" in verdict.summary


@pytest.mark.parametrize(("often", "severity"), [(30, "warning"), (3, "warning"), (2, "note")])
def test_a_bent_step_is_a_warning_if_it_is_no_exception(tmp_path: Path, often: int, severity: str) -> None:
    """(100, 1) cut to (1, 1): 45° less the 0.57° that it had."""
    gradients = [(100.0, 1.0)] * often + [(0.5, 0.5)] * (30 - often)
    verdict = turned(tmp_path / "run", gradients, "value", 1.0)
    assert (verdict.severity, verdict.word) == (severity, "bent")
    expected = 45 - math.degrees(math.atan(0.01))
    assert verdict.numbers["median_angle"] == pytest.approx(expected)
    assert verdict.numbers["worst_angle"] == pytest.approx(expected)
    assert verdict.numbers["worst_step"] == 0
    assert len(verdict.rows) == often


def test_each_parameter_for_itself_bends_and_the_global_norm_does_not(tmp_path: Path) -> None:
    gradients = [(100.0, 1.0)] * 30
    assert turned(tmp_path / "each", gradients, "per_parameter", 1.0).word == "bent"
    whole = turned(tmp_path / "whole", gradients, "norm", 1.0)
    assert (whole.severity, whole.word) == ("good", "keeps course")
    assert whole.numbers["median_cosine"] == pytest.approx(1)


@pytest.mark.parametrize(("degrees", "severity"), [(29.9, "good"), (30.1, "warning")])
def test_bent_at_its_threshold(tmp_path: Path, degrees: float, severity: str) -> None:
    cosines = np.r_[np.full(20, math.cos(math.radians(degrees))), 0.0, np.full(9, 1.0)]
    norms = np.full(30, 2.0)
    verdict = check(
        "bent_direction", Writer(tmp_path / "run", clipping="value").steps(norms, np.r_[np.ones(21), norms[21:]], 1.0, cosines).run()
    )
    assert verdict.severity == severity
    assert (verdict.numbers["worst_angle"], verdict.numbers["worst_step"]) == (pytest.approx(90), 20)
    assert verdict.numbers["median_angle"] == pytest.approx(degrees)


def test_bent_direction_needs_steps_that_were_clipped(tmp_path: Path) -> None:
    assert check("bent_direction", Writer(tmp_path / "a").steps([1.0] * 30).run()).word == "no clipping"
    assert check("bent_direction", Writer(tmp_path / "b", clipping="value").steps([1.0] * 30).run()).word == "never acted"
    assert check("bent_direction", Writer(tmp_path / "c", clipping="value").steps([2.0] * 9, [1.0] * 9, cosine=0.1).run()).word == "no data"


@given(st.lists(st.tuples(st.floats(0.01, 100), st.floats(0.01, 100)), min_size=1, max_size=5), st.floats(0.01, 10))
@settings(max_examples=50, deadline=None)
def test_the_recorded_cosine_is_the_angle_between_the_two(pairs: list[tuple[float, float]], limit: float) -> None:
    for pair in pairs:
        gradient = np.array(pair)
        cut = np.clip(gradient, -limit, limit)
        clipped = Value(limit).clip({"w": gradient}, {}, {})
        angle = abs(math.atan2(gradient[1], gradient[0]) - math.atan2(cut[1], cut[0]))
        assert math.acos(min(1.0, clipped.cosine)) == pytest.approx(angle, abs=1e-6)


def passing(folder: Path, giants: int, *, clipped: int = 0, size: float = 10.0) -> Verdict:
    """200 steps of norm 1, the last of which are giants that passed, and before them some that were cut from 3 to 2."""
    norms = np.ones(200)
    norms[200 - giants :] = size
    norms[100 : 100 + clipped] = 3.0
    after = norms.copy()
    after[100 : 100 + clipped] = 2.0
    return check("under_clipped", Writer(folder, clipping="norm").steps(norms, after, threshold=50.0).run())


@pytest.mark.parametrize(
    ("giants", "clipped", "size", "severity", "word"),
    [
        (0, 0, 1.0, "good", "nothing missed"),
        (5, 0, 9.9, "good", "nothing missed"),
        (1, 0, 10.0, "warning", "lets pass"),
        (5, 1, 10.0, "warning", "lets pass"),
        (5, 2, 10.0, "note", "some pass"),
    ],
)
def test_under_clipped_at_its_thresholds(tmp_path: Path, giants: int, clipped: int, size: float, severity: str, word: str) -> None:
    verdict = passing(tmp_path / "run", giants, clipped=clipped, size=size)
    assert (verdict.severity, verdict.word) == (severity, word)
    numbers = verdict.numbers
    assert numbers["share_clipped"] == pytest.approx(clipped / 200)
    assert numbers["share_removed"] == pytest.approx(clipped / 3 / 200)
    assert (numbers["median_norm"], numbers["threshold"]) == (1, 50)
    assert numbers["steps_out_of_scale"] == (giants if word != "nothing missed" else 0)
    if giants and word != "nothing missed":
        assert (numbers["largest_passed"], numbers["largest_passed_step"]) == (size, 200 - giants)
        assert len(verdict.rows) == giants


def test_giants_that_were_cut_or_are_no_numbers_did_not_pass(tmp_path: Path) -> None:
    norms = np.r_[np.ones(50), 1e6, np.inf, np.nan, np.ones(50)]
    after = np.where(norms == 1e6, 1.0, norms)
    assert check("under_clipped", Writer(tmp_path / "run", clipping="norm").steps(norms, after).run()).severity == "good"


def test_a_norm_that_grows_from_nothing_is_not_out_of_scale(tmp_path: Path) -> None:
    """A readout that starts at zero lets no gradient through at first; the norms of all steps decide as well."""
    norms = np.r_[np.full(30, 1e-3), np.full(170, 1.0)]
    assert check("under_clipped", Writer(tmp_path / "run", clipping="norm").steps(norms).run()).severity == "good"


def test_a_threshold_above_every_norm_while_the_gradient_explodes(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "run", clipping="norm").steps(np.full(60, 5.0), threshold=1e4)
    verdict = check("under_clipped", writer.reach({0: power(1.2), 60: power(0.9)}).run())
    assert (verdict.severity, verdict.word) == ("warning", "never acts")
    assert "threshold 10⁴" in verdict.summary
    changed = Writer(tmp_path / "changed", clipping="norm").steps(np.full(60, 5.0), threshold=[1e4] * 30 + [400.0] * 30)
    assert "threshold 400–10⁴" in check("under_clipped", changed.reach({0: power(1.2), 60: power(0.9)}).run()).summary
    calm = Writer(tmp_path / "calm", clipping="norm").steps(np.full(60, 5.0), threshold=1e4).reach({0: power(0.9), 60: power(0.9)})
    assert check("under_clipped", calm.run()).severity == "good"


def test_under_clipped_is_not_for_runs_without_clipping(tmp_path: Path) -> None:
    assert check("under_clipped", Writer(tmp_path / "none").steps([1.0] * 50 + [1e5]).run()).word == "no clipping"
    assert check("under_clipped", Writer(tmp_path / "few", clipping="norm").steps([1.0] * 20).run()).severity == "none"


def test_over_clipped_says_how_often_and_how_much(tmp_path: Path) -> None:
    """Of the later hundred steps half are cut from 4 to 1: a mean of 0.375 removed, 0.75 of those that were cut."""
    norms = np.r_[np.ones(100), np.tile([4.0, 1.0], 50)]
    verdict = check("over_clipped", Writer(tmp_path / "run", clipping="norm").steps(norms, np.minimum(norms, 1.0)).run())
    wanted = {"share_clipped": 0.5, "share_removed": 0.375, "median_removed_if_clipped": 0.75, "share_clipped_all": 0.25}
    assert {name: verdict.numbers[name] for name in wanted} == pytest.approx(wanted)
    assert verdict.numbers["share_removed_all"] == pytest.approx(0.1875)
    assert "38\u202f% of a gradient is removed" in verdict.summary


@given(st.lists(st.tuples(st.floats(0, 1e6), st.floats(0, 1)), min_size=1, max_size=20))
@settings(max_examples=20, deadline=None)
def test_what_is_removed_is_a_plain_mean(tmp_path_factory: pytest.TempPathFactory, pairs: list[tuple[float, float]]) -> None:
    writer = Writer(tmp_path_factory.mktemp("h") / "run", clipping="norm").steps(
        [one for one, _ in pairs], [one * keep for one, keep in pairs]
    )
    shares = [(one - one * keep) / one for one, keep in pairs if one > 0]
    found = share_removed(writer.run().steps)
    assert math.isnan(found) if not shares else found == pytest.approx(sum(shares) / len(shares), abs=1e-9)


@pytest.mark.parametrize(("before", "severity"), [(19, "good"), (20, "warning")])
def test_a_norm_is_out_of_scale_only_after_twenty_others(tmp_path: Path, before: int, severity: str) -> None:
    norms = np.r_[np.ones(before), 10.0, np.ones(200)]
    assert check("under_clipped", Writer(tmp_path / "run", clipping="norm").steps(norms).run()).severity == severity

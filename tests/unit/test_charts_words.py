"""Numbers and runs as charts write them."""

import math

import numpy as np
import pytest

from gradviz import wording
from gradviz.charts import _words
from gradviz.charts._common import fit, grid, short, smooth
from tests.chart_runs import FakeRun


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (0.5, "0.5"),
        (0.416, "0.42"),
        (3.96, "4.0"),
        (13, "13"),
        (13.4, "13"),
        (4100, "4\u202f100"),
        (60_100, "6\u202f×\u202f10⁴"),
        (0.0042, "4.2\u202f×\u202f10⁻³"),
        (9.99e-7, "10⁻⁶"),
        (1e-300, "10⁻³⁰⁰"),
        (-2.5, "−2.5"),
        (math.inf, "∞"),
        (math.nan, "NaN"),
    ],
)
def test_numbers(value: float, text: str) -> None:
    assert wording.number(value) == text


def test_powers_that_no_float_holds() -> None:
    assert wording.number_of_log(-400.0) == "10⁻⁴⁰⁰"
    assert wording.number_of_log(-math.inf) == "0"
    assert wording.number_of_log(math.inf) == "∞"
    assert [wording.power(exponent) for exponent in (0, -15, 5)] == ["1", "10⁻¹⁵", "10⁵"]


def test_shares_never_round_something_to_nothing_or_all() -> None:
    texts = [wording.percent(share) for share in (0.0, 0.001, 0.006, 0.61, 0.999, 1.0)]
    assert texts == ["0\u202f%", "under 1\u202f%", "1\u202f%", "61\u202f%", "over 99\u202f%", "100\u202f%"]
    assert wording.percent(math.nan) == "–"


def test_factors_and_steps() -> None:
    assert [wording.factor(value) for value in (0.694, 0.9984, 0.0, math.nan)] == ["×0.69", "×0.998", "exactly 0", "not fitted"]
    assert [wording.steps(value) for value in (1.9, 1, 175, math.inf)] == ["1.9\u202fsteps", "1\u202fstep", "175\u202fsteps", "∞"]


def test_spans() -> None:
    assert wording.span([13, 4.02]) == "4.0–13"
    assert wording.span([2, 2]) == "2"
    assert wording.span([-0.4, -0.39]) == "−0.4 to −0.39"
    assert wording.span([0.38, 0.32], wording.percent) == "32–38\u202f%"
    assert wording.span([0.001, 0.72], wording.percent) == "under 1\u202f% – 72\u202f%"


def test_runs_are_named_as_one_would_say_it() -> None:
    pair = [FakeRun(clipped=False), FakeRun(clipped=True)]
    others = [FakeRun("gru"), FakeRun("lstm"), FakeRun("other", label="SpikingCell")]
    everyone = [*pair, *others]
    assert _words.spoken(pair[1:], everyone) == "the clipped RNN"
    assert _words.spoken([*pair, others[0]], everyone) == "both RNNs and the GRU"
    assert _words.spoken([pair[0], others[2]], everyone) == "the unclipped RNN and SpikingCell"
    same = [FakeRun(label="RNN, a"), FakeRun(label="RNN, b")]
    assert _words.spoken(same[:1], same) == "RNN, a"


def test_labels_within_a_panel() -> None:
    pair = [FakeRun(clipped=False), FakeRun(clipped=True)]
    assert [short(run, pair) for run in pair] == ["not clipped", "clipped"]
    assert short(pair[0], pair[:1]) == ""
    three = [*pair, FakeRun(clipped=True, label="RNN, 2 layers")]
    assert short(three[2], three) == "2 layers"


def test_six_runs_stand_family_by_family() -> None:
    six = [FakeRun(family, clipped) for family in ("rnn", "gru", "lstm") for clipped in (False, True)]
    ordered, columns = grid(six)
    assert columns == 3
    assert [(run.family, run.clipped) for run in ordered] == [(f, c) for c in (False, True) for f in ("rnn", "gru", "lstm")]
    assert grid(six[:3])[1] == 3


def test_limits_hold_every_finite_value() -> None:
    assert fit([[-2.2, math.inf], [1.1, -math.inf, math.nan]]) == (-2.5, 1.5)
    assert fit([[math.nan]]) == (0.0, 1.0)
    assert fit([[0.1]], least=3) == (0.0, 3.0)


def test_smoothing_keeps_what_is_not_a_number_and_does_not_spread_it() -> None:
    values = smooth(np.array([1, 3, math.nan, 5, math.inf]), 3)
    assert values[:2].tolist() == [2, 2]
    assert math.isnan(values[2])
    assert values[3] == 5
    assert values[4] == math.inf

"""Decay, half-life and horizon against profiles whose answer is known: the gradient of a linear unit is w to the power of the lag."""

import math

import numpy as np
import pytest

from gradviz.dynamics.decay import decay_per_step, half_life, horizon

LAGS = np.arange(100)


@pytest.mark.parametrize("weight", [1e-3, 0.5, 0.69, 0.996, 1.0, 1.138, 30.0])
def test_decay_of_a_power_is_its_base(weight: float) -> None:
    assert decay_per_step(LAGS * math.log10(weight) - 7.0) == pytest.approx(weight, rel=1e-12)


def test_decay_beyond_the_range_of_floats_is_carried_by_logarithms() -> None:
    assert decay_per_step(LAGS * math.log10(1e-30)) == pytest.approx(1e-30)  # lag 99: 1e-2970


def test_first_lags_do_not_count() -> None:
    profile = LAGS * math.log10(0.9)
    profile[:5] += [9.0, 4.0, -3.0, 1.0, 2.0]
    assert decay_per_step(profile) == pytest.approx(0.9)
    assert decay_per_step(profile, first=4) != pytest.approx(0.9, rel=1e-3)


def test_decay_is_the_least_squares_line() -> None:
    profile = np.random.default_rng(0).normal(size=60).cumsum()
    assert decay_per_step(profile) == pytest.approx(10 ** np.polyfit(np.arange(5, 60), profile[5:], 1)[0])


def test_zeros_end_the_line() -> None:
    profile = LAGS * math.log10(0.8)
    profile[40:] = -np.inf
    assert decay_per_step(profile) == pytest.approx(0.8)
    profile[7:] = -np.inf
    assert decay_per_step(profile) == 0.0 == half_life(0.0)


@pytest.mark.parametrize(
    "profile",
    [[], [0.0], np.zeros(7), np.full(50, np.nan), np.full(50, -np.inf), [0.0] * 10 + [np.nan] + [0.0] * 10, [0.0] * 10 + [np.inf] * 3],
)
def test_what_cannot_be_fitted_is_nan(profile: list[float]) -> None:
    assert math.isnan(decay_per_step(profile))


def test_unreached_lags_at_the_end_are_left_out() -> None:
    profile = np.append(LAGS * math.log10(0.9), [np.nan] * 20)
    assert decay_per_step(profile) == pytest.approx(0.9)
    assert horizon(profile) == 44


def test_half_life() -> None:
    assert half_life(0.5) == 1.0
    assert half_life(0.5 ** (1 / 75)) == pytest.approx(75)
    assert half_life(1.0) == half_life(1.1) == math.inf
    assert math.isnan(half_life(math.nan))


def test_horizon_of_a_power() -> None:
    assert horizon(LAGS * math.log10(0.69)) == math.ceil(math.log(0.01) / math.log(0.69)) == 13
    assert horizon(LAGS * math.log10(0.69) + 5) == 13  # relative to lag 0
    assert horizon(LAGS * math.log10(0.69), share=0.5) == 2
    assert horizon(LAGS * math.log10(0.996)) == horizon(LAGS * 0.1) == math.inf
    assert horizon([0.0, -np.inf, -np.inf]) == 1
    assert math.isnan(horizon([-np.inf, 0.0]))
    assert math.isnan(horizon([]))


def test_a_share_that_is_just_met_is_not_below() -> None:
    assert horizon([0.0, -2.0, -2.0]) == math.inf
    assert horizon([0.0, -2.0, -2.1]) == 2

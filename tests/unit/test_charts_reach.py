"""Waterfall, film, decay and horizon on gradients whose course is known: factor to the power of the lag."""

import math

import numpy as np
import pandas as pd
import pytest

from gradviz.charts._description import Band
from gradviz.charts.decay import Decay
from gradviz.charts.film import Film
from gradviz.charts.horizon import Horizon
from gradviz.charts.waterfall import Waterfall
from tests.chart_runs import FakeRun, line, reach, steps

LEARNED = np.r_[np.full(100, 3.0), np.full(400, 1.0)]


def going(first: float, last: float, family: str = "rnn", clipped: bool = False, **rest) -> FakeRun:
    """Factor per step back `first` at step 0, half-way at step 50, `last` at step 100."""
    middle = math.sqrt(first * last)
    return FakeRun(family, clipped, reach=reach({0: line(first), 50: line(middle), 100: line(last)}), **rest)


@pytest.mark.parametrize(
    ("factor", "words"),
    [(1.1, "grows ×1.10 per step back"), (1.0, "stays level"), (0.5, "halves within 1 step"), (0.9, "halves within 6.6 steps")],
)
def test_waterfall_says_what_the_gradient_does(factor: float, words: str) -> None:
    title = Waterfall().describe([FakeRun(reach=reach({0: line(factor)}))]).title
    assert title == f"Before training the gradient {words} in the RNN"


def test_a_pair_tells_its_half_lives_beside_the_heading() -> None:
    pair = [FakeRun(reach=reach({0: line(0.9)})), FakeRun(clipped=True, reach=reach({0: line(0.5)}))]
    assert Waterfall().describe(pair).panels[0].note == "half-life 6.6, clipped 1"


def test_waterfall_of_zero_nan_and_infinity() -> None:
    gone, broken, over = line(0.9), line(0.9), line(1.1)
    gone[1:], broken[40:], over[50:] = -math.inf, math.nan, math.inf
    whole = reach({0: line(0.9), 10: broken})
    for table, words in ((reach({0: gone}), "exactly zero"), (whole, "not finite"), (reach({0: over}), "not finite")):
        description = Waterfall().describe([FakeRun(reach=table)])
        assert words in description.title
    drawn = [
        mark for mark in Waterfall().describe([FakeRun(reach=whole)]).panels[0].marks if getattr(mark, "name", "") == "RNN, not clipped"
    ]
    assert np.isnan(drawn[0].y[40:]).all()
    assert np.isfinite(drawn[0].y[:40]).all()
    assert ("ring", "on the lowest line: exactly 0") in Waterfall().describe([FakeRun(reach=reach({0: gone}))]).key


def test_lags_that_no_sequence_reaches_are_left_out() -> None:
    short = np.r_[line(0.9, 30), np.full(20, math.nan)]
    description = Waterfall().describe([FakeRun(reach=reach({0: short, 5: short}))])
    assert description.frame["lag"].max() == 29
    assert not description.frame["mean"].isna().any()
    assert "halves within 6.6 steps" in description.title


def test_waterfall_remembers_an_explosion_that_was_tamed() -> None:
    runs = [going(1.138, 0.69, clipped=True), going(0.95, 0.9, "gru")]
    title = Waterfall().describe(runs).title
    assert title == (
        "At training step 100 the gradient halves within 1.9 steps in the RNN and 6.6 in the GRU; "
        "at the start it grew ×1.14 per step back in the RNN"
    )
    assert "grew" not in Waterfall().describe([going(1.02, 0.69)]).title
    assert Waterfall().describe([going(1.2, 1.1)]).title == "At training step 100 the gradient grows ×1.10 per step back in the RNN"


@pytest.mark.parametrize(("wanted", "drawn"), [(0, 0), (49, 0), (50, 50), (99, 50), (-1, 100), (1000, 100)])
def test_waterfall_draws_the_last_step_recorded_before(wanted: int, drawn: int) -> None:
    run = going(1.1, 0.7)
    frame = Waterfall(step=wanted).describe([run]).frame
    now = frame[frame["when"] == "now"]
    assert now["step"].unique().tolist() == [drawn]
    expected = np.asarray(run.reach.set_index("step").loc[drawn, "mean"])
    assert np.array_equal(now["mean"], expected)
    assert (frame["when"] == "start").any() == (drawn != 0)


def test_runs_that_began_alike_share_one_grey_line() -> None:
    grey = [
        sum(getattr(mark, "colour", "") == "ghost" for mark in Waterfall().describe(runs).panels[0].marks)
        for runs in ([going(1.1, 0.7), going(1.1, 0.9, clipped=True)], [going(1.1, 0.7), going(1.2, 0.9, clipped=True)])
    ]
    assert grey == [1, 2]


def test_an_lstm_is_drawn_by_its_cell_state_unless_asked() -> None:
    table = pd.concat([reach({0: line(0.8)}, "hidden"), reach({0: line(0.99)}, "cell")])
    run = FakeRun("lstm", reach=table)
    assert Waterfall().describe([run]).frame["decay"].iloc[0] == pytest.approx(0.99)
    assert Waterfall(point="hidden").describe([run]).frame["decay"].iloc[0] == pytest.approx(0.8)
    assert "the cell state" in Waterfall().describe([run]).subtitle
    assert "hidden state (LSTM: the cell state)" in Waterfall().describe([run, FakeRun(reach=reach({0: line(0.9)}))]).subtitle


def test_the_last_layer_is_drawn_unless_asked() -> None:
    run = FakeRun(reach=pd.concat([reach({0: line(0.8)}).assign(layer=0), reach({0: line(0.9)}).assign(layer=1)]))
    assert Waterfall().describe([run]).frame["decay"].iloc[0] == pytest.approx(0.9)
    assert Waterfall(layer=0).describe([run]).frame["decay"].iloc[0] == pytest.approx(0.8)


def test_film_shows_every_value_where_it_was_recorded() -> None:
    dead = line(0.7)
    dead[30:] = -math.inf
    run = FakeRun(reach=reach({0: line(1.1), 20: line(0.9), 40: dead}))
    heat = Film().describe([run]).panels[0].marks[0]
    assert heat.x.tolist() == [0, 20, 40]
    assert heat.values.shape == (100, 3)
    for column, step in enumerate((0, 20, 40)):
        assert np.array_equal(heat.values[:, column], np.asarray(run.reach.set_index("step").loc[step, "mean"]))


def test_film_tells_where_the_reach_goes() -> None:
    """At factor f less than 1 % is left from the first lag above ln 0.01 / ln f on: 5 at 0.4, 44 at 0.9, never at 1."""
    runs = [going(0.9, 0.4), going(0.4, 1.0, "gru"), going(1.0, 1.0, "lstm")]
    assert Film().describe(runs).title == (
        "The gradient’s reach goes from 44 to 6 steps in the RNN, goes from 6 steps to the whole sequence in the GRU "
        "and stays at the whole sequence in the LSTM"
    )
    back = FakeRun(reach=reach({0: line(0.9), 50: line(0.4), 100: line(0.9)}))
    assert "ends where it began, at 44 steps" in Film().describe([back]).title


def test_decay_frame_is_the_factor_its_half_life_and_horizon() -> None:
    frame = Decay().describe([going(1.1, 0.9)]).frame
    assert frame["step"].tolist() == [0, 50, 100]
    assert frame["decay"].tolist() == pytest.approx([1.1, math.sqrt(0.99), 0.9])
    assert frame["half_life"].tolist() == pytest.approx(
        [math.inf, math.log(0.5) / math.log(math.sqrt(0.99)), math.log(0.5) / math.log(0.9)]
    )
    assert frame["horizon"].tolist() == [math.inf, math.inf, 44]


def test_decay_tells_when_growth_stops_and_learning_starts() -> None:
    meta = {"baselines": {"letters": 4.0, "letter pairs": 2.0}}
    tamed = FakeRun(clipped=True, meta=meta, reach=reach({0: line(1.1), 40: line(1.2), 60: line(0.9)}), steps=steps(LEARNED))
    wild = FakeRun(meta=meta, reach=reach({0: line(1.1), 60: line(1.05)}), steps=steps(np.full(500, 3.0)))
    title = Decay().describe([wild, tamed]).title
    passed = next(step for step in range(500) if np.mean(LEARNED[max(step - 5, 0) : step + 5]) < 2)
    assert title.startswith("In the clipped RNN the backward growth first stops at step 60 and the loss passes the best guess at step ")
    assert abs(int(title.split("at step ")[2].split(";")[0]) - passed) <= 1
    assert title.endswith("; in the unclipped RNN it never stops and the loss never passes the best guess")


def test_decay_without_growth_gives_first_and_last_factor() -> None:
    assert Decay().describe([going(0.86, 0.65), going(0.75, 1.0, "gru")]).title == (
        "With every step back the gradient is multiplied by 0.86 at first and 0.65 at the end in the RNN "
        "and 0.75 at first and 1.00 at the end in the GRU"
    )


def test_horizon_first_remember_then_learn() -> None:
    meta = {"baselines": {"constant": 2.0}, "lag": 75}
    learns = FakeRun(
        "gru", meta=meta, reach=reach({0: line(0.75), 40: line(0.99)}), steps=steps(np.r_[np.full(200, 2.0), np.full(200, 0.1)])
    )
    never = FakeRun("rnn", meta=meta, reach=reach({0: line(0.9), 40: line(0.4)}), steps=steps(np.full(400, 2.0)))
    title = Horizon().describe([never, learns]).title
    assert title.startswith("The GRU first learns to remember (across the lag at step 40), then the task (loss halved at step ")
    assert title.endswith("; the RNN never reaches across the lag (6 steps at the end)")
    early = FakeRun("lstm", meta=meta, reach=reach({0: line(0.99)}), steps=steps(np.full(400, 2.0)))
    assert Horizon().describe([early]).title == "The LSTM reaches across the lag from the start, but does not halve the loss"


def test_horizon_without_a_lag_and_as_half_life() -> None:
    runs = [going(1.1, 0.9), going(0.9, 0.5, "gru")]
    title = "The gradient reaches the whole sequence last at step 50 in the RNN and never in the GRU"
    assert Horizon().describe(runs).title == title != Film().describe(runs).title
    assert Horizon().describe(runs[1:]).title == "The gradient never reaches the whole sequence in the GRU"
    kept = Horizon().describe([going(1.1, 1.1), going(0.9, 1.1, "gru")])
    assert kept.title == "The gradient reaches the whole sequence at the end of training in the RNN and the GRU"
    assert [mark.label for mark in kept.panels[0].marks if hasattr(mark, "y")] == [""]  # the rail is labelled already
    assert (
        Horizon(measure="half_life").describe(runs).title == "At the end the gradient halves within 6.6 steps in the RNN and 1 in the GRU"
    )
    lines = [mark for mark in Horizon().describe(runs).panels[0].marks if hasattr(mark, "y")]
    assert lines[0].y[0] == math.inf
    assert lines[0].y[-1] == pytest.approx(math.log10(44))


@pytest.mark.parametrize("chart", [Waterfall, Film, Decay, Horizon])
def test_what_is_too_short_to_fit_is_drawn_all_the_same(chart) -> None:
    description = chart().describe([FakeRun(reach=reach({0: line(0.9, 4), 10: line(0.9, 4)}))])
    assert description.panels
    assert "nan" not in description.title.lower()


@pytest.mark.parametrize("chart", [Waterfall, Film, Decay, Horizon])
def test_a_run_of_nothing_but_nan(chart) -> None:
    description = chart().describe([FakeRun(reach=reach({0: np.full(50, math.nan), 10: np.full(50, math.nan)}))])
    assert description.panels
    assert len(description.frame)


def test_the_best_guess_is_explained_where_it_is_told() -> None:
    meta = {"baselines": {"letters": 2.0}}
    told = Decay().describe([FakeRun(meta=meta, reach=reach({0: line(1.1), 60: line(0.9)}), steps=steps(LEARNED))])
    quiet = Decay().describe([FakeRun(meta=meta, reach=reach({0: line(0.9), 60: line(0.8)}), steps=steps(LEARNED))])
    assert ("best guess" in told.title, "Best guess" in told.subtitle) == (True, True)
    assert ("best guess" in quiet.title, "Best guess" in quiet.subtitle) == (False, False)


def test_the_interval_is_a_band_where_it_was_recorded() -> None:
    table = reach({0: line(1.1), 100: line(0.9)})
    (panel,) = Decay().describe([FakeRun(reach=table)]).panels
    (band,) = [mark for mark in panel.marks if isinstance(mark, Band)]
    np.testing.assert_allclose(band.low, 0.99 * np.array([1.1, 0.9]))
    np.testing.assert_allclose(band.high, 1.01 * np.array([1.1, 0.9]))
    older = Decay().describe([FakeRun(reach=table.assign(decay_low=math.nan, decay_high=math.nan))])
    assert not [mark for mark in older.panels[0].marks if isinstance(mark, Band)]

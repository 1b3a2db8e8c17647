"""Limits, ticks and rails."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gradviz.backends._scales import Scale, choose, edges, scale_of
from gradviz.backends._text import width
from gradviz.charts._description import Axis, Heat, Line, Panel, Points
from tests.pictures import INF, NAN, SPECIAL, T

SUPERSCRIPTS = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹−", "-0123456789-", "\u202f")


def meaning(text: str) -> float:
    """log10 of what a tick says, read the way a person reads it."""
    factor, _, power = text.rpartition("10") if any(char in "⁻⁰¹²³⁴⁵⁶⁷⁸⁹" for char in text) else (text, "", "0")
    exponent = int(power.translate(SUPERSCRIPTS))
    return np.log10(float(factor.rstrip("·").translate(SUPERSCRIPTS) or 1)) + exponent


def line(y: list[float]) -> Panel:
    return Panel((Line(np.arange(float(len(y))), np.array(y), "line"),), y=Axis(scale="log"))


@example(0.0, 600.0, 80)
@example(1.5, 0.02, 80)
@settings(deadline=None)
@given(st.floats(-320, 300), st.floats(0.02, 600), st.integers(80, 900))
def test_log_ticks_stand_where_they_say(low: float, span: float, length: int) -> None:
    ticks = choose(low, low + span, length, log=True, way="y")
    assert all(low - 1e-9 <= at <= low + span + 1e-9 for at, _ in ticks)
    assert all(meaning(text) == pytest.approx(at, abs=1e-5) for at, text in ticks)
    assert 1 <= len(ticks) <= max(2, length / 34) + 1
    assert len(ticks) >= 2 or span > 3


@settings(deadline=None)
@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6), st.integers(80, 900), st.sampled_from("xy"))
def test_linear_ticks_stand_where_they_say(low: float, span: float, length: int, way: str) -> None:
    ticks = choose(low, low + span, length, log=False, way=way)
    at = np.array([place for place, _ in ticks])
    assert len(at) >= 2
    assert (at >= low - 1e-6 * span).all()
    assert (at <= low + span * (1 + 1e-6)).all()
    assert np.ptp(np.diff(at)) < 1e-6 * span if len(at) > 2 else True
    assert np.diff(at).min() * length / span >= 30 or len(at) <= 3


def test_ticks_in_words() -> None:
    assert choose(-15, 6.5, 260, log=True, way="y") == ((-15, "10⁻¹⁵"), (-10, "10⁻¹⁰"), (-5, "10⁻⁵"), (0, "1"), (5, "10⁵"))
    assert [text for _, text in choose(-1, 3.2, 300, log=True, way="y")] == ["0.1", "1", "10", "10²", "10³"]
    assert [text for _, text in choose(-20_000, 20_000, 300, log=False, way="x")] == [
        "−20\u202f000",
        "−10\u202f000",
        "0",
        "10\u202f000",
        "20\u202f000",
    ]


def test_rails_stand_outside_the_numbers_in_order() -> None:
    scale = scale_of(Axis(scale="log"), [line(SPECIAL.tolist()), Panel((Points(T, SPECIAL, "points"),))], "y", 250)
    assert scale.below is not None
    assert scale.above is not None
    assert scale.nan is not None
    assert scale.start < scale.below < scale.rules[0] < scale.low < scale.high < scale.rules[1] < scale.above < scale.nan < scale.end
    assert {text: at for at, text in scale.ticks if text in ("zero", "∞", "NaN")} == {
        "zero": scale.below,
        "∞": scale.above,
        "NaN": scale.nan,
    }
    placed = scale.place(SPECIAL)
    assert np.isfinite(placed).all()
    assert (placed[2], placed[5], placed[8], placed[0]) == (scale.below, scale.above, scale.nan, 1.0)


def test_no_rail_without_a_need() -> None:
    scale = scale_of(Axis(scale="log"), [line([1.0, 2.0, NAN])], "y", 250)
    assert (scale.below, scale.above, scale.nan, scale.rules) == (None, None, None, ())
    assert np.isnan(scale.place(np.array([NAN, INF, -INF]))).all()


def test_numbers_outside_the_limits_are_not_drawn_on_a_rail() -> None:
    scale = scale_of(Axis(scale="log", limits=(-15, 5)), [line([-INF, INF, 0.0])], "y", 250)
    assert np.isnan(scale.numbers(np.array([-16.0, -15.5, 6.0]))).all()
    assert scale.numbers(np.array([-15.0, 0.0, 5.0])).tolist() == [-15.0, 0.0, 5.0]


def test_panels_with_one_axis_share_their_limits() -> None:
    scale = scale_of(Axis(scale="log"), [line([-3.0, 0.0]), line([1.0, 9.0])], "y", 250)
    assert scale.low <= -3 < 9 <= scale.high


@pytest.mark.parametrize("values", [[], [NAN], [INF, -INF], [4.0], [4.0, 4.0]])
@pytest.mark.parametrize("kind", ["log", "linear"])
def test_there_is_always_an_axis(values: list[float], kind: str) -> None:
    scale = scale_of(Axis(scale=kind), [line(values)], "y", 250)  # type: ignore[arg-type]
    assert scale.start < scale.low < scale.high < scale.end or scale.start <= scale.low
    assert scale.high > scale.low
    assert scale.ticks


def test_given_ticks_do_not_overlap() -> None:
    ticks = tuple((float(at), str(at)) for at in range(0, 3000, 10))
    scale = scale_of(Axis(limits=(0, 3000), ticks=ticks), [], "x", 300)
    spans = [(at / 10 - width(text) / 2, at / 10 + width(text) / 2) for at, text in scale.ticks]
    assert len(spans) > 3
    assert all(left[1] < right[0] for left, right in pairwise(spans))


def test_heatmaps_fill_their_axis() -> None:
    panel = Panel((Heat(np.array([0.0, 10.0, 40.0]), np.array([1.0]), np.zeros((1, 3))),))
    scale = scale_of(Axis(), [panel], "x", 250)
    assert (scale.start, scale.end) == (-5.0, 55.0)


@settings(deadline=None)
@given(st.lists(st.floats(-100, 100), min_size=1, max_size=30, unique=True).map(sorted))
def test_borders_of_cells_hold_their_centres(centres: list[float]) -> None:
    borders = edges(np.array(centres))
    assert len(borders) == len(centres) + 1
    assert (borders[:-1] <= centres).all()
    assert (centres <= borders[1:]).all()


def test_share_runs_from_start_to_end() -> None:
    scale = Scale(0, 1, -1, 3, ())
    assert scale.share(np.array([-1.0, 1.0, 3.0])).tolist() == [0.0, 0.5, 1.0]

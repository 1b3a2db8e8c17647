"""Shared arithmetic of the backends: special values, fewer points, direct labels, words."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradviz.backends._decimate import MOST_IN_A_CLOUD, cloud, envelope
from gradviz.backends._labels import Wish, sample, settle
from gradviz.backends._layout import plan
from gradviz.backends._special import isolated, layers, runs, stops
from gradviz.backends._strokes import labels, scatter, stroke
from gradviz.backends._text import printable, shorten, visible, width, words_under, wrap
from gradviz.charts._description import Heat, Line, Points
from tests.pictures import HOSTILE, INF, MARKS, NAN, SPECIAL, T, of

# ---------------------------------------------------------------------- special values


@settings(deadline=None)
@given(st.lists(st.booleans(), max_size=60))
def test_runs_are_the_stretches(mask: list[bool]) -> None:
    found = np.zeros(len(mask), dtype=bool)
    for first, end in runs(np.array(mask, dtype=bool)):
        assert first < end
        assert not found[max(0, first - 1) : end].any(), "stretches neither touch nor overlap"
        found[first:end] = True
    assert found.tolist() == mask


def test_isolated_values_are_those_a_line_cannot_show() -> None:
    assert isolated(np.array([1, NAN, 2, 3, NAN, 4])).tolist() == [True, False, False, False, False, True]


def test_a_line_stops_where_nan_begins() -> None:
    line = Line(T, SPECIAL, "line")
    assert stops(line, SPECIAL, 0.0) == [(7.0, 1.0, 8.0), (10.0, 3.0, 11.0)]
    assert stops(Line(T[:3], np.array([NAN, NAN, 5.0]), "starts late"), np.array([NAN, NAN, 5.0]), 0.0) == [(2.0, 5.0, 0.0)]
    assert stops(Line(T[:2], np.full(2, NAN), "lost"), np.full(2, NAN), -7.0) == [(0.0, -7.0, 0.0)]


@settings(deadline=None)
@given(st.integers(1, 80), st.integers(1, 80), st.integers(0, 2**32 - 1))
def test_every_special_value_of_a_heatmap_is_covered_and_marked(rows: int, columns: int, seed: int) -> None:
    values = np.random.default_rng(seed).choice([0.0, 1.0, -INF, INF, NAN], (rows, columns), p=[0.5, 0.44, 0.02, 0.02, 0.02])
    found = {layer.kind: layer for layer in layers(Heat(np.arange(columns), np.arange(rows), values, log=True), 300, 150)}
    truth = {"zero": np.isneginf(values), "infinite": np.isposinf(values), "nan": np.isnan(values)}
    assert {kind for kind, mask in truth.items() if mask.any()} == set(found)
    for kind, layer in found.items():
        assert (layer.mask == truth[kind]).all()
        assert len(layer.rows) >= 1
        assert layer.mask[layer.rows, layer.columns].all(), "marks stand on their own kind only"


def test_marks_on_a_heatmap_are_sparse() -> None:
    (layer,) = layers(Heat(np.arange(100), np.arange(100), np.full((100, 100), NAN)), 400, 400)
    assert 60 <= len(layer.rows) <= 140  # one every 40 pixels both ways


def test_cells_that_were_not_recorded_are_not_special() -> None:
    values = np.ma.masked_array([[NAN, 1.0, NAN]], mask=[[True, False, False]])
    (layer,) = layers(Heat(np.arange(3), np.arange(1), values), 300, 150)
    assert layer.mask.tolist() == [[False, False, True]]


# ---------------------------------------------------------------------- fewer points


@settings(deadline=None)
@given(st.integers(2001, 30_000), st.integers(0, 2**32 - 1))
def test_a_long_line_keeps_its_extremes_its_ends_and_its_special_values(count: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    y = rng.normal(size=count)
    y[rng.integers(0, count, 3)] = [NAN, INF, -INF]
    kept = envelope(y)
    assert len(kept) < 2100
    assert kept[0] == 0
    assert kept[-1] == count - 1
    assert (np.diff(kept) > 0).all()
    finite = np.isfinite(y)
    assert {y[finite].min(), y[finite].max()} <= set(y[kept])
    for special in (np.isnan, np.isposinf, np.isneginf):
        assert special(y[kept]).any() == special(y).any()


def test_a_short_line_is_left_alone() -> None:
    assert envelope(np.zeros(2000)).tolist() == list(range(2000))


def test_a_cloud_covers_the_same_places() -> None:
    rng = np.random.default_rng(3)
    x, y = rng.uniform(size=(2, 100_000))
    x[:50] = NAN
    kept = cloud(x, y)
    assert 1000 < len(kept) <= MOST_IN_A_CLOUD
    shown = np.histogram2d(x[kept], y[kept], bins=20)[0]
    assert (shown > 0).all()


# ---------------------------------------------------------------------- strokes


def test_a_stroke_has_numbers_rails_crosses_and_dots() -> None:
    place = plan(of("line")).places[0]
    found = stroke(MARKS["line"], place)  # type: ignore[arg-type]
    assert np.flatnonzero(np.isfinite(found.y)).tolist() == [0, 1, 4, 7, 10]
    assert {kind: x.tolist() for kind, x, _ in found.rails} == {"zero": [2.0, 3.0], "infinite": [5.0, 6.0]}
    assert found.crosses[0].tolist() == [7.0, 10.0]
    assert found.dots[0].tolist() == [4.0, 7.0, 10.0]


def test_no_point_is_lost() -> None:
    points = MARKS["open points"]
    assert isinstance(points, Points)
    found = scatter(points, plan(of("open points")).places[0])
    assert found.which.tolist() == list(range(12))
    assert np.isfinite(found.x).all()
    assert [kind for kind in found.kind if kind != "number"] == ["rail"] * 4 + ["nan"] * 3


# ---------------------------------------------------------------------- labels


def boxes(found: list) -> list[tuple[float, float, float, float]]:
    return [(label.left, label.middle - 7, label.left + width(label.text), label.middle + 7) for label in found]


def overlap(one: tuple[float, float, float, float], other: tuple[float, float, float, float]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


@pytest.mark.parametrize("slopes", [(1.0, 0.5, -0.5), (0.0, 0.1, -0.1), (0.02, 0.0, -0.02), (1, 1.01, 0.99)])
def test_labels_cover_neither_each_other_nor_lines(slopes: tuple[float, ...]) -> None:
    x = np.linspace(0, 280, 80)
    curves = [sample(x, 120 + slope * x * 0.4) for slope in slopes]
    wishes = [Wish(f"clipped ×0.{index}", "rnn", curve) for index, curve in enumerate(curves)]
    found = boxes(settle(wishes, np.concatenate(curves), (280, 250)))
    assert not any(overlap(one, other) for index, one in enumerate(found) for other in found[:index])
    for left, bottom, right, top in found:
        assert 0 <= left < right <= 284
        assert 0 <= bottom < top <= 250
        for curve in curves:
            assert not ((curve[:, 0] > left) & (curve[:, 0] < right) & (curve[:, 1] > bottom) & (curve[:, 1] < top)).any()


def test_labels_leave_tints_where_they_can_and_say_whether_they_cover_a_line() -> None:
    across = np.linspace(0, 280, 200)
    level = np.column_stack([across, np.full(200, 125.0)])
    tint = np.column_stack([np.repeat(across, 20), np.tile(np.linspace(110, 145, 20), 200)])
    free = settle([Wish("norm", "rnn", level)], level, (280, 250))[0]
    tinted = settle([Wish("norm", "rnn", level)], level, (280, 250), tint)[0]
    assert 110 < free.middle < 150
    assert not 105 < tinted.middle < 150
    assert not free.covers
    crowd = np.column_stack([grid.ravel() for grid in np.meshgrid(np.arange(0.0, 280, 3), np.arange(0.0, 250, 3))])
    assert settle([Wish("norm", "rnn", level)], crowd, (280, 250))[0].covers


def test_every_wish_is_met_even_without_a_line() -> None:
    found = settle([Wish("nothing", "rnn", np.zeros((0, 2))), Wish("x" * 200, "rnn", np.zeros((0, 2)))], np.zeros((0, 2)), (280, 250))
    assert [label.text for label in found] == ["nothing", "x" * 200]


def test_where_nan_begins_is_said() -> None:
    assert "NaN from 8" in [label.text for label in labels(plan(of("line")).places[0])]
    assert {label.text for label in labels(plan(of("heat")).places[0])} == {"∞ from 5", "NaN from 8"}


# ---------------------------------------------------------------------- words


def test_what_cannot_be_printed_is_not() -> None:
    assert printable("a\nb\u202e\x00\ud800c\u202f%") == "a bc\u202f%"
    assert [visible(token) for token in (" ", "\n", "\t", "", "\x00", "\u202ea", "\ud800", "é")] == [
        "·",
        "⏎",
        "⇥",
        "∅",
        "�",
        "�a",
        "�",
        "é",
    ]
    printable(HOSTILE).encode()


def test_words_fit_under_their_cells() -> None:
    words = ("gradient", "of", "the", "loss")
    assert [text for _, text in words_under(words, 100)] == list(words)
    assert [text for _, text in words_under(words, 30)] == ["gra…", "of", "the", "loss"]
    assert words_under(("a", "b", "c", "d"), 4) == [(0.0, "a"), (2.0, "c")]


@settings(deadline=None)
@given(st.text(max_size=200), st.floats(60, 400))
def test_shortened_and_wrapped_text_fits(text: str, room: float) -> None:
    assert width(shorten(printable(text), room)) <= room
    lines = wrap(printable(text), room).split("\n")
    assert len(lines) <= 2
    assert all(width(line) <= room for line in lines)

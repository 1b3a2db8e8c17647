"""The plan that both backends draw."""

from dataclasses import replace

import numpy as np
import pytest

from gradviz.backends._layout import Place, Plan, plan
from gradviz.backends._text import width
from gradviz.backends._wrap import wrapped
from gradviz.charts._description import Axis, Band, Heat, Line, Panel, Points, Rule
from tests.pictures import MARKS, T, describe, multiples, of


def corners(place: Place) -> tuple[float, float, float, float]:
    return place.left, place.top, place.left + place.width, place.top + place.height


def fits(drawn: Plan) -> None:
    """Every panel lies in the plotting area, none on another, and what stands outside it has its room."""
    wide, high = drawn.inner
    for index, place in enumerate(drawn.places):
        left, top, right, bottom = corners(place)
        assert -0.01 <= left < right <= wide + 0.01
        assert -0.01 <= top < bottom <= high + 0.01
        for other in drawn.places[:index]:
            a, b, c, d = corners(other)
            assert left >= c - 0.01 or right <= a + 0.01 or top >= d - 0.01 or bottom <= b + 0.01
        if place.y_labels and place.y.ticks:
            assert (drawn.margin[3] if place.column == 0 else place.left - other_right(drawn, place)) >= max(
                width(text) for _, text in place.y.ticks
            )


def other_right(drawn: Plan, place: Place) -> float:
    return max(other.left + other.width for other in drawn.places if other.row == place.row and other.column < place.column)


@pytest.mark.parametrize("narrow", [False, True])
@pytest.mark.parametrize("shape", ["line", "multiples", "film", "gate", "strip"])
@pytest.mark.parametrize("count", range(1, 10))
def test_one_to_nine_panels(count: int, shape: str, narrow: bool) -> None:
    drawn = plan(multiples(count, shape=shape), narrow=narrow)
    assert len(drawn.places) == count
    fits(drawn)


def test_axes_of_all_kinds_fit() -> None:
    panels = [Panel((MARKS["line"],), Axis(f"x {at}"), Axis("a long label of an axis", "log", (-15 - at, 5))) for at in range(4)]
    for narrow in (False, True):
        fits(plan(describe(*panels, columns=2), narrow=narrow))


def test_labels_stand_at_the_outer_edge_only() -> None:
    places = plan(multiples(5)).places
    assert [place.y_labels for place in places] == [True, False, False, True, False]
    assert [place.x_labels for place in places] == [False, False, True, True, True]  # the third has nothing below it
    assert [bool(place.x_title) for place in places] == [False, False, True, True, True]
    assert [place.y_title for place in places] == ["norm", "", "", "norm", ""]


def test_labels_stand_wherever_axes_differ() -> None:
    panels = [Panel((MARKS["line"],), Axis(limits=(0, at + 1)), Axis(limits=(0, at + 1))) for at in range(4)]
    assert all(place.x_labels and place.y_labels for place in plan(describe(*panels, columns=2)).places)


def test_compared_panels_share_their_limits() -> None:
    panels = [Panel((Line(T, T * at, "line"),)) for at in (1, 3)]
    first, second = plan(describe(*panels)).places
    assert first.y == second.y
    assert first.y.high >= 33


def test_a_phone_stacks_panels_and_films_stand_in_pairs() -> None:
    assert {place.column for place in plan(multiples(3), narrow=True).places} == {0}
    film = plan(multiples(6, shape="film"), narrow=True)
    # above each other on a wide page (run 0 over run 3): beside each other on a phone
    assert [(place.row, place.column) for place in film.places] == [(0, 0), (1, 0), (2, 0), (0, 1), (1, 1), (2, 1)]


def test_one_bar_for_panels_that_are_compared() -> None:
    heat = MARKS["heat"]
    assert isinstance(heat, Heat)
    assert len(plan(multiples(6, kind="heat")).bars) == 1
    two = plan(describe(Panel((heat,)), Panel((replace(heat, scale="tide"),)), columns=1))
    assert [two.bar_of(heat), two.bar_of(replace(heat, scale="tide"))] == [0, 1]
    (first, end), (second, _) = (bar.span for bar in two.bars)
    assert first == 0
    assert end <= second
    assert plan(multiples(3)).bars == ()


def test_what_is_missing_is_said() -> None:
    drawn = plan(describe(missing="This run recorded no gates: train again with --record gates."))
    assert drawn.places == ()
    assert drawn.missing.startswith("This run recorded no gates")
    assert plan(describe()).missing


def test_a_note_that_has_no_room_stands_below_and_keeps_its_words() -> None:
    note = "half-life 48 steps not clipped and 2.1 steps clipped"
    panels = [Panel((MARKS["line"],), heading="RNN", note=note), Panel((MARKS["line"],), heading="GRU", note="short")]
    first, second = plan(describe(*panels, columns=3)).places[:2]
    alone = plan(describe(panels[0], columns=1)).places[0]
    assert alone.note_lines == 0
    crowded = plan(describe(*panels * 2, columns=4)).places[0]
    assert crowded.note_lines >= 2
    assert crowded.note.replace("\n", " ") == note
    assert first.note_lines == second.note_lines


# ---------------------------------------------------------------------- text that wraps


def gate(words: int) -> Panel:
    x = np.arange(float(words))
    heat = Heat(x, np.arange(4.0), np.arange(4.0 * words).reshape(4, words))
    return Panel(
        (heat, Line(x, x, "line"), Band(x, x, x, "rnn"), Points(x, x, "points"), Rule(50.0, "up")),
        Axis(words=("a",) * words),
        heading="RNN",
    )


@pytest.mark.parametrize(("words", "pieces"), [(40, 1), (41, 2), (80, 2), (100, 3)])
def test_text_wraps_on_a_phone_and_nothing_is_lost(words: int, pieces: int) -> None:
    panel, found = gate(words), wrapped(gate(words), 290)
    assert len(found) == pieces
    assert [piece.heading for piece in found] == ["RNN"] + [""] * (pieces - 1)
    assert sum((piece.x.words or () for piece in found), ()) == panel.x.words
    heats = [mark for piece in found for mark in piece.marks if isinstance(mark, Heat)]
    assert (np.concatenate([heat.values for heat in heats], axis=1) == panel.marks[0].values).all()  # type: ignore[union-attr]
    for kind in (Line, Points):
        assert np.concatenate([mark.y for piece in found for mark in piece.marks if isinstance(mark, kind)]).tolist() == list(range(words))
    assert sum(isinstance(mark, Rule) for piece in found for mark in piece.marks) == (1 if words > 50 or pieces == 1 else 0)
    if pieces > 1:
        assert all(heat.x[0] == 0 for heat in heats)
        assert len({piece.x.limits for piece in found}) == 1


def test_long_words_get_more_lines_than_letters() -> None:
    letters, words = gate(60), replace(gate(60), x=Axis(words=("gradient",) * 60))
    assert len(wrapped(letters, 810)) == 1
    assert len(wrapped(words, 810)) == 4


def test_a_diagonal_ends_inside_its_panel() -> None:
    drawn = plan(of("rule slope", "linear"))
    assert drawn.places[0].x.end > drawn.places[0].x.start


@pytest.mark.parametrize("narrow", [False, True])
@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_plane_has_one_scale_on_both_axes_and_cuts_nothing(count: int, narrow: bool) -> None:
    axes = Axis("real part", limits=(-1.5, 1.5)), Axis("imaginary part", limits=(-1.0, 1.0))
    panels = [Panel((Points(np.zeros(1), np.zeros(1), "one"),), *axes, f"run {at}") for at in range(count)]
    places = plan(describe(*panels, columns=count, shape="plane"), narrow=narrow).places
    for place in places:
        across, up = (length / (scale.end - scale.start) for length, scale in ((place.width, place.x), (place.height, place.y)))
        assert across == pytest.approx(up, rel=0.03)  # half a mark of room stands at every edge
        assert place.x.start <= -1.5
        assert place.x.end >= 1.5
        assert place.y.start <= -1
        assert place.y.end >= 1

"""Texts in pictures: lines that lose no cell, letters that can be read, and bars that end where their number is."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.text import Text

from gradviz.backends import matplotlib, plotly
from gradviz.backends._flow import LEAST, LINE, LONGEST, SHORTEST, lines
from gradviz.backends._layout import plan
from gradviz.backends._letters import DARK, LIGHT, frames, inks, on, size
from gradviz.backends.theme import TOKENS
from gradviz.charts._description import Axis, Bars, Description, Heat, Panel
from tests.pictures import INF, MARKS, NAN, T, describe

LETTERS = st.lists(st.sampled_from([*"abc", " ", "␣", "↵", ""]), max_size=200)


def text(letters: str, values: np.ndarray | None = None, **rest: object) -> Description:
    values = np.zeros(len(letters)) if values is None else values
    heat = Heat(np.arange(len(letters)), np.zeros(1), values[None], letters=(tuple(letters),), **rest)  # type: ignore[arg-type]
    return describe(Panel((heat,)), columns=1, shape="text")


def drawn(description: Description, room: float | None = None, *, narrow: bool = False) -> Heat:
    """The heat as it stands on the page."""
    return next(mark for mark in plan(description, room, narrow=narrow).places[0].panel.marks if isinstance(mark, Heat))


def read(heat: Heat) -> list[str]:
    """The lines as a reader sees them, from the top."""
    return ["".join(row) for row in reversed(heat.letters)]


@given(LETTERS, st.integers(1, 30))
def test_lines_hold_every_cell_once_and_in_order(letters: list[str], most: int) -> None:
    found = lines(letters, most)
    assert [cell for first, end in found for cell in range(first, end)] == list(range(len(letters)))
    assert all(end - first <= most for first, end in found)
    for first, end in found[:-1]:
        assert letters[end - 1] == "↵" or end - first == most or letters[end - 1] in (" ", "␣"), "a word that fits is not cut"
        assert "↵" not in letters[first : end - 1]


def test_words_that_fit_stay_whole_and_those_that_do_not_are_cut() -> None:
    assert lines("the␣gradient␣of", 8) == [(0, 4), (4, 12), (12, 15)]
    assert lines("a␣abcdefghij", 5) == [(0, 2), (2, 7), (7, 12)]
    assert lines("", 5) == [(0, 0)]
    assert lines("a↵", 5) == [(0, 2)]
    assert lines("↵↵a", 5) == [(0, 1), (1, 2), (2, 3)]


def test_a_text_is_laid_out_for_the_width_of_its_page() -> None:
    words = "the␣state␣" * 20
    wide, paper, phone = drawn(text(words)), drawn(text(words), 734), drawn(text(words), narrow=True)
    assert [wide.values.shape[1], phone.values.shape[1]] == [70, 40]
    assert 40 < paper.values.shape[1] <= LONGEST
    for heat in (wide, paper, phone):
        assert "".join(read(heat)) == words
        assert all(line.endswith("␣") for line in read(heat))
    place = plan(text(words), narrow=True).places[0]
    assert place.width / 40 >= LEAST
    assert plan(text(words)).places[0].height == LINE * len(read(wide))


def test_a_short_text_has_letters_of_the_usual_size() -> None:
    heat = drawn(text("ab"))
    assert heat.values.shape == (1, SHORTEST)
    assert np.ma.getmaskarray(heat.values)[0, 2:].all()


def test_values_hover_and_frames_go_with_their_letters() -> None:
    letters = "ab↵cd␣" * 10
    heat = drawn(text(letters, np.arange(60.0), hover=(tuple(map(str, range(60))),), framed=((0, 0), (0, 59))))
    for row, column in np.ndindex(heat.values.shape):
        if not np.ma.getmaskarray(heat.values)[row, column]:
            cell = int(heat.values[row, column])
            assert heat.letters[row][column] == letters[cell]
            assert heat.hover[row][column] == str(cell)
    top = len(heat.letters) - 1
    assert {float(heat.values[at]) for at in heat.framed} == {0, 59}
    assert (top, 0) in heat.framed


def test_cells_of_one_token_share_a_frame() -> None:
    heat = drawn(text("ab↵" + "cde" * 4, framed=((0, 1), (0, 4), (0, 5), (0, 8))))
    assert set(frames(heat)) == {(0.5, 0.5, 1.0), (0.5, -0.5, 2.0), (4.5, -0.5, 1.0)}
    shapes = plotly.figure(text("abcd", framed=((0, 1), (0, 2))))["layout"]["shapes"]
    assert {(shape["x0"], shape["x1"]) for shape in shapes} == {(0.5, 2.5)}


def test_texts_of_several_runs_have_cells_of_one_size() -> None:
    one, two = (Panel(text(letters).panels[0].marks) for letters in ("a" * 30, "b" * 60))
    places = plan(describe(one, two, columns=1, shape="text")).places
    assert {place.x.end for place in places} == {59.5}
    assert not any(place.x_labels or place.y_labels or place.x.ticks for place in places)


def luminance(colour: str) -> float:
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("scale", ["depth", "tide"])
def test_letters_can_be_read_on_every_colour(scale: str) -> None:
    stops = TOKENS["scale"][scale]
    heat = Heat(T, T[:1], np.zeros((1, 12)), scale, (0.0, float(len(stops) - 1)))  # type: ignore[arg-type]
    for at, stop in enumerate(stops):
        low, high = sorted((luminance(on(heat, float(at))), luminance(stop)))
        assert (high + 0.05) / (low + 0.05) >= 4.5
    assert {on(heat, value) for value in (NAN, INF, -INF)} == {LIGHT}


def test_the_ink_of_empty_cells_follows_the_theme() -> None:
    heat = drawn(text("a␣b", np.ma.masked_equal([0.0, 9.0, 1.0], 9.0)))
    assert {(ink.colour, ink.faint, ink.texts) for ink in inks(heat)} == {
        (LIGHT, False, ("a",)),
        (DARK, False, ("b",)),
        ("@ink", True, ("␣",)),
    }


def test_letters_too_small_to_read_are_left_out() -> None:
    heat = drawn(text("a" * 72))
    assert size(heat, 72 * 20) == size(heat, 72 * 9) == 13
    assert 5 < size(heat, 72 * 6) < 9.7
    assert size(heat, 72 * 3) == 0


def test_hover_tells_tokens_as_they_are() -> None:
    said = '“<b onload="x">” %{z} &amp; $x$'
    trace = next(one for one in plotly.figure(text("ab", hover=((said, "two"),)))["data"] if one["type"] == "heatmap")
    assert trace["hovertemplate"] == "%{text}<extra></extra>"
    assert trace["text"][0][0] == '“&lt;b onload="x"&gt;” &#37;{z} &amp;amp; &#36;x&#36;'
    assert trace["text"][0][1] == "two"


def test_matplotlib_writes_every_letter_and_no_markup() -> None:
    figure = matplotlib.draw(text("a<b>␣$x$↵c"))
    found = [item.get_text() for item in figure.axes[0].findobj(Text) if item.get_text()]
    assert sorted(found) == sorted("a<b>␣$x$↵c")


def test_bars_reach_from_their_base_to_their_number() -> None:
    bars = Bars(np.arange(4.0), np.array([-1.0, -2.5, -INF, NAN]), "factor", hover=tuple("abcd"))
    description = describe(Panel((bars,), Axis(), Axis("factor", "log", (-3.0, 0.0))))
    trace = next(one for one in plotly.figure(description)["data"] if one["type"] == "bar")
    assert (trace["base"], trace["y"], trace["x"], trace["text"]) == (0.0, [-1.0, -2.5], [0.0, 1.0], ["a", "b"])
    rails = [one for one in plotly.figure(description)["data"] if one["type"] == "scatter"]
    assert sorted(one["text"] for one in rails) == [["c"], ["d"]]
    patches = matplotlib.draw(description).axes[0].patches
    assert [(patch.get_y(), patch.get_height()) for patch in patches] == [(0.0, -1.0), (0.0, -2.5)]


def test_bars_have_room_at_both_ends_of_their_axis() -> None:
    place = plan(describe(Panel((Bars(np.arange(3.0), np.ones(3), "b"),)))).places[0]
    assert (place.x.low, place.x.high) == (-0.5, 2.5)
    assert place.y.low <= 0 < 1 <= place.y.high


def test_a_colour_bar_below_a_text_names_its_unit_beside_it() -> None:
    figure = plotly.figure(text("abc", unit="tanh of the cell state"))
    bar = figure["layout"]["coloraxis"]["colorbar"]
    assert (bar["orientation"], "title" in bar) == ("h", False)
    words = next(item for item in figure["layout"]["annotations"] if item["text"] == "tanh of the cell state")
    assert words["x"] >= bar["x"] + bar["len"] / 2 - 1e-4


def test_special_values_in_a_text_keep_their_letters() -> None:
    figure = plotly.figure(describe(Panel((MARKS["text"],)), shape="text"))
    written = {letter for one in figure["data"] if one.get("mode") == "text" for letter in one["text"]}
    assert {"&lt;", "b", "&gt;", "&#64;", "␣", "↵", "�", "&#36;", "a", "%"} <= written
    assert not written & {"∞", "×", "·"}


@pytest.mark.parametrize("narrow", [False, True])
@pytest.mark.parametrize(("limits", "log"), [((-3.0, 1.0), True), ((-2.0, 2.0), True), ((0.0, 1.0), False), ((-1.0, 1.0), False)])
def test_a_bar_below_a_text_has_ticks_enough_to_be_read(limits: tuple[float, float], log: bool, narrow: bool) -> None:
    drawn = plan(text("abc", limits=limits, log=log, unit="norm"), narrow=narrow)
    assert len(drawn.bars[0].ticks) >= 2
    assert 0 < drawn.bars[0].span[0] < drawn.bars[0].span[1] < 0.6

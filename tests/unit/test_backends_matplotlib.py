"""matplotlib figures: the same picture, the same bytes, nothing global."""

import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib.colors import to_hex

from gradviz.backends import matplotlib, plotly, theme
from gradviz.backends._layout import plan
from gradviz.errors import GradvizError
from tests.pictures import MARKS, describe, hostile, multiples, of


@pytest.mark.parametrize("width", [6.8, 3.3])
@pytest.mark.parametrize("scale", ["log", "linear"])
@pytest.mark.parametrize("name", MARKS)
def test_every_mark_with_every_value(name: str, scale: str, width: float) -> None:
    figure = matplotlib.draw(of(name, scale), width)
    assert figure.get_size_inches()[0] == pytest.approx(width)
    figure.canvas.draw()


@pytest.mark.parametrize("count", [1, 2, 5, 9])
def test_both_backends_say_the_same(count: int) -> None:
    """Same ticks, same limits, same labels: at a width of 6.8 inches, or 734 pixels."""
    description = multiples(count)
    axes = matplotlib.draw(description).axes
    layout = plotly.figure(description, width=734.4)["layout"]
    for index, ax in enumerate(axes):
        number = "" if index == 0 else str(index + 1)
        for letter, limits, labels in (("x", ax.get_xlim(), ax.get_xticklabels()), ("y", ax.get_ylim(), ax.get_yticklabels())):
            other = layout[f"{letter}axis{number}"]
            assert limits == pytest.approx(other["range"])
            shown = [label.get_text() for label in labels]
            assert shown == (other["ticktext"] if other["showticklabels"] else [""] * len(shown))


@pytest.mark.parametrize("name", MARKS)
def test_a_notebook_can_crop_it(name: str) -> None:
    """Notebooks save with a tight box, which an empty line that is not clipped would spoil."""
    figure = matplotlib.draw(of(name))
    box, size = figure.get_tightbbox(), figure.get_size_inches()
    assert np.isfinite(box.extents).all()
    assert box.width <= size[0] + 0.1
    assert box.height <= size[1] + 0.1
    drawn = [line for ax in figure.axes for line in ax.lines]
    assert all(np.isfinite(np.asarray(line.get_xydata(), dtype=float)).all(axis=1).any() for line in drawn)


def test_special_values_of_a_heatmap_are_drawn_in_their_colours() -> None:
    figure = matplotlib.draw(of("heat"))
    colours = {to_hex(image.cmap(0.5)) for image in figure.axes[0].images}
    assert {theme.colour(kind) for kind in ("zero", "infinite", "nan")} <= colours
    assert {text.get_text() for text in figure.axes[0].texts} >= {"·", "∞", "×"}


@pytest.mark.parametrize("suffix", ["svg", "pdf", "png"])
def test_equal_descriptions_give_equal_bytes(suffix: str, tmp_path: Path) -> None:
    for name in ("one", "two"):
        matplotlib.save(multiples(3, kind="heat"), tmp_path / f"{name}.{suffix}")
    one, two = (tmp_path / f"{name}.{suffix}" for name in ("one", "two"))
    assert one.read_bytes() == two.read_bytes()
    assert one.stat().st_size > 2000


def test_an_unknown_kind_of_picture_is_refused(tmp_path: Path) -> None:
    with pytest.raises(GradvizError, match=r"'a.gif'.*There is: .pdf, .png, .svg"):
        matplotlib.save(of("line"), tmp_path / "a.gif")


@pytest.mark.parametrize("name", ["line", "heat", "tiles", "points"])
def test_svg_stands_in_a_page(name: str) -> None:
    text = matplotlib.svg(of(name))
    root = ElementTree.fromstring(text)
    assert root.tag.endswith("svg")
    assert root.get("role") == "img"
    assert root[0].text == "A finding"
    ids = re.findall(r'\bid="([^"]+)"', text)
    assert len(ids) == len(set(ids))
    assert all(one.startswith("gradviz-") for one in ids)
    used = set(re.findall(r'href="#([^"]+)"', text)) | set(re.findall(r"url\(#([^)]+)\)", text))
    assert used <= set(ids)
    assert matplotlib.svg(of(name)) == text
    assert not re.findall(r"(?<!var\(--paper, )#ffffff", text)


def test_two_pictures_in_one_page_do_not_share_ids() -> None:
    one, two = (set(re.findall(r'\bid="([^"]+)"', matplotlib.svg(multiples(count)))) for count in (1, 2))
    assert not one & two


def test_svg_follows_the_page_s_theme() -> None:
    text = matplotlib.svg(multiples(1))
    for name in ("lstm", "muted", "axis", "grid", "ink"):
        value = theme.colour(name)
        if value in text:
            assert text.count(value) == len(re.findall(rf"var\(--[\w-]+, {value}\)", text))
    variables = set(re.findall(r"var\(--([\w-]+)", text))
    assert variables <= set(re.findall(r"--([\w-]+):", theme.css_variables("dark")))
    assert {"lstm", "muted", "font-text"} <= variables


def test_words_stay_words(tmp_path: Path) -> None:
    """Formulas are not set, letters that no font has are boxes, the XML is sound."""
    text = matplotlib.svg(hostile())
    ElementTree.fromstring(text)
    assert "<script>" not in text
    assert "$x^2$" in "".join(ElementTree.fromstring(text).itertext())
    matplotlib.draw(describe(replace(hostile().panels[3], heading=r"$\frac{$", note="$_")))  # not even a formula
    for suffix in ("png", "pdf"):
        matplotlib.save(hostile(), tmp_path / f"hostile.{suffix}")


def test_missing_is_a_sentence() -> None:
    figure = matplotlib.draw(describe(missing="Record gates, then train again."))
    assert [text.get_text() for text in figure.texts] == ["Record gates, then train again."]


def test_text_lies_inside_the_figure() -> None:
    """Nothing is cut off: ticks, titles, headings and notes of every panel."""
    for description, width in ((multiples(6), 6.8), (multiples(3), 3.3), (multiples(4, kind="heat"), 6.8), (of("tiles"), 6.8)):
        figure = matplotlib.draw(description, width)
        box = figure.bbox
        for ax in figure.axes:
            found = [*ax.texts, *ax.get_xticklabels(), *ax.get_yticklabels()]
            for text in (text for text in found if text.get_text() and text.get_visible()):
                extent = text.get_window_extent()
                assert extent.x0 >= box.x0 - 1, text
                assert extent.x1 <= box.x1 + 1, text
                assert extent.y0 >= box.y0 - 1, text
                assert extent.y1 <= box.y1 + 1, text


def test_the_plan_is_followed() -> None:
    drawn = plan(multiples(2), 734.4)
    ax = matplotlib.draw(multiples(2)).axes[1]
    left = (drawn.margin[3] + drawn.places[1].left) / drawn.width
    assert ax.get_position().x0 == pytest.approx(left)


def test_nothing_global_is_touched() -> None:
    code = (
        "import sys, matplotlib as m; before = m.rcParams.copy()\n"
        "from gradviz.backends import matplotlib as b, plotly as p; from tests.pictures import of\n"
        "b.svg(of('line')); p.figure(of('line'))\n"
        "assert m.rcParams.copy() == before; assert 'matplotlib.pyplot' not in sys.modules; assert 'plotly' not in sys.modules"
    )
    root = Path(__file__).parents[2]
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True, cwd=root, env={**os.environ, "PYTHONPATH": str(root)})

"""plotly figures: numbers arrive unchanged, words stay words, nothing else is asked for."""

import base64
import json
import re
from typing import Any

import numpy as np
import pytest

from gradviz.backends import plotly, theme
from gradviz.backends.plotly._escape import escape, numbers
from gradviz.charts._description import Axis, Heat, Line, Panel
from tests.pictures import INF, MARKS, NAN, SPECIAL, T, describe, hostile, multiples, of


def values(packed: Any) -> np.ndarray:
    """An array as plotly reads it."""
    if not isinstance(packed, dict):
        return np.array(packed, dtype=float)
    found = np.frombuffer(base64.b64decode(packed["bdata"]), dtype="<f4").astype(float)
    return found.reshape([int(size) for size in packed["shape"].split(",")]) if "shape" in packed else found


def strings(item: Any) -> list[str]:
    if isinstance(item, str):
        return [item]
    if isinstance(item, dict):
        return [text for value in item.values() for text in strings(value)]
    return [text for value in item for text in strings(value)] if isinstance(item, list | tuple) else []


@pytest.mark.parametrize("narrow", [False, True])
@pytest.mark.parametrize("scale", ["log", "linear"])
@pytest.mark.parametrize("name", MARKS)
def test_every_mark_with_every_value(name: str, scale: str, narrow: bool) -> None:
    figure = plotly.figure(of(name, scale), "dark", narrow=narrow)
    text = json.dumps(figure, allow_nan=False)  # no NaN, no numpy: any page can read it
    assert not re.search(r'"@\w', text)
    axes = {key for key in figure["layout"] if "axis" in key and "color" not in key}
    assert axes == {"xaxis", "yaxis"}
    assert figure["data"], "without a trace plotly draws no axes"
    for shape in figure["layout"]["shapes"]:
        assert all(np.isfinite(shape[key]) for key in ("x0", "x1", "y0", "y1"))
    if name.startswith("large"):
        assert len(text) < 300_000


@pytest.mark.parametrize("name", MARKS)
def test_plotly_itself_agrees(name: str) -> None:
    figure = plotly.to_figure(of(name))
    assert figure.layout.template.layout.to_plotly_json() == {}, "never the template of whoever was imported last"
    assert figure.layout.paper_bgcolor == theme.colour("paper")


def test_values_arrive_unchanged() -> None:
    rng = np.random.default_rng(0)
    z, y = rng.normal(size=(20, 30)), rng.normal(size=500)
    figure = plotly.figure(describe(Panel((Heat(np.arange(30), np.arange(20), z, log=True),)), Panel((Line(np.arange(500), y, "line"),))))
    heat, line = (next(trace for trace in figure["data"] if trace["type"] == kind) for kind in ("heatmap", "scatter"))
    assert values(heat["z"]) == pytest.approx(z, rel=1e-6)
    assert values(line["y"]) == pytest.approx(y, rel=1e-6)
    assert values(line["x"]).tolist() == list(range(500))


def test_small_arrays_are_lists_and_large_ones_are_packed() -> None:
    assert numbers(np.array([1.5, NAN])) == [1.5, None]
    packed = numbers(np.zeros((20, 30)))
    assert (packed["dtype"], packed["shape"]) == ("f4", "20, 30")


def test_special_values_of_a_line_have_their_marks() -> None:
    figure = plotly.figure(of("line"))
    rails = {text: at for at, text in zip(figure["layout"]["yaxis"]["tickvals"], figure["layout"]["yaxis"]["ticktext"], strict=True)}
    found = {trace["hovertemplate"]: trace for trace in figure["data"] if trace.get("mode") == "markers" and "hovertemplate" in trace}
    assert found["exactly 0 (underflow)"]["x"] == [2.0, 3.0]
    assert found["exactly 0 (underflow)"]["y"] == pytest.approx([rails["zero"]] * 2)
    assert found["infinite (overflow)"]["x"] == [5.0, 6.0]
    assert found["infinite (overflow)"]["y"] == pytest.approx([rails["∞"]] * 2)
    assert found["not a number from here on"]["x"] == [7.0, 10.0]
    line = next(trace for trace in figure["data"] if trace.get("mode") == "lines+markers")
    assert line["y"] == [1, 0, None, None, 2, None, None, 1, None, None, 3, None]
    assert not line["connectgaps"]


def test_special_values_of_a_heatmap_have_their_colours_and_marks() -> None:
    figure = plotly.figure(of("heat"))
    flat = {trace["colorscale"][0][1]: trace for trace in figure["data"] if "colorscale" in trace}
    for name, test in (("@zero", np.isneginf), ("@infinite", np.isposinf), ("@nan", np.isnan)):
        assert (np.isfinite(values(flat[name]["z"])) == test(np.stack([SPECIAL] * 3))).all()
    assert {text for trace in figure["data"] if trace.get("mode") == "text" for text in trace["text"]} == {"·", "∞", "×"}


def test_every_heatmap_shares_the_colour_axis() -> None:
    figure = plotly.figure(multiples(4, kind="heat"))
    assert {trace["coloraxis"] for trace in figure["data"] if "coloraxis" in trace} == {"coloraxis"}
    assert figure["layout"]["coloraxis"]["cmin"] == -5


def test_words_stay_words() -> None:
    """No tag that was not ours, no formula, no template, no colour name in what came from outside."""
    figure = plotly.figure(hostile())
    ours = r"</?b>|<br>|</?sup>|<extra>|</extra>"
    for text in strings(figure):
        rest = re.sub(ours, "", text)
        assert "<" not in rest
        assert "alert" not in rest or "&lt;script&gt;alert" in rest or "…" in rest or rest.startswith("alert")
        assert not re.search(r"&(?!(amp|lt|gt|#36|#37|#64);)", rest)
        assert "$" not in rest
        assert not re.search(r"%\{(?!(x|y|z|text)[:}])", rest)
        assert not re.search("[\x00-\x08\u202e\ud800]", rest)
    assert theme.resolve(figure, "light")  # what begins with @ is a colour of ours


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("<b>x</b>", "&lt;b&gt;x&lt;/b&gt;"),
        ("a & b", "a &amp; b"),
        ("$x$", "&#36;x&#36;"),
        ("%{y}", "&#37;{y}"),
        ("@rnn", "&#64;rnn"),
        ("a\nb", "a<br>b"),
    ],
)
def test_escape(text: str, escaped: str) -> None:
    assert escape(text) == escaped


def test_a_phone_and_a_page_share_the_data() -> None:
    found = plotly.responsive(multiples(6, kind="heat", shape="film"))
    assert set(found) == {"data", "wide", "narrow"}
    assert found["narrow"]["dragmode"] is False
    wraps = plotly.responsive(describe(Panel((MARKS["heat"],), Axis(words=("gradient",) * 12))))
    assert "narrow_data" in wraps


def test_missing_is_a_sentence_and_no_axes() -> None:
    figure = plotly.figure(describe(missing="Record gates, then train again."))
    assert [note["text"] for note in figure["layout"]["annotations"]] == ["Record gates, then train again."]
    assert not figure["layout"]["xaxis"]["visible"]


def test_a_fragment_for_notebooks_is_whole_and_harmless() -> None:
    text = plotly.html(hostile(), library=False)
    assert text.startswith("<figure>")
    assert "<script>alert" not in text
    assert "&lt;b&gt;@rnn&lt;/b&gt;" in text
    assert not re.findall(r"""(?:src|href)=["']http""", text)
    assert "Plotly.newPlot" in text


def test_lines_of_several_panels_are_read_out_together() -> None:
    assert plotly.figure(multiples(3))["layout"]["hovermode"] == "x unified"
    assert plotly.figure(multiples(3, kind="heat"))["layout"]["hovermode"] == "closest"


def test_infinity_alone_is_drawn() -> None:
    figure = plotly.figure(describe(Panel((Line(T, np.full(12, INF), "lost", marker="circle"),))))
    assert any(trace.get("hovertemplate") == "infinite (overflow)" for trace in figure["data"])

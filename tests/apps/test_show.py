"""How descriptions get onto a page: cut into pieces, downloaded, and with text that stays text."""

import dataclasses
import io
import re
from pathlib import Path

import numpy as np
import pandas as pd

from gradviz import frames
from gradviz.backends import plotly as live
from gradviz.charts import Description
from gradviz.charts._description import Axis, Line, Panel
from gradviz.dashboards import look, pieces, show
from gradviz.dashboards.views.gradient_flow import headline
from tests.synthetic import Variant, make_run

EVIL = "<img id=evil src=x onerror=alert(1)> :red[x] $y$ **z** [a](b) `c`"


def test_downloads_hold_the_data_and_the_picture() -> None:
    frame = pd.DataFrame({"step": [0, 1], "loss": [2.0, 1.0]})
    line = Line(np.array([0.0, 1.0]), np.array([2.0, 1.0]), "loss")
    description = Description("test", "t", "s", "l", frame, (Panel((line,)),))
    pd.testing.assert_frame_equal(pd.read_csv(io.BytesIO(show.content(description, "csv"))), frame)
    assert show.content(description, "png").startswith(b"\x89PNG")
    assert b"<svg" in show.content(description, "svg")


def test_pieces_of_small_multiples_keep_every_trace_once() -> None:
    x = np.arange(5.0)
    panels = tuple(Panel((Line(x, x * k, f"line {k}", label=f"end {k}"),), Axis("step"), Axis("value"), f"panel {k}") for k in (1, 2, 30))
    description = Description("test", "t", "s", "l", pd.DataFrame(), panels)
    cut = pieces.cut(description, "light")
    whole = live.figure(dataclasses.replace(description, columns=1), "light")
    assert sum(len(piece["data"]) for piece in cut) == len(whole["data"])
    assert len({tuple(piece["layout"]["yaxis"]["range"]) for piece in cut}) == 1, "panels that are compared share their limits"
    for k, piece in zip((1, 2, 30), cut, strict=True):
        words = " ".join(item["text"] for item in piece["layout"]["annotations"])
        assert f"panel {k}" in words
        assert f"end {k}" in words
        assert {item["xref"].split(" ")[0] for item in piece["layout"]["annotations"]} == {"x"}


def test_plain_text_leaves_no_letter_with_a_meaning_to_markdown() -> None:
    shown = look.plain(EVIL)
    for letter in "<>:[]$*()`":
        assert re.search(rf"(?<!\\){re.escape(letter)}", shown) is None, letter
    assert shown.replace("\\", "") == EVIL


def test_the_headline_of_the_gradient_flow_is_true(tmp_path: Path) -> None:
    for name, decay in (("one", 1.1), ("two", 1.001), ("three", 0.9), ("four", 0.7)):
        make_run(tmp_path / name, family="gru", variant=Variant(decay=(decay, decay)))
    make_run(tmp_path / "none", family="gru", steps=0)
    one, two, three, four, none = (frames.load(tmp_path / name) for name in ("one", "two", "three", "four", "none"))
    assert headline([one], 9) == "At training step 9 the gradient grows on its way back"
    assert headline([three, four], 9) == "At training step 9 the gradient fades in 2 of 2 runs"
    every = "the gradient grows in 1 of 5 runs, stays level in 1, fades in 2 and has no measurable pace in 1"
    assert headline([one, two, three, four, none], 9) == f"At training step 9 {every}"


def test_a_piece_keeps_its_own_label_below() -> None:
    x = np.arange(5.0)
    panels = tuple(Panel((Line(x, x, "line"),), Axis(label), Axis("value")) for label in ("unit", "state"))
    cut = pieces.cut(Description("test", "t", "s", "l", pd.DataFrame(), panels, columns=2), "light")
    assert [piece["layout"]["xaxis"]["title"]["text"] for piece in cut] == ["unit", "state"]

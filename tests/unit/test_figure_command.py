"""gradviz figure: a figure for a paper, and what is said when it cannot be made."""

import re
from dataclasses import fields
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imread
from matplotlib.text import Text

from gradviz.backends import matplotlib
from gradviz.charts import CHARTS
from gradviz.frames import Run, load_runs
from tests.synthetic import Variant, make_run


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("figure")
    make_run(out / "rnn", steps=12, variant=Variant(time=24))
    make_run(out / "lstm", "lstm", True, steps=12, variant=Variant(time=24))
    return out


@pytest.fixture(scope="module")
def runs(folder: Path) -> list[Run]:
    return load_runs(folder)


LONGER = {"units": {"text": "two words, and a third; then more of them. " * 8}}  # than the recorded sequences are


@cache
def _described(name: str, runs: tuple[Run, ...]):
    return CHARTS[name](**LONGER.get(name, {})).describe(runs)


@pytest.mark.parametrize("width", [3.3, 6.8])
@pytest.mark.parametrize("name", list(CHARTS))
def test_no_text_leaves_the_figure(name: str, width: float, runs: list[Run]) -> None:
    description = _described(name, tuple(runs))
    assert not description.missing
    figure = matplotlib.draw(description, width, title=True)
    renderer, page = figure.canvas.get_renderer(), figure.bbox  # type: ignore[attr-defined]
    texts = [text for text in figure.findobj(Text) if isinstance(text, Text) and text.get_visible() and text.get_text().strip()]
    assert any(text.get_text().startswith(description.title[:12]) for text in texts)
    for text in texts:
        box = text.get_window_extent(renderer)
        assert box.x0 >= page.x0 - 0.5, text
        assert box.y0 >= page.y0 - 0.5, text
        assert box.x1 <= page.x1 + 0.5, text
        assert box.y1 <= page.y1 + 0.5, text


def test_pdf_holds_text_and_the_caption_is_told(gradviz, here: Path, folder: Path) -> None:
    status, out, _ = gradviz("figure", "waterfall", str(folder / "rnn"), "-o", "a.pdf", "--layer", "0", "--no-start")
    assert status == 0
    data = (here / "a.pdf").read_bytes()
    assert data.startswith(b"%PDF")
    assert b"/Subtype /Type0" in data or b"/Type42" in data or b"/CIDFontType2" in data, "TrueType, not outlines of type 3"
    assert b"/Type3" not in data
    assert out.startswith("In ") or out[0].isupper()
    assert "After Pascanu" in out
    assert "Written: a.pdf" in out
    assert "Grey" not in out, "the start was left out, so the caption does not speak of it"


@pytest.mark.parametrize(("width", "dpi"), [(3.3, 100), (6.8, 50)])
def test_a_png_has_the_size_asked_for(gradviz, here: Path, folder: Path, width: float, dpi: int) -> None:
    assert gradviz("figure", "loss", str(folder), "-o", "a.png", "--width", str(width), "--dpi", str(dpi))[0] == 0
    assert imread(here / "a.png").shape[1] == pytest.approx(width * dpi, abs=1)


def test_svg_holds_text_and_a_title_only_if_asked(gradviz, here: Path, folder: Path) -> None:
    title = _described("loss", tuple(load_runs(folder))).title
    for name, words in (("a.svg", ()), ("b.svg", ("--title",))):
        assert gradviz("figure", "loss", str(folder), "-o", name, *words)[0] == 0
    plain, titled = ((here / name).read_text(encoding="utf-8") for name in ("a.svg", "b.svg"))
    begin = title.split(",")[0][:12]
    assert "<text" in plain
    assert not re.search(f">{re.escape(begin)}", plain)
    assert re.search(f">{re.escape(begin)}", titled)


def test_without_a_name_it_lists_all(gradviz) -> None:
    status, out, _ = gradviz("figure")
    assert status == 0
    assert all(name in out and CHARTS[name].purpose in out for name in CHARTS)


@pytest.mark.parametrize("name", list(CHARTS))
def test_help_shows_the_options_of_the_chart(gradviz, name: str) -> None:
    status, out, _ = gradviz("figure", name.replace("_", "-"), "--help")
    assert status == 0
    for option in [item.name for item in fields(CHARTS[name])]:  # type: ignore[arg-type]
        assert re.search(rf"--(chart\.)?{option.replace('_', '-')}\b", out)


REFUSED = {
    "chart": (("waterfal", "{}"), "Did you mean 'waterfall'"),
    "extension": (("loss", "{}", "-o", "a.gif"), ".pdf, .png, .svg"),
    "folder": (("loss", "{}", "-o", "no/a.pdf"), "there is no folder no"),
    "option": (("loss", "{}", "--step", "2"), "unknown option '--step'"),
    "value": (("waterfall", "{}", "--step", "x"), "whole number"),
    "limit": (("waterfall", "{}", "--layer", "-7"), "at least -1"),
    "width": (("loss", "{}", "--width", "0"), "between 1.5 and 30"),
    "not a width": (("loss", "{}", "--width", "nan"), "between 1.5 and 30"),
    "runs": (("loss",), "there is no ./gradviz-runs"),
    "run": (("loss", "nowhere"), "nowhere"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_made_is_said_and_leaves_no_file(gradviz, here: Path, folder: Path, case: str) -> None:
    words, said = REFUSED[case]
    status, _, err = gradviz("figure", *(word.format(folder) for word in words))
    assert status == 2
    assert said in err
    assert not list(here.iterdir())


def test_missing_data_says_what_to_record(gradviz, here: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    bare = make_run(tmp_path_factory.mktemp("bare") / "run", steps=0)
    status, _, err = gradviz("figure", "clip_ledger", str(bare))
    assert status == 2
    assert "nothing to draw" in err
    assert not list(here.iterdir())


def test_a_file_is_kept_unless_forced(gradviz, here: Path, folder: Path) -> None:
    (here / "loss.pdf").write_text("mine")
    status, _, err = gradviz("figure", "loss", str(folder))
    assert status == 2
    assert "--force" in err
    assert (here / "loss.pdf").read_text() == "mine"
    assert gradviz("figure", "loss", str(folder), "--force")[0] == 0
    assert (here / "loss.pdf").read_bytes().startswith(b"%PDF")


def test_runs_of_this_folder_are_taken_if_none_is_named(gradviz, here: Path) -> None:
    make_run(here / "gradviz-runs" / "x", steps=3, variant=Variant(bad_from=2))
    assert gradviz("figure", "loss")[0] == 0
    assert (here / "loss.pdf").exists()


def test_an_option_with_a_name_of_the_command_s_own(gradviz, here: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CHARTS, "_entries", dict(CHARTS._entries))  # what is added is gone afterwards
    (here / "wide.py").write_text(WIDE, encoding="utf-8")
    status, out, err = gradviz("--extend", "wide.py", "figure", "wide", str(folder), "--chart.width", "3", "-o", "w.png", "--dpi", "40")
    assert (status, err) == (0, "")
    assert "Three is 3" in out
    assert np.ptp(imread(here / "w.png")) > 0


WIDE = '''
from collections.abc import Sequence
from dataclasses import dataclass
import numpy as np
import pandas as pd
from gradviz.extend import Axis, Chart, Description, Line, Panel, Run, option


@dataclass(frozen=True)
class Wide(Chart):
    """A chart."""

    needs = ()
    purpose = "a line"
    width: int = option(1, "how wide", low=1)

    def describe(self, runs: Sequence[Run]) -> Description:
        line = Line(np.arange(3.0), np.arange(3.0), "a")
        return Description("wide", f"Three is {self.width}", "Sub.", "Look.", pd.DataFrame(), (Panel((line,), Axis("x"), Axis("y")),))
'''

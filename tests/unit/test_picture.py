"""What a notebook shows of a chart."""

import html
import json
import re
from html import escape
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest

import gradviz
from gradviz import Picture
from gradviz.backends import plotly
from gradviz.charts import CHARTS
from gradviz.errors import GradvizError
from gradviz.frames import Run, load_runs
from tests.pictures import hostile
from tests.synthetic import Variant, make_run

PLOTLY = "application/vnd.plotly.v1+json"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("picture")
    make_run(out / "rnn", steps=12, variant=Variant(time=24))
    make_run(out / "lstm", "lstm", True, steps=12, variant=Variant(time=24))
    return out


@pytest.fixture(scope="module")
def runs(folder: Path) -> list[Run]:
    return load_runs(folder)


def test_it_says_what_its_description_says(runs: list[Run]) -> None:
    picture, said = gradviz.chart("waterfall", runs, start=False), CHARTS["waterfall"](start=False).describe(runs)
    assert (picture.title, picture.missing) == (said.title, "")
    assert picture.frame.equals(said.frame)
    assert picture.plotly("dark").layout.paper_bgcolor != picture.plotly().layout.paper_bgcolor
    assert picture.matplotlib(3.3).get_size_inches()[0] == pytest.approx(3.3)


def test_runs_paths_and_folders_of_runs_are_one(folder: Path, runs: list[Run]) -> None:
    title = gradviz.chart("loss", runs).title
    for given in (folder, str(folder), [folder / "rnn", str(folder / "lstm")], [runs[0], folder / "lstm"]):
        assert gradviz.chart("loss", given).title == title
    assert set(gradviz.chart("loss", runs[0]).frame["run"]) == {runs[0].label}


def test_what_does_not_exist_is_an_error_that_lists_what_does(runs: list[Run]) -> None:
    with pytest.raises(GradvizError, match=r"'stepp'.*Did you mean 'step'.*layer, point, start, step"):
        gradviz.chart("waterfall", runs, stepp=3)
    with pytest.raises(GradvizError, match=r"Waterfall.step.*type int"):
        gradviz.chart("waterfall", runs, step="3")
    with pytest.raises(GradvizError, match="Did you mean 'waterfall'"):
        gradviz.chart("waterfal", runs)
    with pytest.raises(GradvizError, match="nowhere"):
        gradviz.chart("waterfall", "nowhere")


@pytest.mark.parametrize("kind", ["svg", "pdf", "png"])
def test_it_saves_itself(kind: str, runs: list[Run], tmp_path: Path) -> None:
    picture = gradviz.chart("loss", runs)
    first, second = (picture.save(tmp_path / f"{name}.{kind}", dpi=60).read_bytes() for name in "ab")
    assert first == second
    with pytest.raises(GradvizError, match=r"There is: \.pdf, \.png, \.svg"):
        picture.save(tmp_path / "a.jpg")
    with pytest.raises(GradvizError, match="cannot write"):
        picture.save(tmp_path / "no" / f"a.{kind}")


class Fragment(HTMLParser):
    """The elements of a fragment, each closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_html_is_a_fragment_without_scripts_and_requests(runs: list[Run]) -> None:
    picture = gradviz.chart("waterfall", runs)
    text = picture._repr_html_()
    tags = {tag for tag, _ in Fragment(text).elements}
    assert not tags & {"script", "html", "body", "link", "iframe", "img"}
    assert all(escape(part) in text for part in (picture.title, picture.description.subtitle, picture.description.look_for))
    assert not re.search(r"@import|url\((?!#)|(?:href|src)=\"(?!#)", text)
    assert "*{" not in text, "a rule for the whole notebook"
    assert "data-jp-theme-light=false" in text
    assert ".vscode-dark" in text


def test_pictures_of_one_page_do_not_disturb_each_other(runs: list[Run]) -> None:
    texts = [gradviz.chart(name, some)._repr_html_() for name in ("loss", "decay") for some in (runs, runs[:1])]
    ids = [re.findall(r'\bid="([^"]+)"', text) for text in texts]
    assert all(ids)
    flat = [item for some in ids for item in some]
    assert len(flat) == len(set(flat))
    for text, own in zip(texts, ids, strict=True):
        assert set(re.findall(r'(?:href="#|url\(#)([^")]+)', text)) <= set(own)


def test_hostile_words_stay_words() -> None:
    picture = Picture(hostile())
    for tag, attributes in Fragment(picture._repr_html_()).elements:
        assert tag not in ("script", "img"), tag
        assert not any(name.startswith("on") for name in attributes)
    annotations = json.dumps(picture._repr_mimebundle_()[PLOTLY]["layout"]["annotations"])
    assert "<script" not in annotations
    assert "<img" not in annotations


def test_a_notebook_may_choose(runs: list[Run]) -> None:
    picture = gradviz.chart("loss", runs)
    bundle = picture._repr_mimebundle_()
    assert bundle == {"text/plain": picture.title, "text/html": picture._repr_html_(), PLOTLY: plotly.told(picture.description)}
    ElementTree.fromstring(re.search(r"<svg.*</svg>", bundle["text/html"], flags=re.DOTALL)[0])  # type: ignore[index]


def test_with_nothing_to_draw_there_are_words() -> None:
    picture = gradviz.chart("waterfall")
    bundle = picture._repr_mimebundle_()
    assert PLOTLY not in bundle
    assert escape(picture.missing) in bundle["text/html"]
    assert "<svg" not in bundle["text/html"]


@pytest.mark.parametrize("name", list(CHARTS))
def test_a_front_end_that_knows_plotly_gets_all_words_and_plain_numbers(name: str, runs: list[Run]) -> None:
    description = CHARTS[name]().describe(runs)
    told, alone = plotly.told(description), plotly.figure(description, width=760)
    text = json.dumps(told, allow_nan=False)
    assert "bdata" not in text, "plotly.js before 2.35 does not know it"
    assert '"@' not in text
    said = html.unescape(" ".join(item["text"].replace("<br>", " ") for item in told["layout"]["annotations"]))
    assert all(part[:40] in said for part in (description.title, description.subtitle, description.look_for))
    inner = {size["height"] - size["margin"]["t"] - size["margin"]["b"] for size in (told["layout"], alone["layout"])}
    assert len(inner) == 1, "room for the words was added outside of the picture"
    assert all(text in said for _, text in description.key)


def test_large_arrays_come_as_the_numbers_they_were(tmp_path: Path) -> None:
    make_run(tmp_path / "big", steps=60, variant=Variant(bad_from=30))
    picture = gradviz.chart("film", tmp_path)
    (heat, *_) = [mark for mark in picture.description.panels[0].marks if type(mark).__name__ == "Heat"]
    rows = [trace["z"] for trace in picture._repr_mimebundle_()[PLOTLY]["data"] if trace["type"] == "heatmap" and "z" in trace]
    finite = [value for row in rows[0] for value in row if value is not None]
    wanted = heat.values[abs(heat.values) < 300]
    assert min(finite) == pytest.approx(float(wanted.min()), abs=1e-4)
    assert max(finite) == pytest.approx(float(wanted.max()), abs=1e-4)

"""The gallery: every chart is in it, nothing but text gets in, and nothing goes out."""

import re
from collections import Counter
from dataclasses import fields
from datetime import UTC, datetime
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import pytest

from gradviz.charts import CHARTS
from gradviz.errors import GradvizError
from gradviz.frames import Run, load_runs
from gradviz.reports.gallery import few, gallery
from tests.documents import files_in
from tests.synthetic import Variant, make_run

NOW = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
HOSTILE = "</svg></style><script>alert(1)</script><img src=x onerror=alert(1)>\"'&"
VOID = {"meta", "link", "br", "hr", "img", "input"}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[Run]:
    folder = tmp_path_factory.mktemp("runs")
    make_run(folder / "rnn", steps=12, variant=Variant(name=HOSTILE, time=24))
    make_run(folder / "lstm", "lstm", True, steps=12, variant=Variant(time=24))
    return load_runs(folder)


@pytest.fixture(scope="module")
def text(runs: list[Run]) -> str:
    return gallery(runs, origin="Where they come from.", now=NOW).html()


class Page(HTMLParser):
    """Elements and words of a page; an element that is not closed, or closed twice, is an error."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture(scope="module")
def page(text: str) -> Page:
    return Page(text)


def test_every_chart_is_there_with_its_words(page: Page, text: str) -> None:
    said = " ".join(" ".join(page.words).split())
    anchors = {f"#chart-{name.replace('_', '-')}" for name in CHARTS}
    assert anchors <= {link["href"] for link in page.all("a")}
    assert {anchor[1:] for anchor in anchors} == {item["id"] for item in page.all("article")}
    for name, kind in CHARTS._entries.items():
        assert said.count(kind.purpose) >= 2, "in the overview and above the figure"
        assert f"gradviz figure {name}" in text.replace("<span>", "").replace("</span>", "")
        assert all(table in said for table in kind.needs)
    assert "Where they come from." in said


def test_options_are_told_with_their_default(page: Page) -> None:
    said = " ".join(" ".join(page.words).split())
    for kind in CHARTS._entries.values():
        for item in fields(kind):  # type: ignore[arg-type]
            assert item.metadata["help"].replace("\n", " ") in said


def test_pictures_are_wide_and_narrow_with_ids_of_their_own(page: Page, text: str) -> None:
    pictures = re.findall(r'<svg style="stroke.*?</svg>', text, flags=re.DOTALL)
    drawn = len(CHARTS) - text.count('<p class="missing">')
    assert drawn >= 9
    assert len(pictures) == 2 * drawn
    for picture in pictures:
        ElementTree.fromstring(picture)
    ids = Counter(attributes["id"] for _, attributes in page.elements if attributes.get("id"))
    assert max(ids.values()) == 1
    wanted = {
        attributes[name][1:]
        for _, attributes in page.elements
        for name in ("href", "xlink:href")
        if (attributes.get(name) or "").startswith("#")
    }
    assert wanted - {"main"} <= set(ids)


def test_hostile_names_stay_text(page: Page) -> None:
    assert not page.all("script")
    assert not page.all("noscript")
    assert not [attributes for tag, attributes in page.elements if tag == "img" or any(name.startswith("on") for name in attributes)]
    assert "alert(1)" in " ".join(page.words)


def test_nothing_points_outside(page: Page, text: str) -> None:
    for tag, attributes in page.elements:
        for name in ("href", "xlink:href", "src", "action"):
            assert re.match(r"#|data:", attributes.get(name) or "#"), (tag, attributes)
    assert not re.search(r"@import|url\((?!#|&quot;#|data:)", text)
    (policy,) = [item["content"] for item in page.all("meta") if item.get("http-equiv") == "Content-Security-Policy"]
    assert "default-src 'none'" in str(policy)
    assert "http" not in str(policy)


def test_the_basics_for_readers_who_listen(page: Page) -> None:
    assert page.all("html")[0]["lang"] == "en"
    assert len(page.all("title")) > 1, "the page's, and one in each picture"
    assert len(page.all("h1")) == 1
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch("h[1-6]", tag)]
    assert all(after <= before + 1 for before, after in pairwise(levels))
    for picture in page.all("svg"):
        assert picture.get("role") == "img" or picture.get("aria-hidden") == "true"


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """A small registry, for pages that are made more than once."""
    two = {name: CHARTS[name] for name in ("loss", "text_probability")}
    monkeypatch.setattr(CHARTS, "_entries", two)


@pytest.mark.usefixtures("small")
def test_the_same_runs_give_the_same_bytes(runs: list[Run]) -> None:
    assert gallery(runs, now=NOW).html() == gallery(runs, now=NOW).html()


@pytest.mark.usefixtures("small")
def test_a_chart_that_cannot_be_drawn_keeps_its_place(monkeypatch: pytest.MonkeyPatch, runs: list[Run]) -> None:
    def refuse(self: object, runs: object) -> None:
        raise GradvizError("no <b>such</b> thing")

    monkeypatch.setattr(CHARTS["loss"], "describe", refuse)
    page = gallery(runs, now=NOW).html()
    assert "no &lt;b&gt;such&lt;/b&gt; thing" in page
    assert 'id="chart-loss"' in page
    none = gallery([], now=NOW).html()
    assert none.count('<article class="chart"') == 2
    assert none.count('<p class="missing">') == 2


def test_few_are_one_of_each_cell(tmp_path: Path) -> None:
    for family in ("rnn", "gru", "lstm"):
        for clipped in (False, True):
            make_run(tmp_path / f"{family}{clipped}", family, clipped, steps=1)
    make_run(tmp_path / "adding", "gru", True, "adding", steps=1)
    assert [run.name for run in few(load_runs(tmp_path))] == ["rnnFalse", "gruTrue", "lstmTrue"]
    assert few([]) == []


def test_the_command_keeps_a_file_and_takes_runs(gradviz, here: Path, small: None) -> None:
    make_run(here / "gradviz-runs" / "one", steps=3)
    assert gradviz("gallery")[0] == 0
    assert "one (RNN" in (here / "gradviz-gallery.html").read_text(encoding="utf-8")
    status, _, err = gradviz("gallery")
    assert status == 2
    assert "--force" in err
    assert gradviz("gallery", "gradviz-runs/one", "-o", "two.html")[0] == 0


def test_a_chart_from_outside_is_in_it(gradviz, here: Path, small: None) -> None:
    (here / "spread_over_training.py").write_text(files_in("CONTRIBUTING.md")["spread_over_training.py"], encoding="utf-8")
    make_run(here / "gradviz-runs" / "one", steps=3)
    assert gradviz("--extend", "spread_over_training.py", "gallery")[0] == 0
    page = (here / "gradviz-gallery.html").read_text(encoding="utf-8")
    assert page.count('<article class="chart"') == 3
    assert "how differently the units behave, over training" in page


def test_without_runs_it_trains_a_few(gradviz, here: Path, small: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gradviz.commands.gallery.UPDATES", 2)
    status, out, _ = gradviz("gallery")
    assert status == 0
    assert "3 small networks are trained" in out
    page = (here / "gradviz-gallery.html").read_text(encoding="utf-8")
    assert "trained for this page and not kept" in page
    assert 'class="missing"' not in page
    assert [path.name for path in here.iterdir()] == ["gradviz-gallery.html"]

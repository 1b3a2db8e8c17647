"""Reports: what is in the page, what is kept out of it, and that nothing is lost on the way."""

import base64
import gzip
import hashlib
import json
import re
from copy import deepcopy
from datetime import UTC, datetime
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from gradviz.charts import CHARTS, Description
from gradviz.errors import GradvizError
from gradviz.findings import FINDINGS
from gradviz.frames import Run, load_runs
from gradviz.reports import KINDS, Report, report
from tests.synthetic import Variant, make_run

NOW = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
HOSTILE = "</script><script>alert(1)</script><!-- \u2028 \"'<img src=x onerror=alert(1)>"
VOID = {"meta", "link", "br", "hr", "img", "input"}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[Run]:
    folder = tmp_path_factory.mktemp("runs")
    for family, clipped in (("rnn", False), ("rnn", True), ("gru", True), ("lstm", True)):
        make_run(folder / f"text-{family}-{clipped}", family=family, clipped=clipped, task="text", steps=10)
    for family in ("rnn", "gru"):
        make_run(folder / f"adding-{family}", family=family, clipped=True, task="adding", steps=10)
    return load_runs(folder)


@pytest.fixture(scope="module", params=["demo", "compare"])
def made(request: pytest.FixtureRequest, runs: list[Run]) -> Report:
    return report(runs, request.param, now=NOW)


class Page(HTMLParser):
    """A page's elements, with the text of each id; an element that is not closed, or closed twice, is an error."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[tuple[str, dict[str, str | None]]] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(text)
        self.close()
        assert not self.open, f"not closed: {self.open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID and not (self.get_starttag_text() or "").endswith("/>"):
            self.open.append((tag, dict(attrs)))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop()[0] == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def unpacked(page: str) -> Any:
    found = re.search(r'id="pack">([^<]*)<', page)
    assert found
    return json.loads(gzip.decompress(base64.b64decode(found[1])))


def test_the_page_is_well_formed_and_says_the_claim(made: Report) -> None:
    page = Page(made.html())
    assert [attributes["lang"] for attributes in page.all("html")] == ["en"]
    assert len(page.all("h1")) == len(page.all("main")) == len(page.all("title")) == 1
    assert page.texts.count(made.title) == 1
    assert f"{made.title} · gradviz" in page.texts
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    links = [attributes["href"] for attributes in page.all("a")]
    assert {link[1:] for link in links if link and link.startswith("#")} <= set(ids)


def test_headings_never_skip_a_level(made: Report) -> None:
    levels = [int(tag[1]) for tag, _ in Page(made.html()).elements if re.fullmatch("h[1-6]", tag)]
    main = levels[levels.index(1) :]
    assert all(after - before <= 1 for before, after in pairwise(main))


def test_every_plot_has_data_to_draw_and_a_table(made: Report) -> None:
    page, pack = Page(made.html()), unpacked(made.html())
    plots = [attributes["data-figure"] for attributes in page.all("div") if "data-figure" in attributes]
    assert sorted(plots, key=str) == sorted(pack["figures"])
    assert len(plots) >= 8
    for shown in pack["figures"].values():
        lengths = {len(column.get("values", column.get("codes"))) for column in shown["table"]["columns"]}
        assert len(lengths) == 1
        assert lengths.pop() > 0


def test_every_rule_and_every_run_is_in_the_page(made: Report, runs: list[Run]) -> None:
    text = "".join(Page(made.html()).texts)
    for code in FINDINGS:
        assert FINDINGS[code].rule in text
        assert FINDINGS[code].remedy in text
        for run in runs:
            assert FINDINGS[code]().check(run).summary in text
    for run in runs:
        assert run.label.partition(", ")[0] in text


def test_same_runs_same_bytes(runs: list[Run]) -> None:
    first = report(runs[:2], "demo", now=NOW).html()
    assert first == report(runs[:2], "demo", now=NOW).html()
    later = report(runs[:2], "demo", now=datetime(2027, 5, 6, tzinfo=UTC)).html()
    assert "2026-01-02 03:04 UTC" in first
    assert later.replace("2027-05-06 00:00", "2026-01-02 03:04") == first


def test_nothing_points_outside(made: Report) -> None:
    for tag, attributes in Page(made.html()).elements:
        for name in ("src", "href", "action", "data", "srcset"):
            assert (attributes.get(name) or "#").startswith(("#", "data:")), (tag, attributes)
    assert not re.search(r"@import|url\((?!data:)", made.html().split('id="library"')[0])


def test_where_scripts_draw_no_selector_looks_through_the_page(made: Report) -> None:
    assert ":has(" not in made.html().split("</style>")[0], "drawing would take twice as long: it is asked again at every change"


def test_only_the_two_scripts_of_the_page_may_run(made: Report) -> None:
    page = made.html()
    policy = next(meta["content"] or "" for meta in Page(page).all("meta") if meta.get("http-equiv") == "Content-Security-Policy")
    allowed = set(re.findall(r"'(sha256-[^']*)'", policy))
    script = re.findall(r"<script>(.*?)</script>", page, re.S)
    library = re.search(r'id="library">([^<]*)<', page)
    assert len(script) == 1
    assert library
    bodies = [script[0].encode(), gzip.decompress(base64.b64decode(library[1]))]
    assert allowed == {"sha256-" + base64.b64encode(hashlib.sha256(body).digest()).decode() for body in bodies}
    assert "default-src 'none'" in policy
    assert "unsafe-inline" not in policy.split("script-src")[1].split(";")[0]


def hurt(run: Run) -> Run:
    """The same run with a hostile name wherever a name can stand."""
    other = deepcopy(run)
    other.meta["name"] = HOSTILE
    other.meta["experiment"] = {**run.meta["experiment"], "task": {**run.meta["experiment"]["task"], "name": HOSTILE, "file": HOSTILE}}
    other.meta["baselines"] = {HOSTILE: 1.0}
    if other.meta["probe"]["words"]:
        other.meta["probe"]["words"] = [[HOSTILE] * len(words or []) for words in other.meta["probe"]["words"]]
    return other


def test_hostile_names_stay_text(runs: list[Run]) -> None:
    before, after = report(runs[:1], "compare", now=NOW).html(), report([hurt(runs[0])], "compare", now=NOW).html()
    count = lambda page: [len(Page(page).all(tag)) for tag in ("script", "img", "figure")]  # noqa: E731
    assert count(before) == count(after)
    assert "<script>alert" not in after
    assert "onerror=alert(1)>" not in after
    assert HOSTILE in "".join(Page(after).texts)


def test_hostile_texts_stay_text(tmp_path: Path) -> None:
    """A text that would end the page's script is drawn letter by letter; what it says on hover is escaped."""
    words = [*"</script><b>x</b>", "<EOS>", *"$y$%{z}@ink\u202e"]
    make_run(tmp_path / "text", family="lstm", steps=4)
    meta = json.loads((tmp_path / "text" / "run.json").read_text())
    meta["probe"]["words"] = [(words * 9)[: len(old)] for old in meta["probe"]["words"]]
    (tmp_path / "text" / "run.json").write_text(json.dumps(meta))
    page = report(load_runs(tmp_path), now=NOW).html()
    assert page.count("</script>") == 3, "the page's own"
    assert "</b>x" not in page
    figure = next(
        one for one in unpacked(page)["figures"].values() if any(trace["type"] == "heatmap" and "text" in trace for trace in one["data"])
    )
    grids = [trace["text"] for trace in figure["data"] if trace["type"] == "heatmap"]
    said = [text for grid in grids for row in grid for text in row]
    assert any(text.startswith("“&lt;EOS&gt;” at step") for text in said)
    assert not any(re.search("<(?!br>)|%{|\u202e", text) for text in said)


def test_texts_are_shown_of_one_run_a_cell(runs: list[Run]) -> None:
    sections = {section.anchor: section for section in KINDS["demo"]().sections(runs)}
    shown = {picture.chart: picture.runs for picture in sections["text"].pictures}
    assert {"text_unit", "text_probability", "connectivity"} <= shown.keys()
    assert [(run.family, run.clipped) for run in shown["text_unit"]] == [("rnn", True), ("gru", True), ("lstm", True)]
    adding = [run for run in runs if run.meta["lag"]]
    for kind in ("demo", "compare"):
        assert "text" not in {section.anchor for section in KINDS[kind]().sections(adding)}


def test_missing_tables_leave_a_sentence(tmp_path: Path) -> None:
    make_run(tmp_path / "bare", family="rnn", steps=0)
    page = report(load_runs(tmp_path), "compare", now=NOW).html()
    assert page.count("Nothing to draw yet.") >= 3
    assert Page(page).all("h1")


def test_a_chart_that_refuses_leaves_its_reason(runs: list[Run], monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Any, runs: Any) -> Description:
        raise GradvizError("these runs have <no> gates.")

    monkeypatch.setattr(CHARTS["gate_heatmap"], "describe", refuse)
    page = Page(report(runs, "demo", now=NOW).html())
    assert " these runs have <no> gates." in "".join(page.texts)


def test_no_runs_is_an_error() -> None:
    with pytest.raises(GradvizError, match="at least one run"):
        report([])


def test_unknown_kind_lists_what_there_is(runs: list[Run]) -> None:
    with pytest.raises(GradvizError, match="compare, demo"):
        report(runs, "poster")


def test_a_file_is_kept_without_force(made: Report, tmp_path: Path) -> None:
    target = tmp_path / "new" / "report.html"
    assert made.write(target) == target
    target.write_text("mine")
    with pytest.raises(GradvizError, match="exists already"):
        made.write(target)
    assert target.read_text() == "mine"
    made.write(target, force=True)
    assert target.read_text(encoding="utf-8") == made.html()
    assert [path.name for path in target.parent.iterdir()] == ["report.html"]


def test_a_path_that_cannot_be_written_is_named(made: Report, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(GradvizError, match=r"cannot write the report to .*file"):
        made.write(tmp_path / "file" / "report.html")


def test_the_page_stays_small(made: Report) -> None:
    assert len(made.html().encode()) < 2_000_000


@pytest.mark.parametrize(
    "variant",
    [
        Variant(bad_from=1),
        Variant(bad_from=0),
        Variant(zero_from=3),
        Variant(layers=2, direction="both"),
        Variant(layers=2, direction="backward"),
        Variant(examples=0),
        Variant(time=2),
    ],
    ids=["nan from step 1", "nan throughout", "zero", "two layers, both directions", "two layers, backward", "no probe", "two time steps"],
)
def test_strange_runs_become_pages_too(tmp_path: Path, variant: Variant) -> None:
    make_run(tmp_path / "strange", family="lstm", variant=variant, steps=12)
    make_run(tmp_path / "plain", family="rnn", steps=12)
    page = report(load_runs(tmp_path), "compare", now=NOW)
    assert page.title in Page(page.html()).texts
    unpacked(page.html())


def test_a_run_that_was_interrupted_is_named_as_such(tmp_path: Path) -> None:
    make_run(tmp_path / "half", steps=10, variant=Variant(status="interrupted"))
    assert "interrupted" in "".join(Page(report(load_runs(tmp_path), "compare", now=NOW).html()).texts)

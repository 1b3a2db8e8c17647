"""Reports: what is in the page, what is kept out of it, and that nothing is lost on the way."""

import base64
import gzip
import hashlib
import json
import math
import re
from copy import deepcopy
from datetime import UTC, datetime
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradviz.charts import CHARTS, Description
from gradviz.errors import GradvizError
from gradviz.findings import FINDINGS
from gradviz.frames import Run, load_runs
from gradviz.reports import KINDS, Report, report
from gradviz.reports._figures import changes
from gradviz.reports._runs import spark, thinned
from gradviz.reports._settings import flattened
from gradviz.reports._tables import number, packed, said, table
from gradviz.reports.kinds import Picture
from tests.synthetic import make_run

NOW = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
HOSTILE = "</script><script>alert(1)</script><!-- \u2028 \"'<img src=x onerror=alert(1)>"
VOID = {"meta", "link", "br", "hr", "img", "input"}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[Run]:
    folder = tmp_path_factory.mktemp("runs")
    for family, clipped in (("rnn", False), ("rnn", True), ("gru", True), ("lstm", True)):
        make_run(folder / f"text-{family}-{clipped}", family=family, clipped=clipped, task="text")
    for family in ("rnn", "gru"):
        make_run(folder / f"adding-{family}", family=family, clipped=True, task="adding")
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
    for figure in pack["figures"].values():
        lengths = {len(column.get("values", column.get("codes"))) for column in figure["table"]["columns"]}
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


def test_compare_shows_every_chart_there_is(runs: list[Run]) -> None:
    kind = KINDS["compare"]()
    shown = {kind.key(runs).chart, "status"} | {picture.chart for section in kind.sections(runs) for picture in section.pictures}
    assert shown == set(CHARTS)


def test_same_runs_same_bytes(runs: list[Run]) -> None:
    assert report(runs, "demo", now=NOW).html() == report(runs, "demo", now=NOW).html()
    later = report(runs, "demo", now=datetime(2027, 5, 6, tzinfo=UTC)).html()
    assert "2026-01-02 03:04 UTC" in report(runs, "demo", now=NOW).html()
    assert later.replace("2027-05-06 00:00", "2026-01-02 03:04") == report(runs, "demo", now=NOW).html()


def test_nothing_points_outside(made: Report) -> None:
    for tag, attributes in Page(made.html()).elements:
        for name in ("src", "href", "action", "data", "srcset"):
            assert (attributes.get(name) or "#").startswith(("#", "data:")), (tag, attributes)
    assert not re.search(r"@import|url\((?!data:)", made.html().split('id="library"')[0])


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


def apply(base: Any, listed: list[tuple[list[Any], Any]]) -> Any:
    result = deepcopy(base)
    for path, value in listed:
        if not path:
            result = value
            continue
        node = result
        for key in path[:-1]:
            node = node[key]
        node[path[-1]] = value
    return result


plain = st.recursive(
    st.none() | st.integers(0, 3) | st.text("ab", max_size=2),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", max_size=1), inner, max_size=3),
    max_leaves=12,
)


@given(plain, plain)
def test_changes_lead_from_one_to_the_other(old: Any, new: Any) -> None:
    assert apply(old, changes(old, new)) == new


def test_equal_parts_are_not_sent_again() -> None:
    old = {"data": [{"y": [1, 2], "name": "a"}, {"y": [3, 4], "name": "b"}], "layout": {"height": 1}}
    new = {"data": [{"y": [1, 2], "name": "a"}, {"y": [3, 5], "name": "b"}], "layout": {"height": 1}}
    assert changes(old, new) == [(["data", 1, "y"], [3, 5])]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (1234.5, "1234"),
        (0.5, "0.5"),
        (-0.25, "−0.25"),
        (1e-9, "1.0e−9"),
        (-2.5e7, "−2.5e7"),
        (math.inf, "∞"),
        (-math.inf, "−∞"),
        (math.nan, "NaN"),
        (99999.7, "100000"),
    ],
)
def test_numbers_as_texts(value: float, text: str) -> None:
    assert number(value) == text


def test_values_that_are_no_numbers() -> None:
    assert [said(value) for value in (None, True, np.bool_(False), "a b", 3)] == ["–", "yes", "no", "a b", "3"]


def test_the_table_spreads_over_all_rows_and_the_pack_holds_them() -> None:
    frame = pd.DataFrame({"run": ["a"] * 500 + ["b"] * 500, "lag": range(1000), "norm": [np.nan, np.inf, -np.inf, 1 / 3] * 250})
    shown = table(frame)
    assert shown.rows == 1000
    assert (shown.shown[0][1], shown.shown[-1][1]) == ("0", "999")
    run, lag, norm = packed(frame)["columns"]
    assert [run["levels"][code] for code in run["codes"]] == frame["run"].tolist()
    assert lag["values"] == list(range(1000))
    assert norm["values"][:4] == ["nan", "inf", "-inf", 0.33333]
    json.dumps(packed(frame), allow_nan=False)


def test_an_empty_table() -> None:
    shown = table(pd.DataFrame({"lag": [], "norm": []}))
    assert (shown.rows, shown.shown) == (0, ())


def test_the_small_line_falls_when_the_loss_does() -> None:
    points = [tuple(map(float, point.split(","))) for point in spark(np.linspace(4.0, 2.0, 10), (2.0, 4.0)).split()]
    assert [y for _, y in points] == sorted(y for _, y in points)
    assert (points[0][1], points[-1][1]) == (2.0, 26.0)
    assert spark(np.array([np.nan, 1.0, np.nan]), (0.0, 2.0)).count(",") == 1
    assert spark(np.array([]), (0.0, 1.0)) == ""


def test_thinning_keeps_means_and_gaps() -> None:
    assert thinned(np.arange(88.0)).tolist() == [0.5 + 2 * k for k in range(44)]
    assert np.isnan(thinned(np.full(100, np.nan))).all()


def test_flattened_options() -> None:
    assert flattened({"task": {"name": "text", "length": 100}, "name": "x"}) == {"task": "text", "task length": 100, "name": "x"}


def test_a_slider_needs_steps_that_all_runs_share(runs: list[Run]) -> None:
    from gradviz.reports._figures import shared_steps

    steps = shared_steps(Picture("waterfall", tuple(runs)))
    assert steps == sorted(steps)
    assert all(step in run.reach_steps for step in steps for run in runs)

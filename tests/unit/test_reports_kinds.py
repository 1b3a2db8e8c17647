"""Kinds of report: what each shows, pages without scripts, the same as data, in a notebook, and the time it states."""

import json
import math
import re
from datetime import UTC, datetime
from html import unescape
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gradviz.charts import CHARTS
from gradviz.commands.report import Report as Command
from gradviz.errors import GradvizError
from gradviz.frames import Run, load_runs
from gradviz.reports import KINDS, Report, report
from gradviz.reports._choices import described
from gradviz.reports._data import plain
from gradviz.reports._figures import drawn_figure
from gradviz.reports.build import moment
from tests.documents import ROOT
from tests.synthetic import Variant, make_run
from tests.unit.test_reports import Page

NOW = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
FEW = Variant(time=24)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[Run]:
    folder = tmp_path_factory.mktemp("kinds")
    make_run(folder / "text-rnn", "rnn", steps=12, variant=FEW)
    make_run(folder / "text-lstm", "lstm", True, steps=12, variant=FEW)
    make_run(folder / "adding-gru", "gru", True, "adding", steps=12, variant=FEW)
    return load_runs(folder)


@pytest.fixture(scope="module")
def still(runs: list[Run]) -> Report:
    """The kind that shows every chart, without scripts."""
    return report(runs, "full", static=True, now=NOW)


def charts(kind: str, runs: list[Run]) -> list[str]:
    made = KINDS[kind]()
    return [made.key(runs).chart, *(picture.chart for section in made.sections(runs) for picture in section.pictures)]


def test_full_shows_every_chart_there_is_and_compare_what_was_recorded(runs: list[Run]) -> None:
    assert set(charts("full", runs)) == set(CHARTS) - {"status"}  # every page shows it among its findings
    recorded = {name for name in CHARTS if CHARTS[name].needs and not CHARTS[name].exact}
    assert set(charts("compare", runs)) == recorded - {"status"}


def test_where_gates_are_shown_one_run_at_a_time_the_page_opens_with_a_gated_one(runs: list[Run]) -> None:
    picture = KINDS["gates"]().key(runs)
    said, moments = described(picture)
    assert [moment.name for moment in moments] == ["RNN, not clipped", "LSTM, clipped"], "in the usual order, and one can go back"
    assert said is moments[1].said
    assert drawn_figure(1, said, choose="run", moments=moments).opens == 1
    assert "LSTM" in said.title
    alone = KINDS["gates"]().key([run for run in runs if run.name != "text-lstm"])
    assert [run.name for run in alone.runs] == ["adding-gru"], "the task that a gated cell learned"
    without = KINDS["gates"]().key([run for run in runs if run.family == "rnn"])
    assert without.opens == ""
    assert described(without)[0].title


@pytest.mark.parametrize("kind", list(KINDS))
def test_no_picture_is_shown_twice(kind: str, runs: list[Run]) -> None:
    made = KINDS[kind]()
    pictures = [made.key(runs), *(picture for section in made.sections(runs) for picture in section.pictures)]
    told = [(picture.chart, picture.runs, tuple(picture.options.items())) for picture in pictures]
    assert len(told) == len(set(told))


def test_a_page_without_scripts_has_every_picture_and_nothing_that_runs(still: Report) -> None:
    page = still.html()
    seen = Page(page)
    assert not seen.all("script")
    assert not seen.all("button")
    assert not [tag for tag, attributes in seen.elements if any(name.startswith("on") for name in attributes)]
    policy = next(meta["content"] or "" for meta in seen.all("meta") if meta.get("http-equiv") == "Content-Security-Policy")
    assert "script-src 'none'" in policy
    figures = [figure for _, figures in still.sections for figure in figures]
    assert len(seen.all("figure")) == len(figures)
    assert page.count('role="img">\n<title>') == sum(not figure.said.missing for figure in figures)
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    links = {attributes["href"] for attributes in seen.all("a")}
    assert all((link or "").startswith(("#", "data:text/csv")) for link in links)
    assert not re.search(r"@import|url\((?!#|data:)", page)


def test_the_data_hold_every_figure_and_are_strict_json(still: Report) -> None:
    data = json.loads(still.json(), parse_constant=lambda word: pytest.fail(f"{word} is no JSON"))
    assert data["title"] == still.title
    assert data["kind"] == "full"
    told = [figure for section in data["sections"] for figure in section["figures"]]
    figures = [figure for _, figures in still.sections for figure in figures]
    assert [one["title"] for one in told] == [figure.said.title for figure in figures]
    for one, figure in zip(told, figures, strict=True):
        assert list(one["columns"]) == [str(name) for name in figure.said.frame]
        assert {len(values) for values in one["columns"].values()} <= {len(figure.said.frame)}
    assert {found["run"] for found in data["findings"]} == {run["label"] for run in data["runs"]}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1 / 3, 1 / 3),
        (math.inf, "Infinity"),
        (-math.inf, "-Infinity"),
        (math.nan, "NaN"),
        (np.float64(0.1), 0.1),
        (np.int64(3), 3),
        (np.True_, True),
        (None, None),
        (pd.NA, None),
        ("text", "text"),
    ],
)
def test_values_as_json_has_them(value: object, expected: object) -> None:
    assert plain(value) == expected


def test_in_a_notebook_the_page_stands_in_a_frame_of_its_own(still: Report) -> None:
    shown = still._repr_html_()
    found = re.fullmatch(r'<iframe title="([^"]*)" sandbox="([^"]*)" style="[^"]*" srcdoc="([^"]*)"></iframe>', shown)
    assert found
    assert unescape(found[3]) == still.html()
    assert "allow-same-origin" not in found[2]


def test_the_time_can_be_fixed_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1767323045")
    assert moment() == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    for wrong in ("yesterday", "1e9", "9" * 40):
        monkeypatch.setenv("SOURCE_DATE_EPOCH", wrong)
        with pytest.raises(GradvizError, match="number of seconds since 1970"):
            moment()
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "")
    assert abs((moment() - datetime.now(UTC)).total_seconds()) < 60


def test_the_command_and_the_readme_list_the_kinds_there_are() -> None:
    for kind in KINDS:
        assert re.search(rf"^  {kind} +{re.escape(KINDS[kind].purpose)}", Command.details, re.MULTILINE), kind
        assert f"| `{kind}` | {KINDS[kind].purpose} |" in (ROOT / "reports" / "README.md").read_text(encoding="utf-8")


def test_a_run_that_is_still_being_written_is_named_as_such(tmp_path: Path) -> None:
    path = make_run(tmp_path / "now", variant=FEW, steps=6) / "run.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "status": "running"}))
    make_run(tmp_path / "before", "gru", steps=0, variant=FEW)
    text = "".join(Page(report(load_runs(tmp_path), "compare", static=True, now=NOW).html()).texts)
    assert "still being written, or its writer was killed; here are the first 6 of 6 updates." in text

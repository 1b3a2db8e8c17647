"""Imported runs in every chart, finding, report and page: drawn as far as they go, and what is missing is said."""

from pathlib import Path

import pytest

import gradviz
from gradviz.charts import CHARTS
from gradviz.dashboards.views import VIEWS
from gradviz.exchange import import_csv
from gradviz.findings import verdicts
from gradviz.frames import Run, load_runs
from gradviz.reports.kinds import KINDS
from tests import logs
from tests.apps.test_dashboard import charts, fine, opened, words
from tests.synthetic import make_run
from tests.unit.test_charts_all import sound

DRAWN = {"clip_ledger", "decay", "film", "horizon", "loss", "status", "waterfall"}  # what a log with profiles can fill
ALONE = {"cliff"}  # needs no run


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three imported runs: a full one, one with profiles alone, one with norms alone."""
    out, source = tmp_path_factory.mktemp("imported"), tmp_path_factory.mktemp("logs")
    import_csv(logs.lightning(source), out / "full", threshold=1.5, profiles=logs.lags(source))
    import_csv(None, out / "profiles", profiles=logs.lags(source))
    import_csv(logs.bare(source), out / "bare")
    return out


@pytest.fixture(scope="module")
def runs(folder: Path) -> list[Run]:
    return load_runs(folder)


@pytest.mark.parametrize("name", list(CHARTS))
def test_every_chart_draws_them_or_says_what_is_missing(name: str, runs: list[Run]) -> None:
    for some in (runs, *([run] for run in runs)):
        made = CHARTS[name]().describe(some)
        assert made.panels or made.missing
        if made.panels and name not in ALONE:
            sound(made)
    full = CHARTS[name]().describe([run for run in runs if run.name == "full"])
    assert bool(full.panels) == (name in DRAWN | ALONE), full.missing


def test_captions_speak_of_what_a_log_holds(runs: list[Run]) -> None:
    full = [run for run in runs if run.name == "full"]
    said = {name: CHARTS[name]().describe(full).subtitle for name in ("loss", "waterfall", "film", "decay", "horizon")}
    assert "guessing" not in said["loss"]
    assert "dashed" not in CHARTS["loss"]().describe(full).look_for
    assert "percentile" not in said["waterfall"]
    assert all("logged sequences" in said[name] and "held-out" not in said[name] for name in said if name != "loss")


def test_nothing_is_claimed_of_clipping_that_no_log_says(runs: list[Run]) -> None:
    by_name = {run.name: run for run in runs}
    assert "clipped" not in by_name["bare"].label
    made = CHARTS["clip_ledger"]().describe([by_name["bare"]])
    assert "not clipped" not in made.title + made.panels[0].note
    assert "othing is clipped" not in made.title
    assert CHARTS["loss"]().describe([by_name["bare"]]).missing == "No log holds a loss."
    assert "imported run" in CHARTS["parameters"]().describe([by_name["full"]]).missing
    measured = CHARTS["parameters"](measure="gradient_before", parameter="fc.weight")
    assert measured.describe([by_name["full"]]).panels


def test_findings_judge_what_is_there(runs: list[Run]) -> None:
    said = {run.name: {verdict.code: verdict for verdict in verdicts(run)} for run in runs}
    assert said["full"]["non_finite"].severity == "good"
    assert said["full"]["exploding"].word == "tamed"
    assert said["bare"]["exploding"].word == "exploded"
    assert said["bare"]["non_finite"].severity == "critical"
    assert said["profiles"]["vanishing"].severity != "none"
    assert all("NaN" not in verdict.summary for found in said.values() for verdict in found.values())


@pytest.mark.parametrize("kind", list(KINDS))
def test_every_report_opens_them(kind: str, runs: list[Run]) -> None:
    page = gradviz.report(runs, kind=kind).html()
    assert "imported from metrics.csv" in page
    assert "0 units" not in page


@pytest.mark.parametrize("view", list(VIEWS))
def test_every_page_shows_them(view: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = opened(folder, monkeypatch, view)
    fine(app)
    if view == "overview":
        assert "0 units" not in words(app)
        assert len(charts(app))


def test_names_from_a_log_are_text_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    evil = "<script>alert(1)</script>**bold**[x](javascript:1)"
    log = tmp_path / "<img src=x>.csv"
    log.write_text(f'step,"grad_norm/{evil}","{evil}"\n' + "".join(f"{step},1,2\n" for step in range(20)), encoding="utf-8")
    run = load_runs([import_csv(log, tmp_path / "runs" / "<b>mine")])[0]
    assert run.parameters["parameter"].unique().tolist() == [evil]
    page = gradviz.report([run], kind="full").html()
    assert "<script>alert(1)" not in page
    assert "<img src=x>" not in page
    assert "<b>mine" not in page
    app = opened(tmp_path / "runs", monkeypatch, "parameters")
    fine(app)
    assert app.selectbox(key="parameter").value == evil
    assert "<script>" not in words(app)
    assert "**bold**" not in words(app)


@pytest.mark.parametrize("view", ["overview", "compare"])
def test_beside_a_run_of_gradviz(view: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_run(tmp_path / "runs" / "own")
    import_csv(logs.bare(tmp_path), tmp_path / "runs" / "bare")
    fine(opened(tmp_path / "runs", monkeypatch, view))

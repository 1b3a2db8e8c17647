"""What a page leads to: a report of its runs, the evidence of a verdict, and a choice of runs that lasts."""

import re
import shlex
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
from streamlit.testing.v1 import AppTest

from gradviz import cli, frames
from gradviz.dashboards import parts, reporting, state
from gradviz.dashboards.views import VIEWS
from gradviz.errors import GradvizError
from gradviz.findings import FINDINGS, verdicts
from gradviz.reports import KINDS
from tests.apps.test_dashboard import fine, opened, words
from tests.synthetic import make_run

EVIL = "../<b>x</b> $y$; rm -rf ~ 'q' \" é"


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    make_run(folder / "text-rnn", family="rnn", explode=True, steps=6)
    make_run(folder / "text-gru", family="gru", clipped=True, steps=6)
    return folder


def command_of(app: AppTest) -> list[str]:
    """The command that the page shows for copying."""
    return shlex.split(next(item.value for item in app.code if item.value.startswith("gradviz report")))


def dated(page: str) -> str:
    return re.sub(r"on \d{4}-\d\d-\d\d \d\d:\d\d", "", page)


def test_the_page_and_the_command_make_the_same_report(runs: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    app = opened(runs, monkeypatch, "gates", runs="GRU, clipped")
    assert "made" not in app.session_state, "nothing is made before it is asked for"
    app.button(key="make").click().run()
    fine(app)
    made: reporting.Made = app.session_state["made"]
    assert made.of == ("gates", (runs / "text-gru",))
    assert any("Download the report" in item.proto.label for item in app.get("download_button"))
    command = command_of(app)
    assert command[:3] == ["gradviz", "report", str(runs / "text-gru")]
    assert command[-1] == "gradviz-gates-text-gru.html"
    monkeypatch.chdir(tmp_path)
    assert cli.main(command[1:]) in (0, None)
    assert dated((tmp_path / command[-1]).read_text(encoding="utf-8")) == dated(made.page.decode())


def test_every_page_offers_the_kind_that_fits(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VIEWS:
        assert VIEWS[name].report in KINDS
    app = opened(runs, monkeypatch, "findings")
    assert app.selectbox(key="findings-report").value == "compare"
    assert command_of(app)[2:4] == [str(runs), "--kind"], "all runs of the folder are named by it"
    app.selectbox(key="findings-report").set_value("demo").run()
    assert command_of(app)[-3:] == ["demo", "-o", "gradviz-demo-text.html"]


def test_another_choice_takes_the_report_back(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reporting, "report", lambda runs, kind: SimpleNamespace(html=lambda: f"{kind} of {len(runs)}"))
    app = opened(runs, monkeypatch, "findings")
    app.button(key="make").click().run()
    assert app.session_state["made"].page == b"compare of 2"
    assert app.get("download_button")
    app.multiselect(key="runs").set_value(["GRU, clipped"]).run()
    assert not app.get("download_button"), "it is a report of other runs"


@pytest.mark.parametrize("error", [GradvizError("no <i>run</i> is left"), PermissionError(13, "Permission denied")])
def test_a_report_that_cannot_be_made_says_why(error: Exception, runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise error

    monkeypatch.setattr(reporting, "report", refuse)
    app = opened(runs, monkeypatch, "findings")
    app.button(key="make").click().run()
    fine(app)
    assert "The report was not made" in words(app)
    assert ("no \\<i\\>run" in words(app)) or ("Permission denied" in words(app))
    assert not app.get("download_button")


def test_the_name_of_a_file_is_safe(tmp_path: Path) -> None:
    make_run(tmp_path / "one", family="rnn", steps=2)
    for name in (EVIL.replace("/", "|"), "..", "-rf", "x" * 300, "рун"):
        run = frames.load(tmp_path / "one")
        object.__setattr__(run, "path", tmp_path / name)
        said = reporting.file_name("gates", [run])
        assert re.fullmatch(r"gradviz-gates(-[A-Za-z0-9][A-Za-z0-9.-]*)?\.html", said), said
        assert len(said) < 90
    assert reporting.spelled(Path("-x/run")) == "./-x/run"


def test_every_finding_has_a_page_that_shows_its_chart() -> None:
    shown = {chart for name in VIEWS for chart in VIEWS[name].charts}
    assert {FINDINGS[name].chart for name in FINDINGS} <= shown


def test_the_evidence_of_an_explosion_is_one_click_away(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = next(run for run in frames.label_runs([frames.load(runs / name) for name in ("text-rnn", "text-gru")]) if run.family == "rnn")
    verdict = next(verdict for verdict in verdicts(run) if verdict.code == "exploding")
    assert parts.pages_of(verdict) == ["clipping", "gradient_flow"]
    at = int(verdict.numbers["step"])
    assert at in run.reach_steps
    assert f"At training step {at} " in verdict.summary
    assert parts.step_of(verdict, run, "clipping") == {}
    assert parts.step_of(verdict, run, "gradient_flow") == ({} if at == run.reach_steps[-1] else {"step": str(at)})
    app = opened(runs, monkeypatch, "gradient_flow", runs=run.label, step=str(at))
    fine(app)
    assert parts.look.plain(verdict.summary) in words(app), "the page repeats what it is the evidence for"
    assert f"At training step {at} " in app.title[0].value
    both = opened(runs, monkeypatch, "gradient_flow")
    assert parts.look.plain(verdict.summary) not in words(both), "of several runs none is singled out"


def test_a_verdict_on_the_untrained_network_leads_to_the_first_step(runs: Path) -> None:
    run = frames.load(runs / "text-rnn")
    verdict = next(verdict for verdict in verdicts(run) if verdict.code == "initialization")
    assert parts.step_of(verdict, run, "gradient_flow") == {"step": "0"}
    assert parts.step_of(verdict, run, "parameters") == {}, "nothing to choose there"


def test_runs_that_are_alike_are_told_apart_by_their_folders(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = opened(runs, monkeypatch).dataframe[0].value
    assert sorted(table["Folder"]) == ["text-gru", "text-rnn"]
    assert "RNN" in table["Run"][0], "the most severe verdict stands first"


def test_a_chosen_run_that_vanishes_is_waited_for(runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(runs, tmp_path / "here")
    app = opened(tmp_path / "here", monkeypatch, "findings")
    both = ["RNN, not clipped", "GRU, clipped"]
    app.multiselect(key="runs").set_value(both).run()
    (tmp_path / "here" / "text-gru").rename(tmp_path / "gone")
    app.run()
    fine(app)
    assert app.multiselect(key="runs").value == both[:1]
    assert "Not among these runs, or not any more: GRU, clipped" in words(app).replace("\\", "")
    (tmp_path / "gone").rename(tmp_path / "here" / "text-gru")
    app.run()
    assert app.multiselect(key="runs").value == both
    assert "any more" not in words(app)


def test_a_choice_outlasts_a_folder_that_is_empty_for_a_while(runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(runs, tmp_path / "here")
    app = opened(tmp_path / "here", monkeypatch, "findings")
    app.multiselect(key="runs").set_value(["GRU, clipped"]).run()
    (tmp_path / "here").rename(tmp_path / "away")
    app.run()
    assert app.title[0].value == "No runs here yet"
    (tmp_path / "away").rename(tmp_path / "here")
    app.run()
    fine(app)
    assert app.multiselect(key="runs").value == ["GRU, clipped"]


def test_another_task_waits_for_no_run_of_the_one_before(runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(runs, tmp_path / "here")
    make_run(tmp_path / "here" / "adding", family="lstm", task="adding", steps=2)
    app = opened(tmp_path / "here", monkeypatch, "findings")
    app.multiselect(key="runs").set_value(["GRU, clipped"]).run()
    app.segmented_control(key="task").set_value("adding").run()
    fine(app)
    assert app.multiselect(key="runs").value == []
    assert "any more" not in words(app)


def test_a_chosen_run_is_followed_when_its_label_changes(runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(runs, tmp_path / "here")
    app = opened(tmp_path / "here", monkeypatch, "findings")
    app.multiselect(key="runs").set_value(["GRU, clipped"]).run()
    make_run(tmp_path / "here" / "another", family="gru", clipped=True, steps=2)
    app.run()
    fine(app)
    (label,) = app.multiselect(key="runs").value
    assert label.startswith("GRU, clipped, ")
    chosen = next(run for run in state.shelf().runs if run.label == label)
    assert chosen.path.name == "text-gru"


def test_hostile_and_double_names_in_the_address(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = opened(runs, monkeypatch, "compare", runs=["GRU, clipped", "GRU, clipped", EVIL, "RNN, not clipped"], task="<b>")
    fine(app)
    assert app.multiselect(key="runs").value == ["GRU, clipped", "RNN, not clipped"]
    assert app.title[0].value.startswith("2 runs that differ in")
    assert "<b>" not in words(app).replace("\\<", "")

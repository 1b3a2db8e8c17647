"""Every page of the dashboard, in every state it can be in, without a browser."""

import json
import os
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

import gradviz.dashboards
from gradviz.dashboards import look, parts, show, state, trainings
from gradviz.dashboards.views import VIEWS, ordered
from tests.synthetic import Variant, make_run

OF_RUNS = [name for name in VIEWS if VIEWS[name].shows_runs]
APP = str(Path(gradviz.dashboards.__file__).with_name("app.py"))


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    make_run(folder / "text-rnn", family="rnn", explode=True)
    make_run(folder / "text-rnn-clip", family="rnn", clipped=True)
    make_run(folder / "text-lstm-clip", family="lstm", clipped=True)
    make_run(folder / "adding-gru", family="gru", clipped=True, task="adding")
    return folder


@pytest.fixture(scope="module")
def beside_a_broken_one(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("broken")
    make_run(folder / "good", family="gru")
    make_run(folder / "newer", family="rnn")
    break_(folder / "newer", schema=99)
    return folder


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("begun")
    make_run(folder / "begun", family="lstm", clipped=True)
    for table in (folder / "begun" / "tables").iterdir():
        table.unlink()
    (folder / "begun" / "weights.safetensors").unlink(missing_ok=True)
    break_(folder / "begun", status="running", updates_done=0)
    return folder


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hostile")
    for name in ("tame", EVIL):  # two runs with the same settings are told apart by their names
        make_run(folder / name, family="rnn", variant=Variant(status="failed"))
    return folder


def opened(folder: Path, monkeypatch: pytest.MonkeyPatch, view: str = "overview", **query: Any) -> AppTest:
    monkeypatch.setenv("GRADVIZ_RUNS", str(folder))
    app = AppTest.from_file(APP, default_timeout=60)
    for name, value in query.items():
        app.query_params[name] = value
    app._page_hash = calc_hash("" if view == next(iter(ordered())) else view)
    app.run()
    app._page_hash = ""  # from here on: the page the app itself goes to
    return app


def words(app: AppTest) -> str:
    return "\n".join(str(item.value) for kind in ("title", "header", "markdown", "caption", "info", "code") for item in app.get(kind))


def fine(app: AppTest) -> None:
    assert not app.exception, app.exception
    assert len(app.title) == 1
    assert "” cannot be drawn" not in words(app)


def charts(app: AppTest) -> list[dict[str, object]]:
    return [json.loads(chart.proto.spec) for chart in app.get("plotly_chart")]


@pytest.mark.parametrize("view", OF_RUNS)
def test_every_view_shows_the_runs(view: str, runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = opened(runs, monkeypatch, view)
    fine(app)
    assert app.title[0].value
    assert len(app.get("plotly_chart")) or view == "findings"


@pytest.mark.parametrize("view", OF_RUNS)
def test_every_view_without_runs_says_how_to_get_some(view: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = opened(tmp_path / "nothing", monkeypatch, view)
    fine(app)
    assert app.title[0].value == "No runs here yet"
    assert app.code[0].value == f"gradviz demo --out {tmp_path / 'nothing'}"


@pytest.mark.parametrize("view", list(VIEWS))
def test_every_view_beside_a_broken_run(view: str, beside_a_broken_one: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = opened(beside_a_broken_one, monkeypatch, view)
    fine(app)
    if view == "overview":
        assert "newer cannot be shown" in words(app)
        assert "99" in words(app)


def test_only_broken_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_run(tmp_path / "newer", family="rnn")
    break_(tmp_path / "newer", schema=99)
    app = opened(tmp_path, monkeypatch)
    fine(app)
    assert "newer cannot be shown" in words(app)


@pytest.mark.parametrize("view", list(VIEWS))
def test_every_view_of_a_run_that_has_only_begun(view: str, begun: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fine(opened(begun, monkeypatch, view))


def break_(folder: Path, **values: object) -> None:
    meta = json.loads((folder / "run.json").read_text()) | values
    (folder / "run.json").write_text(json.dumps(meta))


def test_a_run_that_grows_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_run(tmp_path / "one", family="rnn")
    app = opened(tmp_path, monkeypatch)
    make_run(tmp_path / "two", family="gru")
    app.run()
    fine(app)
    assert len(app.dataframe[0].value) == 2


@pytest.mark.parametrize("view", list(VIEWS))
def test_every_control_once(view: str, runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = opened(runs, monkeypatch, view)
    for kind in ("selectbox", "select_slider", "segmented_control", "pills", "multiselect"):
        for index in range(len(app.get(kind))):
            for value in values_of(app.get(kind)[index]) if index < len(app.get(kind)) else []:  # one control may take another away
                if index < len(app.get(kind)):
                    app.get(kind)[index].set_value(value).run()
                    fine(app)


def values_of(widget: object) -> list[object]:
    options = list(widget.options)  # type: ignore[attr-defined]
    many = type(widget).__name__ in ("Multiselect", "ButtonGroup") and isinstance(widget.value, list)  # type: ignore[attr-defined]
    return [[option] for option in options[:2]] if many else [options[0], options[-1]]


def test_the_step_in_the_address_is_the_step_of_the_picture(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = str(state.frames.load(runs / "text-rnn").reach_steps[0])
    app = opened(runs, monkeypatch, "gradient_flow", step=first)
    assert app.select_slider(key="step").value == int(first)
    assert charts(app)[0] != charts(opened(runs, monkeypatch, "gradient_flow"))[0]


def test_the_address_chooses_runs_and_nothing_outside_the_folder(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = opened(runs, monkeypatch, "gradient_flow", runs="../../etc/passwd", task="nonsense")
    fine(app)
    assert app.multiselect(key="runs").value == []
    label = "RNN, clipped"
    one = opened(runs, monkeypatch, "gradient_flow", runs=label)
    assert one.multiselect(key="runs").value == [label]
    assert one.title[0].value.endswith("on its way back"), "one run is shown, not all"
    assert all("RNN" in chart.proto.alt and "LSTM" not in chart.proto.alt for chart in one.get("plotly_chart"))


def test_a_click_into_a_film_moves_the_step(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state.st, "session_state", {"film-0": {"selection": {"points": [{"x": 21.0}]}}})
    show.picked("film-0", show.Click(40, parts.nearest([0, 20, 40])))
    assert state.st.session_state["step"] == 20


def comparison(app: AppTest, rows: list[int]) -> Any:
    """The link below the table of runs, with these rows chosen."""
    app.session_state["table"] = {"selection": {"rows": rows, "columns": [], "cells": []}}
    app.run()
    fine(app)
    return next(link.proto for link in app.get("page_link") if link.proto.label.startswith("Compare"))


def test_chosen_rows_are_compared(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = opened(runs, monkeypatch)
    assert comparison(app, [0]).disabled
    link = comparison(app, [0, 2])
    assert not link.disabled
    query = parse_qs(link.query_string)
    assert query == {"task": ["text"], "runs": ["RNN, not clipped", "LSTM, clipped"]}
    there = opened(runs, monkeypatch, "compare", runs=query["runs"])
    assert there.multiselect(key="runs").value == query["runs"]
    assert there.title[0].value.startswith("2 runs that differ in")


def test_runs_of_two_tasks_are_not_compared(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = opened(runs, monkeypatch)
    assert comparison(app, [0, 3]).disabled
    assert "Choose runs of one task" in words(app)


def test_a_run_in_training_and_a_failed_one_are_marked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_run(tmp_path / "ill", family="rnn", variant=Variant(status="failed"))
    make_run(tmp_path / "young", family="gru")
    break_(tmp_path / "young", status="running")
    monkeypatch.setattr(trainings, "QUIET", 3600.0)  # nobody trains it: it has only been written lately
    app = opened(tmp_path, monkeypatch)
    fine(app)
    assert "ill stopped before its end" in words(app)
    marks = app.dataframe[0].value["Finding"]
    assert marks[0][0] == "failed"
    assert marks[1][0] == "in training"
    monkeypatch.setattr(trainings, "QUIET", -1.0)
    assert app.run().dataframe[0].value["Finding"][1][0] == "its process is gone"


EVIL = "<img id=evil src=x onerror=alert(1)> :red[x] $y$ **z** [a](b) `c`"


@pytest.mark.parametrize("view", list(VIEWS))
def test_names_are_shown_letter_by_letter(view: str, hostile: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = opened(hostile, monkeypatch, view)
    fine(app)
    assert "<img" not in words(app).replace("\\<", "")
    if view == "overview":
        assert look.plain(EVIL) in words(app)


def test_runs_of_the_two_tasks_are_kept_apart(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = opened(runs, monkeypatch, "compare")
    assert app.multiselect(key="runs").options == ["RNN, not clipped", "RNN, clipped", "LSTM, clipped"]
    app.segmented_control(key="task").set_value("adding").run()
    assert app.multiselect(key="runs").options == ["GRU, clipped"]


@pytest.mark.parametrize("view", OF_RUNS)
@pytest.mark.parametrize("task", ["numbers", "sine"])
def test_every_view_shows_runs_of_other_shapes(view: str, task: str, shaped: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = opened(shaped, monkeypatch, view, task=task)
    fine(app)
    wordless = task == "sine" and view == "text"
    assert len(app.get("plotly_chart")) or view in ("findings", "compare") or wordless  # one run alone has nothing to be compared with


def test_the_layers_of_an_encoder_and_a_decoder_are_named(shaped: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = opened(shaped, monkeypatch, "gates", task="numbers")
    choice = app.selectbox(key="layer")
    assert choice.options == ["0 (encoder)", "1 (encoder)", "2 (decoder)", "3 (decoder)"]
    assert "One row a unit of the decoder" in words(app)
    assert "Answer to this sequence" in words(app)
    choice.set_value(1).run()
    fine(app)
    assert "One row a unit of the encoder" in words(app)


def test_the_order_of_the_navigation_has_no_ties() -> None:
    assert len({VIEWS[name].order for name in VIEWS}) == len(VIEWS)
    assert next(iter(ordered())) == "overview"


def test_the_signature_changes_with_every_file(tmp_path: Path) -> None:
    before = state.signature(tmp_path)
    (tmp_path / "a").write_text("1")
    first = state.signature(tmp_path)
    (tmp_path / "a").write_text("2")
    os.utime(tmp_path / "a", ns=(1, 1))
    assert len({before, first, state.signature(tmp_path)}) == 3

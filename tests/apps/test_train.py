"""The page that trains and the demo's button, without a browser and, but where stated, without any process."""

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from gradviz import starting
from gradviz.cells import CELLS
from gradviz.clipping import CLIPPING
from gradviz.clipping.norm import Norm
from gradviz.config import Experiment, Model, Recording, Training
from gradviz.dashboards import choices, trainings, uploads
from gradviz.errors import GradvizError
from gradviz.initializers import Initialization
from gradviz.interrupts import Stopped
from gradviz.optimizers.adam import Adam
from gradviz.recording.control import Mailbox, Wish, ask
from gradviz.recording.reading import read_meta
from gradviz.tasks import TASKS
from gradviz.tasks.adding import Adding
from gradviz.tasks.text import Text
from gradviz.training import Progress, train
from tests.apps.test_dashboard import fine, opened, words
from tests.synthetic import Variant, make_run

TEXT = ("The cat sat on the mat. " * 100).encode()


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[Experiment]:
    """What the page would have started."""
    asked: list[Experiment] = []

    def start(experiment: Experiment, out: Path) -> Path:
        asked.append(experiment)
        return out / f"run-{len(asked)}"

    monkeypatch.setattr(starting, "start", start)
    return asked


def page(folder: Path, monkeypatch: pytest.MonkeyPatch, **query: Any) -> AppTest:
    app = opened(folder, monkeypatch, "train", **query)
    fine(app)
    return app


def go(app: AppTest) -> None:
    app.button(key="train-go").click().run()
    fine(app)


def test_start_trains_what_the_form_says(tmp_path: Path, started: list[Experiment], monkeypatch: pytest.MonkeyPatch) -> None:
    app = page(tmp_path, monkeypatch)
    assert app.title[0].value == "Train networks and watch them learn"
    assert "Nothing is in training in this folder" in words(app)
    go(app)
    training = Training(updates=400, optimizer=Adam(rate=0.01), clipping=Norm(limit=1.0))
    model = Model(units=64, initialization=Initialization(gain=2.0))
    recording = Recording(every=10, reach_every=10, probe_every=200)
    first = Experiment(Text(length=60), Model(CELLS["rnn"](), model.units, initialization=model.initialization), training, recording)
    assert started[0] == first
    assert [CELLS.name_of(experiment.model.cell) for experiment in started] == ["rnn", "gru", "lstm"]
    assert len({json.dumps({**experiment.to_dict()["training"]}) for experiment in started}) == 1


def test_the_form_is_in_the_address(tmp_path: Path, started: list[Experiment], monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = {"train-task": "adding", "train-length-adding": "30", "train-units": "7", "train-clipping": "value", "train-limit": "0.25"}
    app = page(tmp_path, monkeypatch, **chosen, **{"train-cells": ["GRU"], "train-layers": "2", "train-seed": "5"})
    go(app)
    (made,) = started
    assert made.task == Adding(length=30)
    assert (made.model.units, made.model.layers, made.training.seed) == (7, 2, 5)
    assert made.training.clipping == CLIPPING["value"](limit=0.25)


def test_every_control_once(tmp_path: Path, started: list[Experiment], monkeypatch: pytest.MonkeyPatch) -> None:
    app = page(tmp_path, monkeypatch)
    for rule in CLIPPING:
        app.selectbox(key="train-clipping").set_value(rule).run()
        fine(app)
        assert bool(CLIPPING[rule].dial) == (f"train-{CLIPPING[rule].dial}" in [item.key for item in app.number_input])
    for start in app.selectbox(key="train-start").options:
        app.selectbox(key="train-start").set_value(start).run()
        fine(app)
    for task in TASKS:
        app.segmented_control(key="train-task").set_value(task).run()
        fine(app)
        assert not [item.value for item in app.warning]
    app.pills(key="train-cells").set_value([]).run()
    assert "no cell is chosen" in app.warning[0].value
    go(app)
    assert "no cell is chosen" in words(app)
    assert started == []


@pytest.mark.parametrize("name", list(TASKS))
def test_every_task_makes_an_experiment_at_its_first_settings(name: str, tmp_path: Path) -> None:
    numbers = {"length": 5.0, "layers": 1.0, "units": 8.0, "gain": 1.0, "updates": 20.0, "rate": 0.01, "seed": 0.0}
    numbers["length"] = float(choices.option(TASKS[name], "length")["default"])
    (made,) = choices.experiments(choices.Chosen(name, ("rnn",), "identity", "none", numbers), tmp_path)
    assert TASKS.name_of(made.task) == name
    assert made.recording.probe_every == 10
    with pytest.raises(GradvizError, match="units is 9999; on this page it may be 256 at most"):
        choices.experiments(choices.Chosen(name, ("rnn",), "identity", "none", numbers | {"units": 9999.0}), tmp_path)


# ---------------------------------------------------------------------- a text of one's own


def test_a_text_is_kept_and_trained_on(tmp_path: Path, started: list[Experiment], monkeypatch: pytest.MonkeyPatch) -> None:
    app = page(tmp_path, monkeypatch)
    app.file_uploader[0].set_value(("../../<b>Ärger & co.txt", TEXT, "text/plain")).run()
    fine(app)
    assert not (tmp_path / uploads.FOLDER).exists()  # not before it is needed
    go(app)
    files = {experiment.task.file for experiment in started if isinstance(experiment.task, Text)}
    (path,) = (tmp_path / uploads.FOLDER).iterdir()
    assert files == {str(path)}
    assert path.name.startswith("b-rger-co-")
    assert path.read_bytes() == TEXT


REFUSED = {
    "binary": (b"PK\x03\x04\xff\xfe" * 999, "is not UTF-8 text: byte 0xff at offset 4"),
    "zeros": (b"text\0" * 999, "is no text: it has a zero byte at offset 4"),
    "short": (b"short", "has 5 characters; sequences of 60 need at least 1500"),
    "large": (b"a" * (5 * 2**20 + 1), "has 5.0 megabytes; at most 5 can be uploaded"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_no_text_is_refused(kind: str, tmp_path: Path, started: list[Experiment], monkeypatch: pytest.MonkeyPatch) -> None:
    data, why = REFUSED[kind]
    with pytest.raises(GradvizError, match=why):
        uploads.checked("mine", data, 60)
    if kind == "large":  # the widget does not even take it
        return
    app = page(tmp_path, monkeypatch)
    app.file_uploader[0].set_value(("mine.txt", data, "text/plain")).run()
    fine(app)
    assert why in app.warning[0].value.replace("\\", "")
    go(app)
    assert started == []
    assert why in words(app).replace("\\", "")
    assert not (tmp_path / uploads.FOLDER).exists()


def test_texts_are_kept_in_the_folder_of_runs_only(tmp_path: Path) -> None:
    (tmp_path / "away").mkdir()
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / uploads.FOLDER).symlink_to(tmp_path / "away")
    with pytest.raises(GradvizError, match="is a link"):
        uploads.keep("a.txt", TEXT, tmp_path / "runs")
    assert list((tmp_path / "away").iterdir()) == []


# ---------------------------------------------------------------------- runs in training


@pytest.fixture
def training(tmp_path: Path) -> Iterator[Path]:
    """A folder in which a run, started elsewhere, is in training until the test has ended."""
    folder, ready = tmp_path / "runs" / "mine", threading.Event()
    experiment = Experiment(
        Adding(length=10), Model(cell=CELLS["rnn"](), units=3),
        Training(updates=10**6, batch=2, clipping=Norm(limit=5.0)), Recording(every=1000, reach_every=1000, probe_every=0, held_out=3),
    )  # fmt: skip

    def watch(progress: Progress) -> None:
        time.sleep(0.02)
        if progress.step > 60:
            ready.set()

    def run() -> None:
        with pytest.raises(Stopped):
            train(experiment, folder, watch=watch)

    thread = threading.Thread(target=run)
    thread.start()
    assert ready.wait(30)
    yield folder
    if read_meta(folder)["status"] == "running":
        ask(folder, Wish(stop=True))
    thread.join(30)
    assert not thread.is_alive()


def until(app: AppTest, text: str) -> None:
    end = time.monotonic() + 20
    while text not in words(app):
        assert time.monotonic() < end, words(app)
        time.sleep(0.2)
        app.run()
        fine(app)


def test_a_run_of_another_process_is_watched_paused_turned_and_stopped(training: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = page(training.parent, monkeypatch)
    assert app.title[0].value == "1 run in training"
    assert len(app.get("image")) == 2, "what grows is an image"
    assert app.number_input(key="dial-mine").value == 5.0
    app.number_input(key="dial-mine").set_value(0.5).run()
    until(app, "limit 0\\.5 since update")
    assert read_meta(training)["changes"][0]["after"] == 0.5
    app.button(key="pause-mine").click().run()
    until(app, "paused")
    assert read_meta(training)["paused"] is True
    assert app.title[0].value == "0 runs in training, 1 paused"
    app.button(key="play_arrow-mine").click().run()
    until(app, "in training]")
    app.button(key="stop-mine").click().run()
    until(app, "stopped")
    assert read_meta(training)["status"] == "interrupted"
    assert app.title[0].value == "Train networks and watch them learn"
    assert app.button(key="play_arrow-mine").label == "Resume"


def test_what_cannot_be_asked_is_said_once(training: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = page(training.parent, monkeypatch)
    ask(training, Wish(stop=True))
    end = time.monotonic() + 20
    while read_meta(training)["status"] == "running":
        assert time.monotonic() < end
        time.sleep(0.05)
    app.button(key="pause-mine").click().run()  # the page has not seen it yet
    fine(app)
    assert "is not in training: it is interrupted" in words(app).replace("\\", "")
    app.run()
    assert "That was not done" not in words(app)


def test_a_run_whose_process_was_killed_is_not_said_to_train(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_run(tmp_path / "dead", family="gru", clipped=True)
    meta = json.loads((tmp_path / "dead" / "run.json").read_text()) | {"status": "running"}
    (tmp_path / "dead" / "run.json").write_text(json.dumps(meta))
    monkeypatch.setattr(trainings, "QUIET", -1.0)
    app = page(tmp_path, monkeypatch)
    assert "its process is gone" in words(app)
    assert app.title[0].value == "Train networks and watch them learn"
    assert not trainings.busy()


def test_every_end_has_its_word(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for status in ("finished", "failed", "interrupted"):
        make_run(tmp_path / status, family="gru", variant=Variant(status=status))
    app = page(tmp_path, monkeypatch)
    for word in ("finished", "failed", "stopped by the test", "stopped]"):
        assert word in words(app)


def test_a_hostile_request_file_and_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    evil = "<img src=x> :red[x] $y$ **z**"
    make_run(tmp_path / evil, family="gru", clipped=True)
    meta = json.loads((tmp_path / evil / "run.json").read_text())
    meta |= {"name": evil, "status": "running", "refused": {"update": 3, "why": evil}, "changes": [{"odd": 1}]}
    (tmp_path / evil / "run.json").write_text(json.dumps(meta | {"changes": []}))
    app = page(tmp_path, monkeypatch)
    assert "<img" not in words(app).replace("\\<img", "")
    assert ":red[" not in words(app).replace("\\:red", "")


def test_a_start_that_failed_says_why_and_can_be_put_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "text-rnn").mkdir()
    (tmp_path / "text-rnn" / starting.LOG).write_text("gradviz: the text is too short.\n")
    app = page(tmp_path, monkeypatch)
    assert "the text is too short" in words(app)
    app.button(key="away-text-rnn").click().run()
    fine(app)
    assert list(tmp_path.iterdir()) == []


# ---------------------------------------------------------------------- the demo


def test_the_demo_is_started_once_and_its_progress_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[Path] = []
    standing = {"running": False}
    monkeypatch.setattr(starting, "start_demo", lambda out: (calls.append(out), standing.update(running=True)))
    monkeypatch.setattr(starting, "demo", lambda out: starting.Demo(standing["running"], "", standing["running"]))
    app = opened(tmp_path / "new", monkeypatch)
    app.button(key="make-demo").click().run()
    fine(app)
    assert calls == [tmp_path / "new"]
    assert app.button(key="make-demo").disabled
    assert "Making the demo: 0 of 9 runs" in [item.proto.text for item in app.get("progress")]
    make_run(tmp_path / "new" / "text-rnn", family="rnn")
    app.run()
    fine(app)
    assert app.title[0].value != "No runs here yet"  # the pages can be used meanwhile
    assert "Making the demo: 1 of 9 runs" in [item.proto.text for item in app.get("progress")]
    standing["running"] = False
    app.run()
    assert not app.get("progress")


def test_a_demo_that_cannot_begin_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / starting.DEMO).write_text("gradviz: the disk is full.\n")
    app = opened(tmp_path, monkeypatch)
    fine(app)
    assert "the disk is full" in words(app).replace("\\", "")
    assert not app.button(key="make-demo").disabled


def test_nothing_is_asked_of_a_folder_without_a_run(tmp_path: Path) -> None:
    assert Mailbox(tmp_path / "none").take() is None

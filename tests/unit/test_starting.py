"""Trainings that are started as processes of their own."""

import argparse
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from gradviz import demo, starting
from gradviz.cells import CELLS
from gradviz.clipping.norm import Norm
from gradviz.clipping.value import Value
from gradviz.config import Experiment, Model, Recording, Training
from gradviz.errors import GradvizError
from gradviz.flags import add_flags, all_flags, experiments, given_in
from gradviz.initializers import Initialization
from gradviz.optimizers.sgd import SGD
from gradviz.recording.lock import taken
from gradviz.recording.reading import read_meta
from gradviz.tasks.adding import Adding
from gradviz.tasks.numbers import Numbers
from gradviz.tasks.text import Text

TINY = Experiment(Adding(length=10), Model(cell=CELLS["gru"](), units=3), Training(updates=3, batch=2), Recording(held_out=3))
MANY = {
    **demo.experiments(seed=3),
    "tiny": TINY,
    "default": Experiment(),
    "spaces": Experiment(Text(file="/a folder/ä, b=c.txt", length=9), Model(biases=False, initialization=Initialization(chrono=7))),
    "numbers": Experiment(Numbers(length=4), Model(embedding=3, layers=2, dropout=0.25), Training(optimizer=SGD(rate=1e-7, momentum=0.9))),
    "infinite": Experiment(TINY.task, TINY.model, Training(clipping=Norm(limit=1 / 3, order=float("inf")), seed=11)),
    "value": Experiment(TINY.task, TINY.model, Training(clipping=Value(limit=1e-5), precision="float64")),
}


@pytest.mark.parametrize("name", MANY)
def test_typed_flags_make_the_same_experiment(name: str) -> None:
    parser, flags = argparse.ArgumentParser(allow_abbrev=False), all_flags()
    add_flags(parser, flags)
    ((_, made),) = experiments(flags, given_in(parser.parse_args(starting.typed(MANY[name])), flags))
    assert made == MANY[name]


def until(true: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)


def ended(folder: Path) -> bool:
    return not taken(folder / starting.LOG)


def test_a_training_starts_by_itself_and_one_that_cannot_says_why(tmp_path: Path) -> None:
    folders = [starting.start(TINY, tmp_path), starting.start(Experiment(Text(file="/nowhere/a.txt")), tmp_path)]
    assert [folder.name for folder in folders] == ["adding-gru", "text-lstm"]
    assert {os.getsid(child.pid) for child in starting._children}.isdisjoint({os.getsid(0)})
    assert not any(map(ended, folders))
    assert [item.error for item in starting.begun(tmp_path) if item.name == "text-lstm"] == [""]
    until(lambda: all(map(ended, folders)))
    assert read_meta(folders[0])["status"] == "finished"
    assert read_meta(folders[0])["name"] == "adding-gru"
    ((name, why),) = [(item.name, item.error) for item in starting.begun(tmp_path)]
    assert name == "text-lstm"
    assert why.startswith("cannot read the text /nowhere/a.txt: No such file")
    starting.forget(tmp_path / "text-lstm")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["adding-gru"]
    starting.forget(tmp_path / "adding-gru")  # a run is never removed
    assert read_meta(folders[0])["updates_done"] == 3
    until(lambda: not starting.begun(tmp_path) and not starting._children)


@pytest.fixture
def sleeping(monkeypatch: pytest.MonkeyPatch) -> None:
    """Started processes say a word and wait until they are stopped."""
    monkeypatch.setattr(starting, "COMMAND", (sys.executable, "-S", "-c", "print('up', flush=True); import time; time.sleep(60)"))


def stop_all() -> None:
    for child in starting._children:
        child.kill()
        child.wait()
    starting._reap()


def test_names_are_unique_and_the_number_at_once_is_bounded(tmp_path: Path, sleeping: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(starting, "AT_ONCE", 3)
    try:
        names = [starting.start(TINY, tmp_path).name for _ in range(3)]
        assert names == ["adding-gru", "adding-gru-2", "adding-gru-3"]
        with pytest.raises(GradvizError, match="3 trainings are running already"):
            starting.start(TINY, tmp_path)
    finally:
        stop_all()
    starting.start(TINY, tmp_path)
    stop_all()


@pytest.mark.parametrize("name", ["../out", "/etc/x", "a/b", "..", "a\nb"])
def test_a_name_that_leads_out_of_the_folder_is_refused(name: str, tmp_path: Path, sleeping: None) -> None:
    with pytest.raises(GradvizError, match="plain folder name"):
        starting.start(Experiment(TINY.task, name=name), tmp_path / "runs")
    assert list(tmp_path.iterdir()) == []
    assert starting._children == []


def test_the_demo_is_not_made_twice(tmp_path: Path, sleeping: None) -> None:
    assert starting.demo(tmp_path) == starting.Demo(running=False, error="", began=False)
    starting.start_demo(tmp_path / "new")
    try:
        assert starting.demo(tmp_path / "new").running
        with pytest.raises(GradvizError, match="being worked on already"):
            starting.start_demo(tmp_path / "new")
        until(lambda: starting.said(tmp_path / "new" / starting.DEMO) == "up")
    finally:
        stop_all()
    assert starting.demo(tmp_path / "new") == starting.Demo(running=False, error="up", began=True)


def test_a_log_that_is_a_link_is_not_written_to(tmp_path: Path, sleeping: None) -> None:
    precious, out = tmp_path / "precious", tmp_path / "out"
    precious.write_text("mine")
    out.mkdir()
    (out / starting.DEMO).symlink_to(precious)
    with pytest.raises(GradvizError, match="cannot write"):
        starting.start_demo(out)
    assert precious.read_text() == "mine"
    (tmp_path / "away" / "x").mkdir(parents=True)
    (tmp_path / "away" / "x" / starting.LOG).write_text("gradviz: secret")
    (out / "x").symlink_to(tmp_path / "away" / "x")
    assert starting.begun(out) == []


def test_what_a_log_says_last(tmp_path: Path) -> None:
    log = tmp_path / "log"
    for text, last in (
        ("", "it ended without a word."),
        ("gradviz: bad\nmore\n", "bad"),
        ("Traceback\n  x\nMemoryError\n\n", "MemoryError"),
    ):
        log.write_text(text)
        assert starting.said(log) == last

"""A training that another process pauses, stops or turns, and the trace that leaves."""

import json
import os
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gradviz.cells import CELLS
from gradviz.clipping import CLIPPING
from gradviz.clipping.none import NoClipping
from gradviz.clipping.norm import Norm
from gradviz.clipping.percentile import Percentile
from gradviz.clipping.value import Value
from gradviz.config import Experiment, Model, Recording, Training
from gradviz.errors import GradvizError, RunError
from gradviz.interrupts import Stopped
from gradviz.recording.checkpoint import read_checkpoint
from gradviz.recording.control import Mailbox, Wish, ask, rule_of
from gradviz.recording.reading import read_meta, read_table
from gradviz.sweep import train_all
from gradviz.tasks.adding import Adding
from gradviz.training import Progress, Watch, resume, train
from tests.resumed import content, differing, stop_at

UPDATES = 12
TINY = Experiment(
    Adding(length=10),
    Model(cell=CELLS["gru"](), units=3),
    Training(updates=UPDATES, batch=2, clipping=Norm(limit=10.0), checkpoint_every=4),
    Recording(every=3, reach_every=5, validate_every=2, probe_every=6, held_out=3, probe_examples=1),
)


def clipping(rule: Any) -> Experiment:
    return replace(TINY, training=replace(TINY.training, clipping=rule))


def asking(folder: Path, wishes: dict[int, Wish], then: Watch = lambda progress: None) -> Watch:
    """Ask for something after so many updates."""

    def watch(progress: Progress) -> None:
        if progress.step in wishes:
            ask(folder, wishes[progress.step])
        then(progress)

    return watch


def column(folder: Path, name: str) -> Any:
    return read_table(folder, "steps")[name].to_numpy()


def test_a_threshold_changes_with_the_next_update_and_the_run_says_so(tmp_path: Path) -> None:
    plain = train(TINY, tmp_path / "plain")
    run = train(TINY, tmp_path / "run", watch=asking(tmp_path / "run", {5: Wish(threshold=0.001), 9: Wish(threshold=2)}))
    assert list(column(run, "threshold")) == [10.0] * 5 + [0.001] * 4 + [2.0] * 3
    np.testing.assert_allclose(column(run, "norm_after")[5:9], 0.001, rtol=1e-5)
    assert list(column(run, "loss")[:6]) == list(column(plain, "loss")[:6])  # the loss of an update is taken before it
    assert column(run, "loss")[8] != column(plain, "loss")[8]
    assert read_meta(run)["changes"] == [
        {"update": 5, "option": "clipping.limit", "before": 10.0, "after": 0.001},
        {"update": 9, "option": "clipping.limit", "before": 0.001, "after": 2.0},
    ]
    assert read_meta(run)["experiment"] == TINY.to_dict() | {"name": ""}  # as it began
    assert rule_of(read_meta(run)) == Norm(limit=2.0)
    assert not (run / "control.json").exists()


CHANGED = {3: Wish(threshold=0.01), 7: Wish(threshold=0.3)}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """With two changes, in one go."""
    folder = tmp_path_factory.mktemp("whole") / "run"
    return content(train(TINY, folder, watch=asking(folder, CHANGED)))


@pytest.mark.parametrize("step", [3, 5, 8])
def test_interrupted_after_a_change_it_goes_on_with_it(step: int, tmp_path: Path, whole: dict[str, Any]) -> None:
    folder = tmp_path / "run"
    first = {at: wish for at, wish in CHANGED.items() if at < step}
    with pytest.raises(KeyboardInterrupt):
        train(TINY, folder, watch=asking(folder, first, stop_at(step)))
    rest = {at: wish for at, wish in CHANGED.items() if at > step}
    if step == 3:  # asked for and cut short before it was done: what is asked of a run that has ended is forgotten
        rest = {4: CHANGED[3], **rest}
        resume(folder, watch=asking(folder, rest))
        assert read_meta(folder)["changes"][0]["update"] == 4
        return
    assert differing(whole, content(resume(folder, watch=asking(folder, rest)))) == []


class Died(BaseException):
    """As if the process had been killed."""


def killed(folder: Path, step: int, wishes: dict[int, Wish], monkeypatch: pytest.MonkeyPatch) -> None:
    def die(progress: Progress) -> None:
        if progress.step == step:
            raise Died

    with monkeypatch.context() as patch:
        patch.setattr("gradviz.training._cut_short", lambda *_: None)
        patch.setattr("gradviz.recording.store.SECONDS", 0.0)
        with pytest.raises(Died):
            train(TINY, folder, watch=asking(folder, wishes, die))


@pytest.mark.parametrize("step", [6, 10])
def test_killed_it_makes_the_changes_again_at_the_same_updates(
    step: int, tmp_path: Path, whole: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed after 6 or 10 updates, it goes on from its checkpoint after 4 or 8: before, or after, the last change."""
    folder = tmp_path / "run"
    killed(folder, step, CHANGED, monkeypatch)
    rest = {at: wish for at, wish in CHANGED.items() if at > step}
    assert differing(whole, content(resume(folder, watch=asking(folder, rest)))) == []


def test_another_change_takes_the_place_of_those_to_be_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "run"
    killed(folder, 7, {6: Wish(threshold=0.3)}, monkeypatch)
    resume(folder, watch=asking(folder, {5: Wish(threshold=4.0)}))
    assert [change["after"] for change in read_meta(folder)["changes"]] == [4.0]
    assert list(column(folder, "threshold")) == [10.0] * 5 + [4.0] * 7


def test_older_versions_are_told_of_changes_they_would_overlook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    train(TINY, tmp_path / "plain")
    train(TINY, tmp_path / "run", watch=asking(tmp_path / "run", {5: Wish(threshold=1.0)}))
    monkeypatch.setattr("gradviz.recording.checkpoint.VERSION", 1)
    assert read_checkpoint(tmp_path / "plain").facts["changes"] == []
    with pytest.raises(RunError, match=r"has schema 2, .* goes on from schemas up to 1\."):
        read_checkpoint(tmp_path / "run")


def test_stop_is_ctrl_c_from_afar(tmp_path: Path) -> None:
    plain = content(train(TINY, tmp_path / "plain"))
    folder = tmp_path / "run"
    with pytest.raises(Stopped):
        train(TINY, folder, watch=asking(folder, {5: Wish(stop=True)}))
    meta = read_meta(folder)
    assert (meta["status"], meta["updates_done"], meta["error"]) == ("interrupted", 5, "")
    assert differing(plain, content(resume(folder))) == []


def test_one_of_several_stops_alone(tmp_path: Path) -> None:
    folders = train_all({"a": TINY, "b": TINY}, tmp_path, processes=1, watch=_stop_a(tmp_path))
    assert [read_meta(folder)["status"] for folder in folders] == ["interrupted", "finished"]


def _stop_a(folder: Path) -> Watch:
    def watch(progress: Progress) -> None:
        if (progress.run, progress.step) == ("a", 3):
            ask(folder / "a", Wish(stop=True))

    return watch


def until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


def later(act: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=act)
    thread.start()
    return thread


def test_paused_it_waits_says_so_and_counts_no_time(tmp_path: Path) -> None:
    plain, folder = content(train(TINY, tmp_path / "plain")), tmp_path / "run"
    seen: dict[str, Any] = {}

    def go_on() -> None:
        until(lambda: bool((folder / "run.json").exists() and read_meta(folder).get("paused")))
        seen["cpu"], began = time.process_time(), time.monotonic()
        time.sleep(0.5)
        seen.update(cpu=time.process_time() - seen["cpu"], rows=len(column(folder, "loss")), checkpoint=read_checkpoint(folder).updates)
        ask(folder, Wish(pause=False))
        seen["wait"] = time.monotonic() - began

    thread = later(go_on)
    train(TINY, folder, watch=asking(folder, {5: Wish(pause=True)}))
    thread.join()
    assert (seen["rows"], seen["checkpoint"]) == (5, 5)
    assert seen["cpu"] < 0.2 < 0.5 <= seen["wait"]
    assert np.diff(column(folder, "seconds")).max() < 0.4
    assert differing(plain, content(folder)) == []  # and no trace of a pause is left


@pytest.mark.parametrize("how", ["stop", "ctrl-c"])
def test_paused_it_can_be_ended(how: str, tmp_path: Path) -> None:
    plain, folder = content(train(TINY, tmp_path / "plain")), tmp_path / "run"

    def end() -> None:
        until(lambda: bool((folder / "run.json").exists() and read_meta(folder).get("paused")))
        if how == "stop":
            ask(folder, Wish(stop=True))
        else:
            os.kill(os.getpid(), signal.SIGINT)

    thread = later(end)
    with pytest.raises(KeyboardInterrupt):
        train(TINY, folder, watch=asking(folder, {5: Wish(pause=True)}))
    thread.join()
    meta = read_meta(folder)
    assert (meta["status"], meta["updates_done"]) == ("interrupted", 5)
    assert "paused" not in meta
    assert differing(plain, content(resume(folder))) == []


def test_what_was_asked_and_not_taken_yet_still_holds(tmp_path: Path) -> None:
    folder = tmp_path / "run"

    def watch(progress: Progress) -> None:
        if progress.step == 5:
            ask(folder, Wish(threshold=0.5))
            ask(folder, Wish(pause=True))
            ask(folder, Wish(pause=False))

    train(TINY, folder, watch=watch)
    assert list(column(folder, "threshold"))[4:6] == [10.0, 0.5]


HOSTILE = {
    "no JSON": b"{",
    "no UTF-8": b"\xff\xfe",
    "a list": b"[]",
    "deep": b"[" * 999,
    "long": b" " * 2000 + b"{}",
    "unknown": b'{"run": "rm -rf"}',
    "words": b'{"threshold": "0.5"}',
    "yes": b'{"pause": 1}',
    "true": b'{"threshold": true}',
    "negative": b'{"threshold": -1, "stop": true}',
    "nan": b'{"threshold": NaN}',
    "infinite": b'{"threshold": 1e999}',
    "huge": b'{"threshold": 1' + b"0" * 400 + b"}",
}


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE)
def test_what_cannot_be_understood_is_refused_and_disturbs_nothing(data: bytes, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    train(TINY, folder, watch=lambda progress: progress.step == 5 and (folder / "control.json").write_bytes(data))  # type: ignore[func-returns-value]
    meta = read_meta(folder)
    assert (meta["status"], meta["updates_done"], meta["refused"]["update"]) == ("finished", UPDATES, 5)
    assert meta["refused"]["why"]
    assert "changes" not in meta
    assert set(column(folder, "threshold")) == {10.0}
    json.loads((folder / "run.json").read_bytes(), parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))


@pytest.mark.parametrize("kind", ["folder", "link", "pipe"])
def test_what_is_no_plain_file_is_left_unread(kind: str, tmp_path: Path) -> None:
    folder, secret = tmp_path / "run", tmp_path / "secret"
    secret.write_text('{"stop": true}')

    def watch(progress: Progress) -> None:
        if progress.step == 5:
            path = folder / "control.json"
            {"folder": path.mkdir, "link": lambda: path.symlink_to(secret), "pipe": lambda: os.mkfifo(path)}[kind]()

    train(TINY, folder, watch=watch)
    assert read_meta(folder)["status"] == "finished"
    assert "plain file" in read_meta(folder)["refused"]["why"]
    assert secret.read_text() == '{"stop": true}'


def test_whoever_asks_does_not_hang_on_a_pipe(tmp_path: Path) -> None:
    folder = tmp_path / "run"

    def watch(progress: Progress) -> None:
        if progress.step == 5:
            os.mkfifo(folder / "control.json")
            ask(folder, Wish(threshold=1.0))

    assert column(train(TINY, folder, watch=watch), "threshold")[5] == 1.0


def test_a_rule_without_a_threshold_says_so(tmp_path: Path) -> None:
    folder = tmp_path / "run"

    def watch(progress: Progress) -> None:
        if progress.step == 5:
            with pytest.raises(GradvizError, match="NoClipping has no threshold"):
                ask(folder, Wish(threshold=0.5))
            (folder / "control.json").write_text('{"threshold": 0.5}')

    train(clipping(NoClipping()), folder, watch=watch)
    assert "NoClipping has no threshold" in read_meta(folder)["refused"]["why"]


def test_only_a_run_in_training_can_be_asked(tmp_path: Path) -> None:
    folder = train(TINY, tmp_path / "run")
    with pytest.raises(RunError, match="not in training: it is finished"):
        ask(folder, Wish(pause=True))
    assert not (folder / "control.json").exists()
    with pytest.raises(RunError, match="no folder"):
        ask(tmp_path / "none", Wish(pause=True))


def test_autoclip_keeps_the_norms_it_has_seen(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    train(clipping(Percentile(percent=100.0)), folder, watch=asking(folder, {6: Wish(threshold=50.0)}))
    norms = column(folder, "norm_before")
    for step in range(UPDATES):
        expected = np.percentile(norms[: step + 1], 50.0 if step >= 6 else 100.0)
        assert column(folder, "threshold")[step] == pytest.approx(expected)


@pytest.mark.parametrize("name", CLIPPING.names())
def test_the_dial_of_a_rule_is_one_of_its_numbers(name: str) -> None:
    rule = CLIPPING[name]()
    if not rule.dial:
        assert name == "none"
        return
    assert getattr(rule.turned(0.25), rule.dial) == 0.25
    with pytest.raises(GradvizError, match=rule.dial):
        rule.turned(-1.0)


def test_a_value_rule_bounds_every_entry_at_the_new_limit(tmp_path: Path) -> None:
    """Its threshold is no norm, so the table has none: the list of changes alone can say it."""
    folder = tmp_path / "run"
    train(clipping(Value(limit=100.0)), folder, watch=asking(folder, {6: Wish(threshold=0.0)}))
    assert np.isnan(column(folder, "threshold")).all()
    assert list(column(folder, "norm_after")[6:]) == [0.0] * 6
    assert (column(folder, "norm_after")[:6] > 0).all()
    assert read_meta(folder)["changes"][0]["option"] == "clipping.limit"


def test_looking_costs_next_to_nothing(tmp_path: Path) -> None:
    mailbox = Mailbox(tmp_path)
    began = time.process_time()
    for _ in range(1000):
        mailbox.take()
    assert time.process_time() - began < 0.1  # a tenth of a millisecond an update; a small update takes several

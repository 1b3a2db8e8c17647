"""Training: what it writes, that a seed decides it, that an interruption leaves a readable run."""

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gradviz.cells import CELLS
from gradviz.clipping.norm import Norm
from gradviz.config import Experiment, Model, Recording, Training
from gradviz.errors import GradvizError
from gradviz.frames import load
from gradviz.network import Network
from gradviz.optimizers.sgd import SGD
from gradviz.sweep import train_all
from gradviz.tasks.adding import Adding
from gradviz.tasks.numbers import Numbers
from gradviz.tasks.text import Text
from gradviz.training import Progress, Trainer, train

SMALL = Experiment(
    Adding(length=12),
    Model(cell=CELLS["gru"](), units=5, layers=2, direction="both"),
    Training(updates=6, batch=4, clipping=Norm(limit=0.01)),
    Recording(every=2, reach_every=3, probe_every=6, held_out=4, probe_examples=2),
)


class Rows(list):  # type: ignore[type-arg]
    def append(self, table: str, row: dict[str, object]) -> None:  # type: ignore[override]
        super().append((table, row))


def test_a_run_holds_what_the_schedule_asks_for(tmp_path: Path) -> None:
    run = load(train(SMALL, tmp_path / "run"))
    assert run.status == "finished"
    assert run.steps["step"].tolist() == list(range(6))
    assert sorted(run.table("reach")["step"].unique()) == [0, 3, 6]
    assert sorted(run.parameters["step"].unique()) == [0, 2, 4, 5]
    assert sorted(run.table("probe")["step"].unique()) == [0, 6]
    assert run.steps["clipped"].all()
    assert run.steps["norm_after"].to_numpy() == pytest.approx(0.01, rel=1e-5)
    assert run.steps["cosine"].to_numpy() == pytest.approx(1.0)
    assert run.probe(6, 1, "gate.update", layer=1, direction="backward").shape == (12, 5)


def test_recorded_gradients_are_those_of_the_network(tmp_path: Path) -> None:
    """The reach of a fresh network, recomputed with a plain norm from an observed pass of its own."""
    run = load(train(SMALL, tmp_path / "run"))
    data = SMALL.task.open(SMALL.training.seed)
    network, batch, seen = Network(SMALL.model, data.signature, dtype="float64", seed=0), data.held_out(4), []
    network.parameters = {name: array.astype(np.float32).astype(np.float64) for name, array in network.parameters.items()}
    with network.observe("layers.1.forward.hidden", lambda name, array: seen.append(array.copy()), gradient=True):
        result = network.forward(batch.inputs)
        error = result.outputs - batch.targets[None]
        network.backward(result, 2 * error)
    expected = np.log10(np.linalg.norm(seen[0], axis=2)).mean(axis=1)[::-1]
    rows = run.table("reach").query("step == 0 and layer == 1 and direction == 'forward' and point == 'hidden'")
    np.testing.assert_allclose(np.array(rows["mean"].iloc[0]), expected, rtol=1e-10)


def test_the_same_seed_gives_the_same_run_and_another_seed_another(tmp_path: Path) -> None:
    runs = [
        load(train(replace(SMALL, training=replace(SMALL.training, seed=seed)), tmp_path / name))
        for name, seed in (("a", 1), ("b", 1), ("c", 2))
    ]
    losses = [run.steps["loss"].to_numpy() for run in runs]
    assert np.array_equal(losses[0], losses[1])
    assert not np.array_equal(losses[0], losses[2])
    assert all(np.array_equal(value, runs[1].weights()[name]) for name, value in runs[0].weights().items())


def test_recording_does_not_change_what_is_recorded(tmp_path: Path) -> None:
    quiet = replace(SMALL, recording=Recording(every=100, reach_every=0, probe_every=0, held_out=4))
    loud, still = load(train(SMALL, tmp_path / "loud")), load(train(quiet, tmp_path / "still"))
    assert np.array_equal(loud.steps["loss"].to_numpy(), still.steps["loss"].to_numpy())


@pytest.mark.parametrize("error", [KeyboardInterrupt, ZeroDivisionError])
def test_a_training_cut_short_leaves_a_run_that_says_so(tmp_path: Path, error: type[BaseException]) -> None:
    def stop(progress: Progress) -> None:
        if progress.step == 4:
            raise error

    with pytest.raises(error):
        train(SMALL, tmp_path / "run", watch=stop)
    run = load(tmp_path / "run")
    assert run.status == ("interrupted" if error is KeyboardInterrupt else "failed")
    assert run.steps["step"].tolist() == [0, 1, 2, 3]


def test_the_first_bad_number_is_located(tmp_path: Path) -> None:
    """ReLU, gain 1.2, SGD 0.2 with momentum and no clipping: NaN within a few updates, first in a forward state."""
    model = Model(cell=CELLS["rnn"](activation="relu"), units=64)
    model = replace(model, initialization=replace(model.initialization, gain=1.2))
    training = Training(updates=12, batch=8, optimizer=SGD(rate=0.2, momentum=0.9))
    run = load(train(Experiment(Text(length=100), model, training, Recording(every=100, reach_every=0, probe_every=0)), tmp_path / "run"))
    row = run.trouble.iloc[0]
    assert len(run.trouble) == 1
    assert (row["layer"], row["direction"], row["point"], row["gradient"]) == (0, "forward", "hidden", False)
    assert 1 <= row["step"] <= 9
    assert not np.isfinite(run.steps["loss"].iloc[int(row["step"]) :]).any()


def test_truncation_cuts_the_gradient_and_not_the_state() -> None:
    task = Text(length=30)
    whole = Experiment(task, Model(units=4), Training(updates=1, batch=2, precision="float64"), SMALL.recording)
    cut = replace(whole, training=replace(whole.training, truncation=10))
    data, seen = task.open(), {}
    for name, experiment in (("whole", whole), ("cut", cut)):
        trainer = Trainer(experiment, data, Rows())
        with trainer.network.observe(
            "layers.0.forward.hidden", lambda _, array, name=name: seen.__setitem__(name, array.copy()), gradient="through_time"
        ):
            trainer.update(0)
    for boundary in (9, 19):
        assert not seen["cut"][boundary].any()
        assert seen["whole"][boundary].any()
    assert np.array_equal(seen["cut"][20:], seen["whole"][20:])


def test_carried_states_continue_the_text() -> None:
    """With a learning rate of nothing, two windows of 10 with the state carried end where one window of 20 ends."""
    finals = []
    for length, updates in ((10, 2), (20, 1)):
        task = Text(length=length, order="contiguous")
        training = Training(updates=updates, batch=3, precision="float64", carry_state=True, optimizer=SGD(rate=0.0))
        trainer = Trainer(Experiment(task, Model(units=4), training, SMALL.recording), task.open(), Rows())
        for step in range(updates):
            trainer.update(step)
        assert trainer.state is not None
        finals.append(trainer.state["layers.0.forward"])
    for short, long in zip(*finals, strict=True):
        np.testing.assert_allclose(short, long, rtol=1e-12)


@pytest.mark.parametrize(
    ("task", "direction", "message"),
    [
        (Text(), "forward", "do not continue one another"),
        (Text(order="contiguous"), "both", "does not go with direction both"),
        (Text(order="contiguous"), "backward", "does not go with direction backward"),
    ],
    ids=["random", "both", "backward"],
)
def test_states_are_carried_only_where_that_means_something(task: Text, direction: str, message: str) -> None:
    with pytest.raises(GradvizError, match=message):
        Experiment(task, Model(direction=direction), Training(carry_state=True))


@pytest.mark.parametrize(
    ("training", "message"),
    [(Training(truncation=5), "truncation does not go with an encoder–decoder"), (Training(carry_state=True), "carry_state")],
)
def test_what_an_encoder_and_decoder_cannot_do_is_said_before_a_folder_is_made(tmp_path: Path, training: Training, message: str) -> None:
    with pytest.raises(GradvizError, match=message):
        train(Experiment(Numbers(), Model(units=4), training, SMALL.recording), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_the_sum_over_time_is_the_mean_times_the_steps(tmp_path: Path) -> None:
    task = Text(length=30)
    norms = []
    for reduction in ("mean", "sum"):
        training = Training(updates=1, batch=2, precision="float64", reduction=reduction)
        row = Trainer(Experiment(task, Model(units=4), training, SMALL.recording), task.open(), Rows()).update(0)
        norms.append(row["norm_before"])
        assert row["loss_sum"] == pytest.approx(30 * row["loss"])
    assert norms[1] == pytest.approx(30 * norms[0])


def test_workers_train_side_by_side_and_report(tmp_path: Path) -> None:
    said: list[Progress] = []
    alone = load(train(SMALL, tmp_path / "alone"))
    folders = train_all({"a": SMALL, "b": SMALL}, tmp_path / "both", processes=2, watch=said.append)
    assert [folder.name for folder in folders] == ["a", "b"]
    assert {(progress.run, progress.step) for progress in said} >= {("a", 6), ("b", 6)}
    for folder in folders:
        assert np.array_equal(load(folder).steps["loss"].to_numpy(), alone.steps["loss"].to_numpy())


def test_a_worker_that_fails_says_why(tmp_path: Path) -> None:
    (tmp_path / "both" / "b").mkdir(parents=True)
    (tmp_path / "both" / "b" / "run.json").write_text("{}")
    with pytest.raises(GradvizError, match="holds a run already"):
        train_all({"a": SMALL, "b": SMALL}, tmp_path / "both", processes=2)


@pytest.mark.slow
@pytest.mark.parametrize("everyone", [False, True])
def test_an_interruption_reaches_the_workers_and_leaves_their_runs_readable(tmp_path: Path, everyone: bool) -> None:
    """SIGINT to the whole group, as a terminal sends it, and to the parent alone."""
    command = [sys.executable, "-m", "gradviz", "demo", "--out", str(tmp_path / "runs")]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True)
    started = lambda: [path for path in (tmp_path / "runs").glob("*/run.json") if load(path.parent).steps["step"].max() > 5]  # noqa: E731
    deadline = time.monotonic() + 120
    while len(started()) < 2 and time.monotonic() < deadline:
        time.sleep(0.2)
    (os.killpg if everyone else os.kill)(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "can be read" in said
    runs = [load(path.parent) for path in (tmp_path / "runs").glob("*/run.json")]
    assert len(runs) >= 2
    assert {run.status for run in runs} == {"interrupted"}
    assert {run.label: len(run.steps) for run in runs} == {run.label: run.meta["updates_done"] for run in runs}


def test_a_worker_that_dies_is_said_so_and_its_run_does_not_seem_to_run(tmp_path: Path) -> None:
    """Killed outright, as by a machine short of memory: the first and the last worker alike."""
    long = replace(SMALL, training=replace(SMALL.training, updates=10**6))
    for number in (0, -1):
        heard: set[str] = set()

        def kill(progress: Progress, number: int = number, heard: set[str] = heard) -> None:
            heard.add(progress.run)
            if len(heard) == 2:
                os.kill(multiprocessing.active_children()[number].pid or 0, signal.SIGKILL)
                heard.clear()

        with pytest.raises(GradvizError, match="a worker process died"):
            train_all({"a": long, "b": long}, tmp_path / str(number), watch=kill)
        for name in "ab":
            run = load(tmp_path / str(number) / name)
            assert (run.status, run.meta["error"]) == ("failed", "its process died")


def test_an_interruption_before_the_first_update_is_one_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("gradviz.training.describe", stop)
    with pytest.raises(KeyboardInterrupt):
        train(SMALL, tmp_path / "run")
    assert json.loads((tmp_path / "run" / "run.json").read_text())["status"] == "interrupted"

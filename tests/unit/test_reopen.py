"""A run's network and data again: what they were, and clear words where they are not to be had."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from gradviz.cells import CELLS
from gradviz.config import Experiment, Model, Recording, Training
from gradviz.dynamics.jacobians import follow
from gradviz.errors import GradvizError, RunError
from gradviz.recording.reading import read_weights
from gradviz.recording.reopen import reopen
from gradviz.tasks import TASKS
from gradviz.trainer import Trainer
from gradviz.training import train
from tests.finding_runs import Writer


def copied(folder: Path, to: Path) -> Path:
    return Path(shutil.copytree(folder, to / "run"))


@pytest.mark.parametrize("name", ["text-rnn-norm", "text-lstm"])
@pytest.mark.parametrize("weights", ["last", "best"])
def test_weights_are_the_stored_ones(trained: Path, name: str, weights: str) -> None:
    found = reopen(trained / name, weights)
    stored = read_weights(trained / name, weights)
    assert list(found.network.parameters) == list(found.network.parts.shapes())
    assert all(np.array_equal(array, stored[key]) for key, array in found.network.parameters.items())
    assert found.network.dtype == np.float32
    assert found.data is not None
    assert found.why == ""


def test_what_was_measured_is_measured_again(shaped: Path, trained: Path) -> None:
    """The lowest held-out loss, from the reopened network and data alone."""
    for folder in (trained / "text-lstm", shaped / "numbers", shaped / "sine"):
        found = reopen(folder, "best")
        batch, exact = found.known.held_out(8), found.network.astype("float64")
        run = exact.forward(batch.inputs, batch.lengths, decoder=batch.decoder)
        assert exact.loss(run, batch).mean == pytest.approx(json.loads((folder / "run.json").read_text())["best"]["loss"], rel=1e-9)


class Sink:
    def append(self, table: str, row: object) -> None:
        pass


def test_the_start_is_what_training_began_with(trained: Path) -> None:
    found = reopen(trained / "text-lstm", "start")
    trainer = Trainer(found.experiment, found.known, Sink())
    assert all(np.array_equal(array, trainer.network.parameters[key]) for key, array in found.network.parameters.items())


def test_a_start_that_cannot_be_drawn_again_is_an_error(trained: Path, tmp_path: Path) -> None:
    folder = copied(trained / "text-lstm", tmp_path)
    meta = json.loads((folder / "run.json").read_text())
    meta["experiment"]["training"]["seed"] = 1
    (folder / "run.json").write_text(json.dumps(meta))
    with pytest.raises(RunError, match=r"cannot be drawn again .* use the weights last or best"):
        reopen(folder, "start")


def test_a_text_that_changed_is_no_data(tmp_path: Path) -> None:
    text = tmp_path / "text.txt"
    text.write_text("the quick brown fox jumps over the lazy dog. " * 60)
    training = Training(updates=2, batch=4)
    task = TASKS["text"](file=str(text), length=10)
    folder = train(Experiment(task, Model(CELLS["gru"](), units=4), training, Recording(held_out=4)), tmp_path / "run")
    assert reopen(folder).data is not None
    text.write_text("the quick brown fox jumps over the lazy cat. " * 60)
    found = reopen(folder)
    assert found.data is None
    assert found.network.model.units == 4
    with pytest.raises(RunError, match="has changed since"):
        _ = found.known
    text.unlink()
    with pytest.raises(RunError, match="not to be had as it was"):
        _ = reopen(folder).known
    assert reopen(folder, data=False).why == "they were not asked for."


def test_what_is_not_there_is_said(trained: Path, tmp_path: Path) -> None:
    with pytest.raises(GradvizError, match=r"unknown weights 'lst'\. Did you mean 'last'"):
        reopen(trained / "text-lstm", "lst")
    with pytest.raises(RunError, match="there is no folder"):
        reopen(tmp_path / "none")
    bare = Writer(tmp_path / "bare").run()
    with pytest.raises(RunError, match="does not say what network it trained"):
        reopen(bare.path)
    folder = copied(trained / "text-lstm", tmp_path)
    (folder / "best.safetensors").unlink()
    with pytest.raises(RunError, match="has no best"):
        reopen(folder, "best")
    shutil.copy(trained / "text-rnn-norm" / "weights.safetensors", folder)
    with pytest.raises(RunError, match="are not those of its network"):
        reopen(folder)


def test_goes_with_the_dynamics_tools(shaped: Path) -> None:
    found = reopen(shaped / "sine")
    path = follow(found.network, found.known.held_out(1).inputs[:, 0])
    assert path.width == 8

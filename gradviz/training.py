"""The training loop: batch → forward → loss → backward → clip → update, watched by a recorder, written to a run folder."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from gradviz.batch import Signature
from gradviz.clipping import Clipped
from gradviz.config import Experiment, Training
from gradviz.errors import GradvizError
from gradviz.network import UNCUT, Network
from gradviz.passes import Loss, Pass, States
from gradviz.recording.meta import answered, describe
from gradviz.recording.recorder import Recorder, Sink
from gradviz.recording.store import RunWriter
from gradviz.tasks import Data


@dataclass(frozen=True)
class Progress:
    """Where a training stands: `step` of `steps` updates are done."""

    run: str
    step: int
    steps: int
    loss: float
    norm: float


Watch = Callable[[Progress], None]


class Trainer:
    """One experiment on its way. `update` does one step; `train` does them all."""

    def __init__(self, experiment: Experiment, data: Data, sink: Sink) -> None:
        training, recording = experiment.training, experiment.recording
        self.experiment, self.data = experiment, data
        self.network = Network(experiment.model, data.signature, dtype=training.precision, seed=training.seed)
        self.rng = np.random.default_rng([training.seed, 1])  # batches do not depend on how many weights were drawn
        self.dropping = np.random.default_rng([training.seed, 2])
        self.optimizer_state = training.optimizer.start(self.network.parameters)
        self.clipping_state = training.clipping.start()
        self.recorder = Recorder(self.network, recording, sink, data.held_out(recording.held_out), training.updates)
        self.state: States | None = None
        self.began = time.perf_counter()

    def update(self, step: int) -> dict[str, Any]:
        """One training step. Returns its row of the table `steps`."""
        training, network = self.experiment.training, self.network
        batch = self.data.batch(training.batch, self.rng)
        self.recorder.between(step)
        with self.recorder.watching(step, batch):
            with network.dropping(self.dropping):
                run = network.forward(batch.inputs, batch.lengths, self.state, decoder=batch.decoder, reuse=True)
            loss = network.loss(run, batch, reduction=training.reduction)
            gradients = network.backward(run, loss.d_outputs, truncation=training.truncation).parameters
        clipped = training.clipping.clip(gradients, network.parameters, self.clipping_state)
        self._locate_trouble(step, run, loss, clipped)
        with self.recorder.updating(step, gradients, clipped.gradients), np.errstate(all="ignore"):
            training.optimizer.step(network.parameters, clipped.gradients, self.optimizer_state, training.optimizer.rate)
        self.state = run.final if training.carry_state else None
        return self._row(step, loss, clipped)

    def _locate_trouble(self, step: int, run: Pass, loss: Loss, clipped: Clipped) -> None:
        if not (np.isfinite(loss.mean) and np.isfinite(clipped.before)):
            self.recorder.locate(step, run)

    def _row(self, step: int, loss: Loss, clipped: Clipped) -> dict[str, Any]:
        return {
            "step": step, "loss": loss.mean, "loss_sum": loss.sum, "rate": self.experiment.training.optimizer.rate,
            "norm_before": clipped.before, "norm_after": clipped.after, "clipped": clipped.acted, "cosine": clipped.cosine,
            "threshold": clipped.threshold, "tokens": loss.count, "seconds": time.perf_counter() - self.began,
        }  # fmt: skip


def train(experiment: Experiment, folder: Path | str, *, watch: Watch = lambda progress: None, force: bool = False) -> Path:
    """Train, record everything, and return the run's folder. Interrupted or failed, it leaves a readable run that says so."""
    folder = Path(folder)
    data = experiment.task.open(experiment.training.seed)
    _check(experiment.training, data.signature)
    with threadpool_limits(1, "blas"):  # two threads on small products are far slower than one when the cores are busy
        writer = RunWriter.create(folder, {"name": experiment.name or folder.name, "status": "running"}, force=force)
        try:
            trainer = Trainer(experiment, data, writer)
            writer.update(**describe(experiment, data, trainer.network, trainer.recorder.probed))
            _train(trainer, writer, watch)
        except KeyboardInterrupt:
            if writer.meta["status"] == "running":  # before the first update
                writer.finish("interrupted")
            raise
        except Exception as error:
            writer.finish("failed", f"{type(error).__name__}: {error}")
            raise
    return folder


def _check(training: Training, signature: Signature) -> None:
    """What cannot be trained is said before a folder is made."""
    if signature.at == "decoded" and training.carry_state:
        raise GradvizError(
            "carry_state does not go with an encoder–decoder network: its decoder starts where the encoder ends, in every batch anew. "
            "Use no carry_state."
        )
    if signature.at == "decoded" and training.truncation:
        raise GradvizError(UNCUT)


def _train(trainer: Trainer, writer: RunWriter, watch: Watch) -> None:
    updates, name = trainer.experiment.training.updates, writer.folder.name
    try:
        for step in range(updates):
            row = trainer.update(step)
            writer.append("steps", row)
            watch(Progress(name, step + 1, updates, row["loss"], row["norm_before"]))
        trainer.recorder.between(updates)
    except KeyboardInterrupt:
        _finish(writer, trainer, "interrupted")
        raise
    _finish(writer, trainer, "finished")


def _finish(writer: RunWriter, trainer: Trainer, status: str) -> None:
    writer.save_weights(trainer.network.parameters)
    done = writer.rows("steps")  # not a count of our own: an interruption may come between the two
    writer.update(updates_done=done, seconds=time.perf_counter() - trainer.began)
    writer.update(**answered(trainer.data, trainer.network, trainer.recorder.probed))
    writer.finish(status)

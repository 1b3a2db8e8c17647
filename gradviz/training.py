"""Training: an experiment becomes a run folder, at once or, after an interruption, in several goes."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_limits

from gradviz.batch import Signature
from gradviz.config import Experiment, Training
from gradviz.errors import GradvizError, RunError
from gradviz.interrupts import postponed
from gradviz.network import UNCUT
from gradviz.recording.checkpoint import Checkpoint, anew, read_checkpoint
from gradviz.recording.control import Mailbox
from gradviz.recording.meta import answered, describe, scores
from gradviz.recording.store import RunWriter
from gradviz.steering import Helm
from gradviz.trainer import Trainer

__all__ = ["Progress", "Trainer", "Watch", "resume", "train"]


@dataclass(frozen=True)
class Progress:
    """Where a training stands: `step` of `steps` updates are done. token: what the loss is per, character or word, in a text."""

    run: str
    step: int
    steps: int
    loss: float
    norm: float
    token: str = ""


Watch = Callable[[Progress], None]


def train(
    experiment: Experiment,
    folder: Path | str,
    *,
    watch: Watch = lambda progress: None,
    force: bool = False,
    prepare: Callable[[Trainer], None] = lambda trainer: None,
) -> Path:
    """Train, record everything, and return the run's folder. Interrupted or failed, it leaves a readable run that says so, and that
    `resume` can go on with. prepare: called before the first update, to begin from weights of one's own (`Trainer.start_from`)."""
    folder = Path(folder)
    data = experiment.task.open(experiment.training.seed)
    _check(experiment.training, data.signature)

    def begin(writer: RunWriter) -> Trainer:
        trainer = Trainer(experiment, data, writer)
        prepare(trainer)
        writer.update(**describe(experiment, data, trainer.network, trainer.recorder.probed))
        return trainer

    return _run(RunWriter.create(folder, {"name": experiment.name or folder.name, "status": "running"}, force=force), begin, watch)


def resume(folder: Path | str, *, watch: Watch = lambda progress: None, updates: int | None = None) -> Path:
    """Go on with a run that was interrupted, failed or killed, from its latest checkpoint, and return its folder. What it ends with is
    what it would have ended with in one go. updates: how many there shall be in all, more than before to train a finished run longer."""
    writer = RunWriter.open(folder)
    try:
        experiment = Experiment.from_dict(writer.meta.get("experiment", {}))
        if updates is not None:
            writer.meta["experiment"]["training"]["updates"] = updates
            experiment = replace(experiment, training=replace(experiment.training, updates=updates))
        checkpoint = read_checkpoint(writer.folder)
        _check_unfinished(writer, checkpoint, experiment.training.updates)
        data = experiment.task.open(experiment.training.seed)
        if data.digest != checkpoint.digest:
            raise RunError(
                f"what {writer.folder} learns has changed since it began: its SHA-256 was {checkpoint.digest[:12]}… and is "
                f"{data.digest[:12]}…. Put the old file back to go on. {anew(writer.folder, 'Or start')}"
            )
        trainer = Trainer(experiment, data, writer)
        trainer.restore(checkpoint)
        writer.rewind(checkpoint)
        if trainer.best.weights:
            writer.save_best(trainer.best)  # a later one may be there, of an update that is done again now
        for gone in ("test", "paused", "refused"):
            writer.meta.pop(gone, None)
        writer.update(status="running", error="")
    except BaseException:
        writer.close()
        raise
    return _run(writer, lambda _: trainer, watch)


def _check(training: Training, signature: Signature) -> None:
    """What cannot be trained is said before a folder is made."""
    if signature.at == "decoded" and training.carry_state:
        raise GradvizError(
            "carry_state does not go with an encoder–decoder network: its decoder starts where the encoder ends, in every batch anew. "
            "Use no carry_state."
        )
    if signature.at == "decoded" and training.truncation:
        raise GradvizError(UNCUT)


def _check_unfinished(writer: RunWriter, checkpoint: Checkpoint, updates: int) -> None:
    """Whether there is anything left to do."""
    folder, done = writer.folder, checkpoint.updates
    if "stopped_early" in writer.meta:
        raise RunError(
            f"{folder} is finished: it stopped after {writer.meta['stopped_early']} updates, because its held-out loss fell no more. "
            f"{anew(folder, 'To train longer, start')[:-1]}, and a larger --patience."
        )
    if updates < done or (updates == done and writer.meta["status"] == "finished"):
        state = "is finished" if writer.meta["status"] == "finished" else "has come as far as that"
        raise RunError(f"{folder} {state}: {done} updates are done. To train it longer, say how many there shall be: --updates {2 * done}.")


# ---------------------------------------------------------------------- on the way


def _run(writer: RunWriter, begin: Callable[[RunWriter], Trainer], watch: Watch) -> Path:
    """Train to the end. Whatever ends it sooner, the run says so."""
    trainer: Trainer | None = None
    Mailbox(writer.folder).clear()
    with threadpool_limits(1, "blas"):  # two threads on small products are far slower than one when the cores are busy
        try:
            trainer = begin(writer)
            _train(trainer, writer, watch)
        except BaseException as error:
            try:
                _cut_short(writer, trainer, error)
            except GradvizError as second:  # a full disk, say: the first error is the one to see
                error.add_note(str(second))
            raise
        finally:
            writer.close()
    return writer.folder


def _cut_short(writer: RunWriter, trainer: Trainer | None, error: BaseException) -> None:
    interrupted = isinstance(error, KeyboardInterrupt)
    if writer.meta["status"] != "running":  # it was through
        return
    try:
        if trainer is not None and trainer.whole:
            _keep(trainer, writer)
        if trainer is not None and interrupted:
            _end(writer, trainer)
    finally:
        writer.finish("interrupted" if interrupted else "failed", "" if interrupted else f"{type(error).__name__}: {error}")


def _train(trainer: Trainer, writer: RunWriter, watch: Watch) -> None:
    updates, name, token = trainer.experiment.training.updates, writer.folder.name, str(writer.meta.get("token", ""))
    helm = Helm(trainer, writer, lambda: _keep(trainer, writer))
    for step in range(trainer.done, updates):
        helm.obey()
        with postponed():
            row = _advance(trainer, writer, step)
        if row is None:
            trainer.recorder.closing(step)
            writer.update(stopped_early=step)
            break
        watch(Progress(name, step + 1, updates, row["loss"], row["norm_before"], token))
    else:
        _measure(trainer, writer, updates)
    _end(writer, trainer)
    _test(writer, trainer)
    writer.finish("finished")


def _advance(trainer: Trainer, writer: RunWriter, step: int) -> dict[str, Any] | None:
    """One update, measured before and recorded. None, and no update, if training shall stop here."""
    training = trainer.experiment.training
    _measure(trainer, writer, step)
    if trainer.out_of_patience:
        return None
    row = trainer.update(step)
    writer.append("steps", row)
    trainer.done, trainer.whole = step + 1, True
    every = training.checkpoint_every
    if trainer.done == training.updates or (every and trainer.done % every == 0):
        _keep(trainer, writer)
    return row


def _measure(trainer: Trainer, writer: RunWriter, updates: int) -> None:
    trainer.whole = False  # what is measured now is measured again when a resumed run comes here
    if trainer.between(updates):
        writer.save_best(trainer.best)


def _keep(trainer: Trainer, writer: RunWriter) -> None:
    writer.flush()  # a checkpoint promises the rows up to its update
    writer.save_checkpoint(trainer.standing(writer.counts))


def _end(writer: RunWriter, trainer: Trainer) -> None:
    writer.save_weights(trainer.network.parameters)
    done = writer.rows("steps")  # not a count of our own: an interruption may come between the two
    writer.update(updates_done=done, seconds=trainer.seconds)
    writer.update(**answered(trainer.data, trainer.network, trainer.recorder.probed))


def _test(writer: RunWriter, trainer: Trainer) -> None:
    """What the best weights score on sequences that took no part in choosing them."""
    batch = trainer.data.test(trainer.experiment.recording.held_out)
    if batch is not None:
        step = trainer.best.step if trainer.best.weights else writer.rows("steps")
        loss = trainer.recorder.score(trainer.best.weights or trainer.network.parameters, batch)
        writer.update(test={"step": step, **scores(loss, trainer.data)})

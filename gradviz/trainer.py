"""One experiment on its way: batch → forward → loss → backward → clip → update, and all that has to be kept to go on from there."""

import time
from contextlib import nullcontext
from typing import Any

import numpy as np

from gradviz.arrays import Array, Parameters
from gradviz.clipping import Clipped
from gradviz.config import Experiment
from gradviz.errors import RunError
from gradviz.network import Network
from gradviz.passes import Learned, Loss, Pass, States
from gradviz.penalty import flow_kept, penalty
from gradviz.recording.best import Best
from gradviz.recording.checkpoint import Checkpoint, Tree
from gradviz.recording.recorder import Recorder, Sink
from gradviz.tasks import Data


class Trainer:
    """`between` measures, `update` does one step. done: updates that are finished and recorded; whole: whether everything that
    `standing` gathers is as it was after exactly so many."""

    def __init__(self, experiment: Experiment, data: Data, sink: Sink) -> None:
        training, recording = experiment.training, experiment.recording
        self.experiment, self.data = experiment, data
        self.network = Network(experiment.model, data.signature, dtype=training.precision, seed=training.seed)
        self.rng = np.random.default_rng([training.seed, 1])  # batches do not depend on how many weights were drawn
        self.dropping = np.random.default_rng([training.seed, 2])  # nor on what dropout draws
        self.optimizer_state = training.optimizer.start(self.network.parameters)
        self.clipping, self.changes = training.clipping, list[dict[str, Any]]()
        self.clipping_state = self.clipping.start()
        self.recorder = Recorder(self.network, recording, sink, data.held_out(recording.held_out), training.updates)
        self.state: States | None = None
        self.best = Best()
        self.done, self.whole = 0, True
        self.began = time.perf_counter()

    def start_from(self, parameters: Parameters, rng: np.random.Generator) -> None:
        """Before the first update: weights of one's own instead of those that were drawn, and the stream that draws the batches."""
        for name, array in parameters.items():
            self.network.parameters[name][...] = array
        self.recorder.start = {name: array.copy() for name, array in self.network.parameters.items()}
        self.rng = rng

    @property
    def seconds(self) -> float:
        """Since training began, without the time between an interruption and going on."""
        return time.perf_counter() - self.began

    def between(self, updates: int) -> bool:
        """What is measured after so many updates. Whether that is a new lowest held-out loss: then `best` holds the weights."""
        loss = self.recorder.between(updates)
        return loss is not None and self.best.take(updates, loss, self.network.parameters)

    @property
    def out_of_patience(self) -> bool:
        return 0 < self.experiment.training.patience <= self.best.waited

    def turn(self, value: Any) -> bool:
        """Another clipping threshold from the next update on. Whether that changes anything; a GradvizError if the rule has no such one."""
        rule = self.clipping.turned(value)
        if rule == self.clipping:
            return False
        before, after = (getattr(item, rule.dial) for item in (self.clipping, rule))
        self.changes.append({"update": self.done, "option": f"clipping.{rule.dial}", "before": before, "after": after})
        self.clipping = rule
        return True

    def update(self, step: int) -> dict[str, Any]:
        """One training step. Returns its row of the table `steps`."""
        training, network = self.experiment.training, self.network
        rate = training.optimizer.rate * training.schedule.factor(step, training.updates)
        batch = self.data.batch(training.batch, self.rng)
        flow = flow_kept(network) if training.regularizer.acts else nullcontext()
        with self.recorder.watching(step, batch), network.dropping(self.dropping), flow:
            learned = network.learn(batch, self.state, reduction=training.reduction, truncation=training.truncation)
        run, loss, rows = learned.run, learned.loss, learned.gradients.rows
        price, gradients = self._regularized(learned)
        clipped = self.clipping.clip(gradients, network.parameters, self.clipping_state)
        self._locate_trouble(step, run, loss, clipped)
        with self.recorder.updating(step, gradients, clipped.gradients), np.errstate(all="ignore"):
            training.optimizer.step_rows(network.parameters, clipped.gradients, self.optimizer_state, rate, rows)
        self.state = run.final if training.carry_state else None
        return {**self._row(step, loss, clipped, rate), "penalty": price}

    def _regularized(self, learned: Learned) -> tuple[float, Parameters]:
        """The regularizer's penalty, NaN without one, and the gradients with its own among them."""
        regularizer, gradients = self.experiment.training.regularizer, learned.gradients.parameters
        if not regularizer.acts:
            return float("nan"), gradients
        price, added = penalty(learned, regularizer)
        return price, {name: gradient + added[name] if name in added else gradient for name, gradient in gradients.items()}

    def _locate_trouble(self, step: int, run: Pass, loss: Loss, clipped: Clipped) -> None:
        if not (np.isfinite(loss.mean) and np.isfinite(clipped.before)):
            self.recorder.locate(step, run)

    def _row(self, step: int, loss: Loss, clipped: Clipped, rate: float) -> dict[str, Any]:
        return {
            "step": step, "loss": loss.mean, "loss_sum": loss.sum, "rate": rate,
            "norm_before": clipped.before, "norm_after": clipped.after, "clipped": clipped.acted, "cosine": clipped.cosine,
            "threshold": clipped.threshold, "tokens": loss.count, "seconds": self.seconds,
        }  # fmt: skip

    # ------------------------------------------------------------------ to go on

    def standing(self, rows: dict[str, int]) -> Checkpoint:
        """Everything that decides what comes next. rows: how many each table has."""
        numbers = {name: np.array(value) for name, value in self.clipping_state.items() if _numbers(value)}
        arrays: Tree = {
            "parameters": self.network.parameters,
            "start": self.recorder.start,
            "best": self.best.weights,
            "optimizer": self.optimizer_state,
            "clipping": numbers,
            "state": {layer: {str(k): array for k, array in enumerate(states)} for layer, states in (self.state or {}).items()},
        }
        facts = {
            "batches": self.rng.bit_generator.state,
            "dropping": self.dropping.bit_generator.state,
            "position": self.data.position(),
            "clipping": {name: value for name, value in self.clipping_state.items() if name not in numbers},
            "located": self.recorder.located,
            "best": {"step": self.best.step, "loss": self.best.loss, "waited": self.best.waited},
            "seconds": self.seconds,
            "changes": self.changes,
        }
        return Checkpoint(self.done, rows, arrays, facts, self.data.digest)

    def restore(self, checkpoint: Checkpoint) -> None:
        """Stand where `standing` was taken."""
        try:
            self._restore(checkpoint.arrays, checkpoint.facts)
        except (KeyError, TypeError, ValueError) as error:
            raise RunError(f"the checkpoint does not fit the run's own settings: {error}. Were they changed?") from error
        self.done, self.whole = checkpoint.updates, True

    def _restore(self, arrays: Tree, facts: dict[str, Any]) -> None:
        for kept, mine in (("parameters", self.network.parameters), ("start", self.recorder.start)):
            for name, array in mine.items():
                array[...] = _like(array, arrays[kept][name], name)
        remembered = arrays.get("optimizer", {})
        for kind, items in self.optimizer_state.items():
            for name, array in items.items():
                _like(array, remembered[kind][name], name)
        self.optimizer_state = {**self.optimizer_state, **remembered}
        self.clipping_state.update(facts["clipping"] | {name: list(map(float, item)) for name, item in arrays.get("clipping", {}).items()})
        carried = arrays.get("state")
        self.state = carried and {layer: tuple(states[str(k)] for k in range(len(states))) for layer, states in carried.items()}
        self.rng.bit_generator.state, self.dropping.bit_generator.state = facts["batches"], facts["dropping"]
        self.data.restore(facts["position"])
        self.changes = list(facts.get("changes", []))
        for change in self.changes:
            self.clipping = self.clipping.turned(change["after"])
        self.recorder.located = facts["located"]
        self.best = Best(**facts["best"], weights=arrays.get("best", {}))
        self.began = time.perf_counter() - facts["seconds"]


def _like(array: Array, kept: Array, name: str) -> Array:
    """What was kept, if it can stand where `array` stands: NumPy would spread a single number over any shape."""
    if kept.shape != array.shape:
        raise ValueError(f"{name} has shape {array.shape} and was kept as {kept.shape}")
    return kept


def _numbers(value: Any) -> bool:
    """Long lists of numbers are better kept as an array."""
    return isinstance(value, list) and bool(value) and all(type(item) is float for item in value)

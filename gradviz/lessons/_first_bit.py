"""Three small networks that learn to keep one bit, trained and recorded while the lesson is opened: two fail, each in its own way."""

import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path

import numpy as np

from gradviz.arrays import Array, norm
from gradviz.cells import CELLS
from gradviz.clipping import CLIPPING, Clipping
from gradviz.clipping.norm import Norm
from gradviz.config import Experiment, Model, Recording, Training
from gradviz.frames import Run, load
from gradviz.optimizers import Optimizer
from gradviz.optimizers.adam import Adam
from gradviz.optimizers.sgd import SGD
from gradviz.tasks.first_bit import FirstBit
from gradviz.trainer import Trainer
from gradviz.training import train

UNITS, UPDATES, LENGTH = 16, 400, 30
ORDER = ("input", "forget", "candidate", "output")  # in which the LSTM's weights are drawn


@dataclass(frozen=True)
class Setting:
    """cell, how its recurrent weights are drawn (gain g) and its forget gate is biased, and how it learns."""

    cell: str
    gain: float
    optimizer: Optimizer
    clipping: Clipping
    forget_bias: float = 0.0

    @property
    def state(self) -> str:
        """The state that carries far."""
        return "cell" if self.cell == "lstm" else "hidden"

    @property
    def gate(self) -> str:
        """Where units can be stuck."""
        return "gate.forget" if self.cell == "lstm" else "hidden"

    def stuck(self, values: Array) -> Array:
        return values < 0.1 if self.cell == "lstm" else np.abs(values) > 0.9

    @property
    def experiment(self) -> Experiment:
        training = Training(
            updates=UPDATES, batch=32, optimizer=self.optimizer, clipping=self.clipping, precision="float64", checkpoint_every=0
        )
        recording = Recording(every=UPDATES, reach_every=0, probe_every=0)  # its ends; what every update shows is watched besides
        return Experiment(FirstBit(length=LENGTH), Model(cell=CELLS[self.cell](), units=UNITS), training, recording)


NONE = CLIPPING["none"]()
SETTINGS = {
    "A": Setting("lstm", 1.0, Adam(rate=0.01), Norm(limit=1.0)),
    "B": Setting("lstm", 1.0, Adam(rate=0.01), Norm(limit=1.0), forget_bias=3.0),
    "C": Setting("rnn", 3.0, SGD(rate=0.5), NONE),
}


def prepare(setting: Setting, seed: int, trainer: Trainer) -> None:
    """One stream for weights and batches: recurrent weights N(0, g²/16), input N(0, 1), readout N(0, 1/16)."""
    rng, blocks = np.random.default_rng(seed), trainer.network.model.cell.blocks
    order = [ORDER.index(block) for block in blocks] if len(blocks) > 1 else [0]
    recurrent = setting.gain / np.sqrt(UNITS) * rng.standard_normal((UNITS, len(blocks), UNITS)).transpose(1, 0, 2)
    inputs = rng.standard_normal((1, len(blocks), UNITS)).transpose(1, 0, 2)
    parameters = {name: np.zeros_like(array) for name, array in trainer.network.parameters.items()}
    parameters["layers.0.forward.weight_hh"] = recurrent[order]
    parameters["layers.0.forward.weight_ih"] = inputs[order]
    parameters["readout.weight"] = rng.standard_normal((UNITS, 1)) / np.sqrt(UNITS)
    if "forget" in blocks:
        parameters["layers.0.forward.bias"][blocks.index("forget")] = setting.forget_bias
    trainer.start_from(parameters, rng)


@dataclass(frozen=True)
class Course:
    """A training as arrays, one row an update. gradients: (update, time) mean over the batch of ‖∂L/∂s_t‖, s the state that carries far,
    of an LSTM the cell state; saturated: (update,) share of hidden units beyond ±0.9, of an LSTM of forget gates below 0.1; folder: holds
    the run as long as this lives."""

    run: Run
    gradients: Array
    saturated: Array
    folder: tempfile.TemporaryDirectory[str]

    def column(self, name: str) -> Array:
        return self.run.steps[name].to_numpy(np.float64)

    def ratio(self, update: int) -> float:
        """How much of the gradient at the last state arrives at the first one, in the update of this number, from 1."""
        first, *_, last = self.gradients[update - 1]
        return float(first / last)


@lru_cache(maxsize=8)
def course(name: str, seed: int = 0) -> Course:
    """Train one of the settings, which takes a second or two, and keep it."""
    setting, folder = SETTINGS[name], tempfile.TemporaryDirectory(prefix="gradviz-lesson-")
    gradients: list[Array] = []
    saturated: list[float] = []
    watched = [
        (setting.state, True, lambda array: gradients.append(norm(array, axis=-1).mean(axis=1))),
        (setting.gate, False, lambda array: saturated.append(float(setting.stuck(array).mean()))),
    ]
    with ExitStack() as stack:

        def begin(trainer: Trainer) -> None:
            prepare(setting, seed, trainer)
            for point, gradient, see in watched:
                observer = partial(_seen, see)
                stack.enter_context(trainer.network.observe(f"layers.0.forward.{point}", observer, gradient))

        path = train(setting.experiment, Path(folder.name) / name, prepare=begin)
    return Course(load(path), np.array(gradients), np.array(saturated), folder)


def _seen(see: Callable[[Array], None], name: str, array: Array) -> None:
    see(array)

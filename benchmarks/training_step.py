"""One update of a real training: forward, loss, backward, clipping, Adam. Bare, and with everything recorded into a run folder."""

import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from job import OUTPUTS, Size

from gradviz.batch import Batch, Signature
from gradviz.cells import CELLS
from gradviz.clipping import CLIPPING
from gradviz.config import Experiment, Model, Recording, Training
from gradviz.recording.store import RunWriter
from gradviz.tasks import TASKS, Data
from gradviz.training import Trainer


class Fixed(Data):
    """One batch of random values, over and over."""

    baselines, facts, lag = {}, {}, None

    def __init__(self, size: Size) -> None:
        rng = np.random.default_rng(0)
        self.signature = Signature(size.inputs, OUTPUTS, False, "squared")
        inputs, targets = (rng.standard_normal((size.steps, size.batch, width)).astype(np.float32) for width in (size.inputs, OUTPUTS))
        self.given = Batch(inputs, targets)

    def batch(self, size: int, rng: np.random.Generator) -> Batch:
        return self.given

    def held_out(self, size: int) -> Batch:
        return self.given


def trainer(cell: str, size: Size, folder: Path, *, every: int) -> Trainer:
    training = Training(updates=10**9, batch=size.batch, clipping=CLIPPING["norm"](limit=1.0))
    recording = Recording(every=every, reach_every=0, probe_every=0)
    experiment = Experiment(TASKS["adding"](), Model(cell=CELLS[cell](), units=size.units), training, recording)
    writer = RunWriter.create(folder, {"name": folder.name, "status": "running"}, force=False)
    return Trainer(experiment, Fixed(size), writer)


def contenders(cell: str, size: Size) -> dict[str, Callable[[], object]]:
    """Both update their own copy of the same network, and so go through the same numbers."""
    out = Path(tempfile.mkdtemp(prefix="gradviz-benchmark-"))
    made = {name: trainer(cell, size, out / name, every=every) for name, every in (("bare", 10**9), ("recorded", 1))}

    def update(each: Trainer) -> Callable[[], object]:
        return lambda: each.recorder.sink.append("steps", each.update(1))

    return {name: update(each) for name, each in made.items()}

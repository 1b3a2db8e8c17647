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
from gradviz.trainer import Trainer


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


def contenders(cell: str, size: Size) -> dict[str, Callable[[], object]]:
    """One training whose steps are recorded or not, in turns: the same network, the same buffers."""
    folder = Path(tempfile.mkdtemp(prefix="gradviz-benchmark-"))
    training = Training(updates=10**9, batch=size.batch, clipping=CLIPPING["norm"](limit=1.0))
    recording = Recording(every=2, reach_every=0, probe_every=0)
    experiment = Experiment(TASKS["adding"](), Model(cell=CELLS[cell](), units=size.units), training, recording)
    writer = RunWriter.create(folder / "run", {"name": "run", "status": "running"}, force=False)
    trainer = Trainer(experiment, Fixed(size), writer)
    return {
        "bare": lambda: writer.append("steps", trainer.update(1)),
        "recorded": lambda: writer.append("steps", trainer.update(2)),
    }

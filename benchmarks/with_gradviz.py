"""The job in gradviz: as training does it, and as the recorder sees it."""

from collections.abc import Callable

import numpy as np
from job import Job

from gradviz.config import Recording
from gradviz.recording.recorder import Recorder


class Nowhere:
    """Takes rows as the store does and keeps the last of them."""

    def __init__(self) -> None:
        self.rows: dict[tuple[object, ...], dict[str, object]] = {}

    def append(self, table: str, row: dict[str, object]) -> None:
        self.rows[table, row["point"], row.get("quantity")] = row


def bare(job: Job) -> Callable[[], dict[str, object]]:
    def run() -> dict[str, object]:
        done = job.network.forward(job.batch.inputs, reuse=True)
        return {"outputs": done.outputs, "gradients": job.network.backward(done, job.d_outputs)}

    return run


def recorded(job: Job) -> Callable[[], dict[str, object]]:
    """The recorder gives more than the others: also percentiles over the batch, and saturation and mean of every unit."""
    sink = Nowhere()
    recorder = Recorder(job.network, Recording(every=1, reach_every=0, probe_every=0), sink, job.batch, 10)
    step = bare(job)

    def run() -> dict[str, object]:
        with recorder.watching(0, job.batch):
            done = step()
        return {**done, "rows": sink.rows}

    return run


def products(job: Job) -> Callable[[], None]:
    """The matrix products of the bare job and nothing else: the same calls on arrays of the same shapes."""
    size, blocks = job.size, len(job.network.model.cell.blocks)
    rows = size.steps * size.batch
    rng = np.random.default_rng(1)

    def some(*shape: int) -> np.ndarray:
        return rng.standard_normal(shape).astype(np.float32)

    inputs, hidden, features = some(rows, size.inputs), some(size.batch, size.units), some(rows, size.units)
    ih, hh, back = (some(blocks, n, size.units) for n in (size.inputs, size.units, size.units))
    d_block, d_step, out = some(blocks, rows, size.units), some(blocks, size.batch, size.units), some(blocks, size.batch, size.units)
    project, readout, d_outputs = np.empty_like(d_block), job.weights["readout.weight"], job.d_outputs.reshape(rows, -1)

    def run() -> None:
        np.matmul(inputs, ih, out=project)
        for _ in range(size.steps):
            np.matmul(hidden, hh, out=out)
        np.matmul(features, readout)
        np.matmul(features.T, d_outputs)
        np.matmul(d_outputs, readout.T)
        for _ in range(size.steps):
            np.matmul(d_step, back.transpose(0, 2, 1), out=out)
        np.matmul(features.T, d_block)
        np.matmul(inputs.T, d_block)
        for block, weight in zip(d_block, ih, strict=True):
            np.matmul(block, weight.T)

    return run

"""A run that holds what went on in a network while it wrote: every gate and state, and how its gradient flows back through the text."""

import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from gradviz.arrays import Integers, global_norm
from gradviz.batch import Batch
from gradviz.config import Experiment, Recording
from gradviz.errors import RunError
from gradviz.language.model import LanguageModel, beginnings, weights_file
from gradviz.language.sampling import Sample
from gradviz.network import Network
from gradviz.recording.meta import describe
from gradviz.recording.reading import FILES, read_meta
from gradviz.recording.recorder import Recorder
from gradviz.recording.segments import META
from gradviz.recording.store import RunWriter
from gradviz.tasks import Data

ONCE = Recording(every=1, reach_every=1, probe_every=1, held_out=1, probe_examples=1)


class Written(Data):
    """One text as data: the only sequence there is, of a network that learned sentences one by one the last sentence alone. of: run.json of
    the run whose network wrote it."""

    lag = None

    def __init__(self, model: LanguageModel, ids: Integers, of: dict[str, Any]) -> None:
        inputs = model.before(ids)
        begin = beginnings(inputs)[-1]
        self.sequence, self.vocabulary = Batch(inputs[begin:, None], ids[begin:, None]), model.vocabulary
        self.signature, self.facts, self.baselines = model.network.signature, of["facts"], {}  # baselines are of another text

    def batch(self, size: int, rng: np.random.Generator) -> Batch:
        return self.sequence

    def held_out(self, size: int) -> Batch:
        return self.sequence

    def words(self, inputs: Any) -> list[str] | None:
        return self.vocabulary.visible(inputs)


def trace(run: Path | str, said: Sample, folder: Path | str, *, weights: str = "best", force: bool = False) -> Path:
    """Write a run into `folder` that charts and pages open as any other. Its one sequence is the prompt and what was written after it, of a
    network that learned sentences one by one the sentence that it ended, read once more in double precision: arrays of all points, and
    gradients of the loss summed over the text. All rows stand at the update whose weights wrote.

    run: the folder of the run that wrote `said`; weights: with which of its weights. A folder that holds a run is refused unless `force`.
    """
    began, of, model, folder = time.perf_counter(), read_meta(run), LanguageModel.load(run, weights), Path(folder)
    step = _step(of, weights_file(Path(run), weights))
    ids = np.concatenate([model.vocabulary.encode(said.prompt, final=False), said.ids])
    experiment = replace(Experiment.from_dict(of["experiment"]), name=folder.name)
    data, network = Written(model, ids, of), model.fresh()
    with RunWriter.create(folder, {"name": folder.name, "status": "running"}, force=force) as writer:
        recorder = Recorder(network, ONCE, writer, data.sequence, 0)
        writer.update(**describe(experiment, data, network, recorder.probed), updates_done=step, trace=_facts(model, said))
        recorder.between(step)
        with recorder.watching(step, data.sequence):
            row = _pass(network, data.sequence, experiment.training.reduction)
        writer.append("steps", {"step": step, **row, "seconds": time.perf_counter() - began})
        precision = experiment.training.precision
        writer.save_weights({name: array.astype(precision) for name, array in network.parameters.items()})
        writer.update(seconds=time.perf_counter() - began)
    return folder


def _pass(network: Network, batch: Batch, reduction: str) -> dict[str, Any]:
    """Forward and backward once, as in training but without an update; the row of the table `steps`."""
    run = network.forward(batch.inputs)
    loss = network.loss(run, batch, reduction=reduction)
    gradients = network.backward(run, loss.d_outputs).parameters
    length = global_norm(gradients.values())
    return {
        "loss": loss.mean, "loss_sum": loss.sum, "rate": 0.0, "norm_before": length, "norm_after": length, "clipped": False,
        "cosine": 1.0, "threshold": float("nan"), "tokens": loss.count, "penalty": float("nan"),
    }  # fmt: skip


def _step(of: dict[str, Any], file: Path) -> int:
    """How many updates had made these weights."""
    best = of.get("best") if file.name == FILES["best"] else None
    step = of.get("updates_done") if best is None else best.get("step") if isinstance(best, dict) else None
    if type(step) is not int or step < 0:
        raise RunError(f"{file.parent / META} does not tell after how many updates {file.name} was written; train the run again.")
    return step


def _facts(model: LanguageModel, said: Sample) -> dict[str, Any]:
    """What run.json says of the writing."""
    unknown = [_storable(token) for token in said.unknown]
    written = {"prompt": _storable(said.prompt), "text": said.text, "tokens": len(said.ids), "ended": said.ended, "unknown": unknown}
    return {"of": model.name, **written, **asdict(said.choice), "seed": said.seed}


def _storable(text: str) -> str:
    """As UTF-8 can hold it: bytes of a command line that are no text come as half surrogate pairs."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")

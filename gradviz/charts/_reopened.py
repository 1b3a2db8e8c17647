"""Runs whose own network is asked: its weights, and one of the sequences it was probed with, taken up again."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from gradviz.batch import NOTHING, Batch
from gradviz.charts._speakers import probed
from gradviz.dynamics.jacobians import Trajectory, follow
from gradviz.errors import GradvizError, RunError
from gradviz.frames import Run, load
from gradviz.language import LanguageModel
from gradviz.network import Network
from gradviz.recording.reopen import Reopened, reopen

RECORD = "No run here holds weights that can be taken up again. A training writes them at its end: let one finish, or stop it with Ctrl-C."

LEFT_OUT = "Left out"  # before the names of runs that the chart refuses; nothing of them is unrecorded

MOST = 32  # runs that are remembered
WEIGHTS = ("last", "best", "start")


@dataclass(frozen=True, eq=False)
class Known:
    """What is computed from: network, with the weights asked for, in double precision; batch: one sequence it has never learned, without
    padding; words: what its steps are called, empty if they have no names.

    The same run, sequence and weights give the same object as long as the run is not written again, so that results can be remembered
    for it.
    """

    network: Network
    batch: Batch
    words: tuple[str, ...]

    @property
    def path(self) -> Trajectory:
        """The states that the network goes through while it reads the sequence."""
        return _followed(self)


@dataclass(frozen=True)
class Asked:
    run: Run
    known: Known


def asked(runs: Sequence[Run], example: int = 0, weights: str = "last") -> tuple[list[Asked], str]:
    """The runs that can be taken up again, with the recorded sequence number `example`; and if there are none, why.

    The sequence comes from the task; of a language model whose text has gone or changed, from the words that were recorded of it.
    """
    found, reasons = [], []
    for run in runs:
        try:
            written = (Path(run.path) / "run.json").stat().st_mtime_ns
            found.append(Asked(run, _known(Path(run.path), written, example, weights)))
        except GradvizError as error:
            reasons.append(f"{run.label}: {error}")
        except OSError:
            reasons.append(f"{run.label}: there is no run in {run.path}.")
    return found, "" if found else next(iter(reasons), RECORD)


@lru_cache(maxsize=MOST)
def _known(path: Path, written: int, example: int, weights: str) -> Known:
    run, again = load(path), reopen(path, weights)
    batch = _recorded(run, again, example) if again.data is None else _held_out(again, example)
    return Known(again.network.astype("float64"), batch, tuple((run.words(example) or [])[: batch.reading.steps]))


@lru_cache(maxsize=MOST)
def _followed(known: Known) -> Trajectory:
    return follow(known.network, known.batch.inputs[:, 0])


def _held_out(again: Reopened, example: int) -> Batch:
    batch = again.known.held_out(again.experiment.recording.held_out)
    if not 0 <= example < batch.size:
        raise RunError(f"there is no sequence {example}; {batch.size} were held out, counted from 0.")
    at = again.network.signature.at
    one = batch.some(slice(example, example + 1), at)
    steps = int(one.reading.ends[0])
    if one.decoder is not None:
        return one
    return Batch(one.inputs[:steps], one.targets if at == "last" else one.targets[:steps])


def _recorded(run: Run, again: Reopened, example: int) -> Batch:
    """A passage of a text as its recorded words tell it: each token is read to predict the next."""
    reads = again.network.signature.tokens and again.network.signature.at == "every"
    if not reads or not run.words(example):
        raise RunError(f"what this run learned is not to be had as it was, and no words were recorded of sequence {example}: {again.why}")
    model = LanguageModel.load(run.path, "last")
    ids = model.vocabulary.encode(probed(run, model, example))
    if len(ids) < 2:
        raise RunError(f"the recorded sequence {example} holds {len(ids)} tokens; it takes two for one to predict the other.")
    return Batch(np.concatenate([[NOTHING], ids[:-1]])[:, None], np.asarray(ids)[:, None])


def place(known: Known, layer: int = -1, point: str = "") -> str:
    """The hook point of a state: of the last layer if `layer` is -1, read forward if it is read both ways; the cell state of an LSTM, else
    the hidden state, if `point` is empty."""
    network, places = known.network, known.network.parts.places
    layers = sorted({number for number, _ in places})
    if layer >= len(layers):
        raise GradvizError(f"there is no layer {layer}; the layers are 0 to {len(layers) - 1}.")
    number = layers[layer]
    states = network.model.cell.states
    if point and point not in states:
        raise GradvizError(f"there is no {point} state in this cell; there is {' and '.join(states)}.")
    ways = [direction for at, direction in places if at == number]
    return f"layers.{number}.{'forward' if 'forward' in ways else ways[0]}.{point or ('cell' if 'cell' in states else 'hidden')}"

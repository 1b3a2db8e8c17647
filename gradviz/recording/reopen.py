"""A run's network and data, as they were: for the exact tools of `gradviz.dynamics`, and for all that was not recorded."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.compute as pc

from gradviz.architecture import Architecture
from gradviz.arrays import Parameters, norm
from gradviz.batch import Signature
from gradviz.config import Experiment, Recording, Training
from gradviz.errors import GradvizError, RunError, unknown
from gradviz.network import Network
from gradviz.recording import watched
from gradviz.recording.reading import FILES, read_meta, read_table, read_weights
from gradviz.tasks import Data

START = "start"
SAME = ("sha256", "splits", "vocabulary")  # what a text says in its facts of which one it was; what is made from a seed has none
CLOSE = 1e-4  # relative: norms were taken in single precision


@dataclass(frozen=True)
class Reopened:
    """network: with the weights asked for, in the precision it was trained in; data: what it learned, or None if that is not to be had
    any more, as it was; why: then the reason, else empty."""

    experiment: Experiment
    network: Network
    data: Data | None
    why: str = ""

    @property
    def known(self) -> Data:
        """The data; a RunError that says what became of them if there are none."""
        if self.data is None:
            raise RunError(f"what this run learned is not to be had as it was: {self.why}")
        return self.data


def reopen(folder: Path | str, weights: str = "last", *, data: bool = True) -> Reopened:
    """The network of the run in this folder, and its task's data. weights: the "last" ones, the "best", those with the lowest held-out
    loss, or those it began with, "start", which are drawn again from its seed and checked against what was recorded of them.

    data: false leaves the data alone, which is faster where a text is large. A text that has changed or gone is no error: `Reopened.data`
    is None then.
    """
    folder = Path(folder)
    if weights not in (START, *FILES):
        raise unknown("weights", weights, (START, *FILES))
    meta = read_meta(folder)
    if "watched" in meta:
        return _watched(folder, meta, weights)
    try:
        experiment = Experiment.from_dict(meta.get("experiment") or {})
        signature = Signature(**meta.get("signature") or {})
        parts = Architecture(experiment.model, signature)
    except (GradvizError, TypeError) as error:
        raise RunError(f"{folder} does not say what network it trained: {error}") from error
    precision, seed = experiment.training.precision, experiment.training.seed
    if weights == START:
        network = Network(experiment.model, signature, dtype=precision, seed=seed)
        _check_start(folder, network)
    else:
        network = Network.of(parts, _fitting(folder, parts, read_weights(folder, weights), precision), precision)
    opened, why = _opened(folder, experiment, meta) if data else (None, "they were not asked for.")
    return Reopened(experiment, network, opened, why)


def _watched(folder: Path, meta: dict[str, Any], weights: str) -> Reopened:
    """Of a watched model: its recurrent layers, and the sequences they read at the last recorded step."""
    network, data = watched.read(folder, meta, None if weights == START else read_weights(folder, weights))
    size = data.kept.size
    training, recording = Training(precision=str(network.dtype)), Recording(held_out=size)
    return Reopened(Experiment(watched.Watched(data.kept.steps), network.model, training, recording), network, data)


def _fitting(folder: Path, parts: Architecture, found: Parameters, precision: str) -> Parameters:
    """The stored weights in the network's order, if they are its own."""
    wanted, given = parts.shapes(), {name: array.shape for name, array in found.items()}
    if wanted != given:
        wrong = sorted(name for name in wanted.keys() | given.keys() if wanted.get(name) != given.get(name))
        name = wrong[0]
        raise RunError(
            f"the weights of {folder} are not those of its network: {name} has shape {given.get(name, 'none')} and must have "
            f"{wanted.get(name, 'no place')}. Was run.json changed?"
        )
    return {name: found[name].astype(precision) for name in wanted}


def _check_start(folder: Path, network: Network) -> None:
    """Weights drawn from a seed are those of the run if they have the norms that were recorded before its first update."""
    table = read_table(folder, "parameters")
    blocks = network.parts.blocks()
    for row in table.filter(pc.equal(table["step"], 0)).to_pylist():
        name, gate = row["parameter"], row["gate"]
        gates = blocks.get(name, ("",))
        known = name in network.parameters and gate in gates
        found = norm(network.parameters[name].reshape(len(gates), -1)[gates.index(gate)], axis=-1) if known else np.nan
        if not abs(float(found) - row["weight"]) <= CLOSE * abs(row["weight"]):
            raise RunError(
                f"the weights that {folder} began with cannot be drawn again from its seed: {name} {gate} has norm {float(found):.6g} now "
                f"and had {row['weight']:.6g}. Another version of gradviz or NumPy draws others; use the weights last or best."
            )


def _opened(folder: Path, experiment: Experiment, meta: dict[str, Any]) -> tuple[Data | None, str]:
    """The data, if they are what the run learned, else why not."""
    try:
        data = experiment.task.open(experiment.training.seed)
    except (GradvizError, OSError) as error:
        return None, str(error)
    facts = meta.get("facts") or {}
    if any(data.facts.get(name) != facts[name] for name in SAME if name in facts):
        return None, f"the text of {folder} has changed since; put the old file back."
    return data, ""

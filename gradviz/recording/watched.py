"""What a watched model leaves besides its tables, so that exact charts can take it up again: the recurrent layers as they were at the last
recorded step, and the sequences that they read there.

The loss was another library's. What is known of it is the gradient that arrived at every output, and a squared error whose targets are
chosen so that its gradient is that one stands for it: what such a loss feels of a state, the real one felt.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load

from gradviz import options
from gradviz.arrays import Array, Integers, Parameters
from gradviz.batch import Batch, Signature, ends_of
from gradviz.config import Model
from gradviz.errors import GradvizError, RunError
from gradviz.network import Network
from gradviz.passes import States
from gradviz.recording.segments import SEQUENCES
from gradviz.tasks import Data, Task

START = "start/"


@dataclass(frozen=True)
class Kept:
    """network: the layers, outputs read as they are; start: their parameters at the first recorded step; batch: the sequences."""

    network: Network
    start: Parameters
    batch: Batch

    @property
    def arrays(self) -> Parameters:
        """All of it but the network's own parameters, by name."""
        lengths = {} if self.batch.lengths is None else {"lengths": self.batch.lengths}
        return {
            "inputs": np.asarray(self.batch.inputs),
            "targets": np.asarray(self.batch.targets),
            **lengths,
            **{f"{START}{name}": array for name, array in self.start.items()},
        }

    @property
    def facts(self) -> dict[str, Any]:
        """What run.json says of the network."""
        signature = self.network.signature
        said = {name: getattr(signature, name) for name in ("inputs", "outputs", "tokens", "loss", "at", "decoder")}
        return {"model": options.to_dict(self.network.model), "signature": said, "precision": str(self.network.dtype)}


def standing_in(network: Network, inputs: Array | Integers, lengths: Integers | None, d_outputs: Array, d_final: States) -> Batch:
    """The sequences with targets whose squared error has the gradient `d_outputs`, but for a factor where that is tiny or huge.

    d_final: of the final states; those of the layer that is read out arrive at the last step of each sequence; empty if nothing does.
    """
    arriving = d_outputs.astype(np.float64)
    size, units, ends = inputs.shape[1], network.model.units, ends_of(inputs, lengths)
    everyone = np.arange(size)
    for place, name in enumerate(network.parts.highest if d_final else []):
        at = ends - 1 if name.endswith("forward") else np.zeros(size, int)
        arriving[at, everyone, place * units : (place + 1) * units] += d_final[name][0]
    largest = np.abs(arriving).max(initial=0.0)
    exact = network.astype("float64")
    outputs = exact.forward(inputs if network.signature.tokens else inputs.astype(np.float64), lengths).outputs
    scale = 1.0 if largest == 0 or 0.01 <= largest <= 100 else largest  # one so small would be lost beside the outputs
    targets = outputs - (arriving / (2 * scale) if np.isfinite(largest) else 0.5)
    return Batch(inputs, targets, lengths)


def from_the_end(outputs: Array, lengths: Integers | None, directions: tuple[str, ...]) -> Array:
    """(time, batch, unit · direction) a gradient of length 1 in every direction, at the last step that is read of each sequence."""
    d_outputs = np.zeros_like(outputs)
    units, size = outputs.shape[2] // len(directions), outputs.shape[1]
    ends = ends_of(outputs, lengths)
    for place, direction in enumerate(directions):
        at = ends - 1 if direction == "forward" else np.zeros(size, int)
        d_outputs[at, np.arange(size), place * units : (place + 1) * units] = units**-0.5
    return d_outputs


@dataclass(frozen=True)
class Watched(Task):
    """Stands where a task would: nothing can be drawn anew."""

    length: int = 1

    def open(self, seed: int = 0) -> Data:
        raise GradvizError("the batches of a watched training are another program's; there are those that were kept.")


class WatchedData(Data):
    """The sequences that were kept."""

    def __init__(self, batch: Batch, signature: Signature, lag: int | None) -> None:
        self.baselines, self.facts = dict[str, float](), dict[str, Any]()
        self.kept, self.signature, self.lag = batch, signature, lag

    def batch(self, size: int, rng: np.random.Generator) -> Batch:
        return self.kept

    def held_out(self, size: int) -> Batch:
        return self.kept.some(slice(0, size), self.signature.at)


def read(folder: Path, meta: dict[str, Any], weights: Parameters | None) -> tuple[Network, WatchedData]:
    """The network and the sequences; a RunError where there are none. weights: None takes those it began with."""
    path, said = folder / SEQUENCES, (meta.get("watched") or {}).get("network")
    if said is None:
        raise RunError(f"{folder} is a watched PyTorch model of which no recurrent part was replayed: there is nothing to compute from.")
    try:
        arrays = load(path.read_bytes())
        model, signature = options.from_dict(Model, said["model"]), Signature(**said["signature"])
        start = {name.removeprefix(START): array for name, array in arrays.items() if name.startswith(START)}
        network = Network(model, signature, dtype=said["precision"])
        found = start if weights is None else weights
        for name, array in network.parameters.items():
            if found[name].shape != array.shape:
                raise ValueError(f"{name} has shape {found[name].shape} and must have {array.shape}")
            array[...] = found[name]
        lengths = arrays.get("lengths")
        batch = Batch(arrays["inputs"], arrays["targets"], None if lengths is None else lengths.astype(int))
    except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
        raise RunError(f"{path} cannot be read, or does not fit run.json: {error}.") from error
    return network, WatchedData(batch, signature, meta.get("lag"))

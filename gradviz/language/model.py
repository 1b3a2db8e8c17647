"""A language model: a network that reads tokens one by one and says of each what comes next, with the vocabulary of its text."""

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np

from gradviz.architecture import Architecture
from gradviz.arrays import Array, Integers
from gradviz.batch import NOTHING, Signature
from gradviz.bridges import load_weights
from gradviz.config import Experiment
from gradviz.errors import GradvizError, RunError, unknown
from gradviz.network import Network
from gradviz.passes import Pass, States
from gradviz.recording.reading import FILES, read_meta
from gradviz.tasks.text import Text
from gradviz.text.vocabulary import Vocabulary

PIECE = 256  # steps that are read at once: buffers and outputs of a long text need no more room


@runtime_checkable
class Recorded(Protocol):
    """Whatever lies in a run's folder, such as the runs of `gradviz.load`."""

    @property
    def path(self) -> Path: ...


@dataclass(frozen=True)
class LanguageModel:
    """network: reads tokens and is read out at every step, forward only; vocabulary: of the text it learned; name: of its run; apart:
    whether it learned sentences one by one, so that each begins with no token and no state before it, also in a longer text.

    All questions are answered in double precision, whatever the network was trained in. Interventions of the network act.
    """

    network: Network
    vocabulary: Vocabulary
    name: str
    apart: bool = False

    def __post_init__(self) -> None:
        _check(self.name, self.network.parts, self.vocabulary)

    @classmethod
    def load(cls, folder: Path | str, weights: str = "best") -> "LanguageModel":
        """The model that a run's folder holds. weights: the "best" ones, those with the lowest held-out loss, if they were kept, else the
        last; or the "last"."""
        folder, meta = Path(folder), read_meta(folder)
        name = str(meta.get("name") or folder.name)
        try:
            vocabulary = Vocabulary.from_facts(_dict(meta, "facts"))
            experiment = Experiment.from_dict(_dict(meta, "experiment"))
            parts = Architecture(experiment.model, _signature(_dict(meta, "signature"), vocabulary))
        except GradvizError as error:
            raise RunError(f"{name} is no language model: {error}") from error
        _check(name, parts, vocabulary)
        apart = isinstance(experiment.task, Text) and experiment.task.order == "sentences"
        return cls(_network(parts, weights_file(folder, weights)), vocabulary, name, apart)

    def before(self, ids: Integers) -> Integers:
        """(n,) what is read to predict these tokens: no token, then the one before (x⟨1⟩ = 0, x⟨t⟩ = y⟨t−1⟩ in the course notes). A network
        that learned sentences one by one has never read an EOS: it reads no token in its place."""
        read = np.concatenate([[NOTHING], ids[:-1]])
        return np.where(read == self.vocabulary.eos, NOTHING, read) if self.apart and self.vocabulary.eos is not None else read

    def fresh(self) -> Network:
        """A network with the same weights and hooks and buffers of its own, in double precision: passes of one call do not disturb those
        of another."""
        network = self.network if self.network.dtype == np.float64 else self.network.astype("float64", hooks=True)
        return Network.of(network.parts, network.parameters, "float64", network.hooks)


Source = LanguageModel | Recorded | Path | str


def model_of(run: Source) -> LanguageModel:
    """The model itself, or the one in a run's folder."""
    if isinstance(run, LanguageModel):
        return run
    if isinstance(run, str | Path):
        return LanguageModel.load(run)
    if isinstance(run, Recorded):
        return LanguageModel.load(run.path)
    raise GradvizError(f"{run!r} is no run: give the folder of one, a run of gradviz.load, or a LanguageModel.")


def passes(network: Network, inputs: Integers, states: States | None = None) -> Iterator[Pass]:
    """Read (n,) tokens from `states` on, a piece at a time; where no token is read, a⟨0⟩ = 0. What a pass holds is overwritten by the next
    one."""
    for begin, end in pairwise([0, *beginnings(inputs[1:]) + 1, len(inputs)]):
        for start in range(begin, end, PIECE):
            initial = None if inputs[start] == NOTHING else states
            run = network.forward(inputs[start : min(start + PIECE, end), None], initial=initial, reuse=True)
            states = run.final
            yield run


def beginnings(inputs: Integers) -> Integers:
    """Where no token is read, since nothing stands before."""
    return np.flatnonzero(inputs == NOTHING)


def log_softmax(logits: Array) -> Array:
    """(…, token) natural logarithms of probabilities, float64. The largest logit is taken off first, so that nothing overflows."""
    with np.errstate(all="ignore"):  # what is not finite gives NaN, which is there to be seen
        shifted = np.asarray(logits, np.float64) - logits.max(axis=-1, keepdims=True)
        logs: Array = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    return logs


def weights_file(folder: Path, weights: str) -> Path:
    """Where the weights are that `LanguageModel.load` takes."""
    if weights not in FILES:
        raise unknown("weights", weights, FILES)
    names = [FILES[weights]] if weights == "last" else [FILES["best"], FILES["last"]]
    there = [folder / name for name in names if (folder / name).exists()]
    if not there:
        raise RunError(f"{folder} has no {FILES['last']} (yet): weights are written at the end of training, so there is nothing to ask.")
    return there[0]


def _dict(meta: dict[str, Any], name: str) -> dict[str, Any]:
    value = meta.get(name)
    if not isinstance(value, dict):
        raise GradvizError(f"its run.json has no {name}.")
    return value


def _signature(stored: dict[str, Any], vocabulary: Vocabulary) -> Signature:
    """What a language model of this vocabulary must have, if the run has it."""
    wanted = Signature(len(vocabulary), len(vocabulary), True, "softmax")
    if {"decoder": 0, **stored} != dataclasses.asdict(wanted):
        raise GradvizError("it does not read tokens of a text and say at every step which of them comes next.")
    return wanted


def _check(name: str, parts: Architecture, vocabulary: Vocabulary) -> None:
    if parts.signature != Signature(len(vocabulary), len(vocabulary), True, "softmax"):
        raise GradvizError(
            f"{name} is no language model of this vocabulary: it must read the {len(vocabulary)} tokens and predict one of them at every "
            f"step; its signature is {parts.signature}."
        )
    if parts.directions != ("forward",):
        ways = "in both directions" if len(parts.directions) > 1 else "backward"
        raise GradvizError(
            f"{name} is no language model: its layers read {ways} and have seen what is to come. Train one with direction forward."
        )


def _network(parts: Architecture, file: Path) -> Network:
    try:
        empty = {name: np.zeros(shape) for name, shape in parts.shapes().items()}  # no memory is used before there are weights
    except (MemoryError, ValueError) as error:
        raise RunError(f"{file.parent} describes a network that is larger than any memory here ({error}).") from error
    return load_weights(file, Network.of(parts, empty, "float64"))

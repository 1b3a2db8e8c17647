"""What run.json says of a run besides its name and status."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from gradviz.arrays import Array, Integers
from gradviz.batch import Batch, Reading
from gradviz.bits import bits, perplexity
from gradviz.config import Experiment
from gradviz.generate import answers
from gradviz.network import Network
from gradviz.tasks import TASKS, Data


def describe(experiment: Experiment, data: Data, network: Network, probed: Batch) -> dict[str, Any]:
    """Experiment, data and network as plain JSON values."""
    signature = data.signature
    return {
        "experiment": experiment.to_dict(),
        "family": experiment.model.cell.family,
        "signature": {name: getattr(signature, name) for name in ("inputs", "outputs", "tokens", "loss", "at", "decoder")},
        "facts": data.facts,
        "token": _token(experiment, data),
        "baselines": data.baselines,
        "lag": data.lag,
        "parts": [[part.name, len(part.layers)] for part in network.parts.parts],
        "points": [[point.name, point.shape, point.meaning] for point in network.hook_points()],
        "parameters": int(sum(array.size for array in network.parameters.values())),
        "probe": _probe(data, probed),
    }


def _token(experiment: Experiment, data: Data) -> str:
    """What a loss is per, if it is one in nats of a text: character or word. Else nothing."""
    said = TASKS.name_of(experiment.task) == "text" and data.signature.loss == "softmax"
    return str(data.facts.get("level", "character")) if said else ""


def scores(nats: float, data: Data) -> dict[str, float]:
    """A mean loss and, where it is in nats, what else it is called."""
    if data.signature.loss != "softmax":
        return {"loss": nats}
    return {"loss": nats, "perplexity": perplexity(nats), "bits": bits(nats)}


def _probe(data: Data, batch: Batch) -> dict[str, Any]:
    """The words and lengths of the sequences whose whole arrays are kept, those of a decoder apart."""
    probe = _sequences(batch.reading, data.words)
    return probe if batch.decoder is None else {**probe, "decoder": _sequences(batch.decoder, data.decoder_words)}


def _sequences(reading: Reading, words: Callable[[Any], list[str] | None]) -> dict[str, Any]:
    lengths = [int(length) for length in reading.ends]
    return {"lengths": lengths, "words": [words(reading.inputs[:length, k]) for k, length in enumerate(lengths)]}


def answered(data: Data, network: Network, probed: Batch) -> dict[str, Any]:
    """What a decoder of named tokens says of the same sequences without teacher forcing, in words, up to the sign that ends the right
    answer: {"answers": [{"asked", "right", "said"}, …]}. Nothing of other networks."""
    decoder = probed.decoder
    if decoder is None or not probed.size or data.decoder_words(decoder.inputs[:, 0]) is None or network.signature.loss != "softmax":
        return {}
    said = answers(network, replace(probed, decoder=replace(decoder, lengths=None)))
    return {"answers": [_answer(data, probed, k, said[:, k]) for k in range(probed.size)]}


def _answer(data: Data, probed: Batch, k: int, said: Array | Integers) -> dict[str, list[str] | None]:
    right = probed.targets[: probed.answered.ends[k], k]
    ends = np.flatnonzero(said == right[-1])
    upto = int(ends[0]) + 1 if len(ends) else len(said)
    asked = data.words(probed.inputs[: probed.reading.ends[k], k])
    return {"asked": asked, "right": data.decoder_words(right), "said": data.decoder_words(said[:upto])}

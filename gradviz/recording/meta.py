"""What run.json says of a run besides its name and status."""

from typing import Any

from gradviz.batch import Batch
from gradviz.config import Experiment
from gradviz.network import Network
from gradviz.tasks import Data


def describe(experiment: Experiment, data: Data, network: Network, probed: Batch) -> dict[str, Any]:
    """Experiment, data and network as plain JSON values."""
    signature = data.signature
    return {
        "experiment": experiment.to_dict(),
        "family": experiment.model.cell.family,
        "signature": {name: getattr(signature, name) for name in ("inputs", "outputs", "tokens", "loss", "at")},
        "facts": data.facts,
        "baselines": data.baselines,
        "lag": data.lag,
        "points": [[point.name, point.shape, point.meaning] for point in network.hook_points()],
        "parameters": int(sum(array.size for array in network.parameters.values())),
        "probe": _probe(data, probed),
    }


def _probe(data: Data, batch: Batch) -> dict[str, Any]:
    """The words and lengths of the sequences whose whole arrays are kept."""
    lengths = [batch.steps] * batch.size if batch.lengths is None else [int(length) for length in batch.lengths]
    return {"lengths": lengths, "words": [data.words(batch.inputs[:length, k]) for k, length in enumerate(lengths)]}

"""What is wrong with a model that is there already: one call, no training."""

import shutil
import tempfile
import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gradviz.architecture import Architecture
from gradviz.arrays import Array, Integers
from gradviz.batch import Batch, Signature, check_inputs
from gradviz.bridges import from_torch, load_weights
from gradviz.cells import CELLS
from gradviz.config import WATCHED, Recording
from gradviz.dynamics.decay import horizon
from gradviz.dynamics.jacobians import follow, in_pieces
from gradviz.errors import GradvizError
from gradviz.findings import Verdict, verdicts
from gradviz.findings._evidence import paths
from gradviz.frames import Run, load
from gradviz.network import Network
from gradviz.options import to_dict
from gradviz.recording.recorder import Recorder
from gradviz.recording.reopen import reopen
from gradviz.recording.store import RunWriter
from gradviz.recording.watched import Kept, from_the_end, standing_in

WIDEST = 512  # numbers of a state whose Jacobians' singular values are taken at every step
PICKLES = (".pt", ".pth", ".bin")
STEP = 1  # what is there stands as one training step


@dataclass(frozen=True, eq=False)
class Diagnosis:
    """What a model's gradients do.

    run: everything as a recorded run, for charts, reports and the dashboard; verdicts: of all findings, the gravest first; profile: how the
    gradient of the last step fades on its way back, a row per layer, direction, point and lag, log10; horizons: by layer, direction and
    point, the steps back after which less than 1 % is left (infinite if more is left everywhere); spectra: singular values of the Jacobian
    of every step of the first sequence, (time, state), largest first, empty where `why` says why.
    """

    run: Run
    verdicts: list[Verdict]
    profile: pd.DataFrame
    horizons: dict[str, float]
    spectra: Array
    why: str = ""

    def __str__(self) -> str:
        lines = [f"{verdict.title}: {verdict.word}. {verdict.summary}" for verdict in self.verdicts if verdict.severity != "none"]
        reach = [f"{name}: less than 1 % of the gradient is left {steps:g} steps back" for name, steps in self.horizons.items()]
        return "\n".join([*lines, *reach])


def diagnose(
    model: Any,
    batch: Any,
    folder: Path | str | None = None,
    *,
    loss: Callable[[Any], Any] | None = None,
    lag: int | None = None,
    force: bool = False,
) -> Diagnosis:
    """Look at a model once, in double precision where it matters, and say what its gradients do. Nothing is trained or changed.

    model: a torch.nn.Module, in the mode it is in; a state_dict, or a file with one: .safetensors, or .pt, of which weights alone are
    read; or a `Network`. batch: what the model takes: a tensor, a tuple of arguments, or a dict of named ones. A file or a Network takes
    an array (time, batch, feature) or token ids (time, batch), or a `Batch`, whose loss is then the network's.

    loss: from what the PyTorch model returns to the number whose gradient is followed, e.g. `lambda out: criterion(out, targets)`. Without
    a loss a gradient of length 1 sets out from the last step of each sequence. lag: how many steps back the task makes the model
    remember. folder: where the run is kept; without one it goes when the Diagnosis does.
    """
    place = Path(tempfile.mkdtemp(prefix="gradviz-")) / "diagnosis" if folder is None else Path(folder)
    try:
        network = _network(model)
        with RunWriter.create(place, {"name": place.name, "notes": []}, force=force) as writer:
            if network is None:
                from gradviz.watching.looking import look  # PyTorch is loaded only now

                look(model, batch, loss, writer, lag)
            else:
                _look(network, batch, writer, lag)
        made = _diagnosed(place)
    except BaseException:
        if folder is None:
            shutil.rmtree(place.parent, ignore_errors=True)
        raise
    if folder is None:
        weakref.finalize(made, shutil.rmtree, place.parent, ignore_errors=True)
    return made


def _network(model: Any) -> Network | None:
    """gradviz's own, if it is one or a file or dict of weights; None of a PyTorch model."""
    if isinstance(model, Network):
        return model
    if isinstance(model, str | Path):
        if Path(model).suffix not in PICKLES:
            return load_weights(model)
        _check_torch()
        from gradviz.watching.looking import state_of

        return from_torch(state_of(str(model)))
    if isinstance(model, Mapping):
        return from_torch(model)
    _check_torch()
    from gradviz.watching.looking import is_model

    if not is_model(model):
        raise GradvizError(
            f"there is a {type(model).__name__} to be diagnosed; it must be a torch.nn.Module, a state_dict, a file of weights, or a "
            "Network."
        )
    return None


def _check_torch() -> None:
    if find_spec("torch") is None:
        raise GradvizError(
            'PyTorch is not installed; without it, diagnose a .safetensors file. It comes with pip install "gradviz-rnn[torch]".'
        )


def _diagnosed(place: Path) -> Diagnosis:
    run = load(place)
    horizons = {f"layers.{path.layer}.{path.direction}.{path.point}": horizon(path.profiles[-1]) for path in paths(run)}
    spectra, why = _spectra(place)
    return Diagnosis(run, verdicts(run), run.reach, horizons, spectra, why)


def _spectra(place: Path) -> tuple[Array, str]:
    try:
        again = reopen(place)
        batch = again.known.held_out(1)
        steps = int(batch.reading.ends[0])
        path = follow(again.network, batch.inputs[:steps, 0])
    except GradvizError as error:
        return np.zeros((0, 0)), str(error)
    if path.width > WIDEST:
        return np.zeros((0, 0)), f"a state of {path.width} numbers has Jacobians too large to take apart at every step; at most {WIDEST}."
    return np.concatenate([np.linalg.svd(piece, compute_uv=False) for piece in in_pieces(path)]), ""


# ---------------------------------------------------------------------- a network of gradviz's own


def _look(network: Network, batch: Any, writer: RunWriter, lag: int | None) -> None:
    """The same of a network: one pass, told as training step 1."""
    real = isinstance(batch, Batch)
    if not real:
        network = _bare(network)
    given = batch if real else _from_the_end(network, np.asarray(batch))
    kept = _Sink(writer, held_out=real)
    recorder = Recorder(network, Recording(every=1, held_out=given.size), kept, given, STEP)
    writer.update(**_about(network, given, lag))
    with recorder.watching(STEP, given):
        network.learn(given)
    recorder.between(STEP)
    writer.save_weights(network.parameters)
    stored = Kept(network, {}, given)
    writer.save_sequences(stored.arrays)
    writer.meta["watched"]["network"] = stored.facts
    writer.update(updates_done=STEP)


def _bare(network: Network) -> Network:
    """Its recurrent layers, whose outputs are read as they are."""
    parts = network.parts
    if len(parts.parts) > 1:
        raise GradvizError(
            "an encoder–decoder is diagnosed with a Batch, whose loss it has; an array says nothing of what its decoder reads."
        )
    width = parts.width(parts.top)
    signature = Signature(network.signature.inputs, width, network.signature.tokens, "squared")
    kept = {name: array for name, array in network.parameters.items() if not name.startswith("readout.")}
    made = Architecture(replace(network.model, tied=False), signature)
    readout = {"readout.weight": np.eye(width), "readout.bias": np.zeros(width)}
    return Network.of(made, {name: np.array({**kept, **readout}[name], np.float64) for name in made.shapes()}, "float64")


def _from_the_end(network: Network, inputs: Array | Integers) -> Batch:
    """A gradient of length 1 sets out from the last step of each sequence."""
    signature = network.signature
    check_inputs(inputs, signature, "the batch's arrays")
    d_outputs = from_the_end(np.zeros((*inputs.shape[:2], signature.outputs)), None, network.parts.directions)
    return standing_in(network, inputs, None, d_outputs, {})


@dataclass(frozen=True)
class _Sink:
    """Leaves out the loss where there is none."""

    writer: RunWriter
    held_out: bool

    def append(self, table: str, row: dict[str, object]) -> None:
        if self.held_out or table != "held_out":
            self.writer.append(table, row)


def _about(network: Network, batch: Batch, lag: int | None) -> dict[str, Any]:
    model = network.model
    experiment = {
        "task": {"name": WATCHED, "model": "weights"},
        "model": {**to_dict(model), "cell": {"name": CELLS.name_of(model.cell), **to_dict(model.cell)}},
        "training": {"updates": STEP, "clipping": {"name": "none"}, "precision": str(network.dtype), "batch": batch.size},
        "recording": {"every": 1},
        "name": "",
    }
    lengths = [int(length) for length in batch.reading.ends[:2]]
    return {
        "experiment": experiment, "family": model.cell.family, "signature": {}, "facts": {}, "token": "", "baselines": {}, "lag": lag,
        "parts": [[part.name, len(part.layers)] for part in network.parts.parts],
        "points": [[point.name, point.shape, point.meaning] for point in network.hook_points()],
        "parameters": int(sum(array.size for array in network.parameters.values())),
        "probe": {"lengths": lengths, "words": [None for _ in lengths]}, "watched": {"model": "weights", "replay": {}},
    }  # fmt: skip

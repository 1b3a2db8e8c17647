"""The calls of one recurrent module, replayed in gradviz's own core: exact gates, and ∂L/∂h_t and ∂L/∂c_t at every time step.

PyTorch's fused modules show neither. What they do show is enough to compute them: weights, inputs, initial states, and the gradients that
arrive at outputs and final states. Whether the replay is right is checked on the spot: its outputs are those of the module, and its
gradients of the parameters are PyTorch's own.
"""

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import cast

import numpy as np
from numpy.typing import DTypeLike

from gradviz.architecture import Architecture
from gradviz.arrays import Array, Integers, Parameters, global_norm
from gradviz.bridges import Prefixes, from_torch
from gradviz.bridges.layout import gates_of, to_layout
from gradviz.errors import GradvizError
from gradviz.network import Network
from gradviz.passes import Gradients, Pass, States
from gradviz.tape import Tape
from gradviz.watching.calls import Call
from gradviz.watching.dropout import UNREADABLE, Drawn, NotReplayed, drawn
from gradviz.watching.joining import Sequences, joined
from gradviz.watching.loops import chained, sequences_of
from gradviz.watching.modules import Part

BARE = Prefixes(rnn="", readout=None, embedding=None)
LIMITS = {"float64": 1e-8, "float32": 2e-3, "half": 0.1}  # a wrong gate or layout is off by far more, a sum that cancels by less

__all__ = ["Mismatch", "NotReplayed", "Replay", "as_theirs", "network_of", "replay_of", "replayed"]


@dataclass(frozen=True)
class Mismatch:
    """How far a replay is from PyTorch: norm of the difference by norm of PyTorch's, of the outputs and of the gradients of the
    parameters; NaN where there is nothing to compare, as with numbers that are not finite. limit: beyond, something is wrong."""

    outputs: float
    gradients: float
    limit: float

    @property
    def bad(self) -> bool:
        return self.outputs > self.limit or self.gradients > self.limit


@dataclass(frozen=True, eq=False)
class Replay:
    """A recurrent module's step, with everything that PyTorch does not show. Layers are counted within the module.

    sequences: what was read, and what arrived; network: the module's layers in gradviz's core; index: of steps that a model's own loop
    took, (time, batch) their place in the one batch in which they are replayed, -1 in the padding.
    """

    part: Part
    network: Network
    run: Pass
    gradients: Gradients
    sequences: Sequences
    mismatch: Mismatch
    index: Integers | None = None

    def values(self, point: str) -> Array:
        """(time, batch, unit) at a hook point, such as layers.0.forward.gate.forget."""
        tape, last = self._tape(point)
        return self._whole(tape.values(last))

    def gradient(self, point: str) -> Array:
        """(time, batch, unit), all that the loss feels through this point: ∂L/∂h_t of layers.0.forward.hidden."""
        tape, last = self._tape(point)
        return self._whole(tape.gradients(last))

    @property
    def points(self) -> list[str]:
        """Names of all hook points, lowest layer first, in the order in which a step makes them."""
        return [f"{place}.{made}" for place in self.run.tapes for made in self.network.parts.made]

    @property
    def mask(self) -> Array | None:
        """(time, batch), false in the padding; None if there is none."""
        return None if self.sequences.lengths is None else self.sequences.mask

    def _whole(self, array: Array) -> Array:
        if self.index is None:
            return array
        return np.where(self.index[..., None] < 0, np.zeros((), array.dtype), array[0][self.index])

    def _tape(self, point: str) -> tuple[Tape, str]:
        place, last = ".".join(point.split(".")[:3]), ".".join(point.split(".")[3:])
        if place not in self.run.tapes or last not in self.network.parts.made:
            raise GradvizError(f"there is no point {point} in {self.part.name}; there is {', '.join(self.points)}.")
        return self.run.tapes[place], last


def network_of(part: Part, weights: Parameters, dtype: DTypeLike) -> Network:
    """The module's layers; their outputs are read as they are. weights: by PyTorch's names within the module."""
    made = from_torch({name: np.asarray(array, dtype) for name, array in weights.items()}, cell=part.cell, prefixes=BARE)
    if not part.drops:
        return made
    parts = Architecture(replace(made.model, dropout=float(part.module.dropout)), made.signature)
    return Network.of(parts, made.parameters, str(made.dtype))


def replayed(part: Part, calls: Sequence[Call], weights: Parameters, gradients: Parameters) -> Replay:
    """All calls of one step. gradients: PyTorch's of the parameters, by the same names as `weights`, those that exist."""
    half = any(call.half for call in calls)
    masks = drawn(part, calls) if any(call.dropped for call in calls) else None
    together = replay_of(part, joined(part, calls), (weights, gradients), half, masks)
    if masks is not None and together.mismatch.outputs > together.mismatch.limit:
        raise NotReplayed(UNREADABLE)
    return looped(together, calls) if part.looped else together


def replay_of(
    part: Part, given: Sequences, theirs: tuple[Parameters, Parameters], half: bool = False, masks: Drawn | None = None
) -> Replay:
    """theirs: PyTorch's weights and gradients; half: it computed in half precision; masks: what it dropped between its layers."""
    network = network_of(part, theirs[0], given.inputs.dtype)
    dropping = nullcontext() if masks is None else network.dropping(cast(np.random.Generator, masks))
    with dropping:
        run = network.forward(given.inputs, given.lengths, given.initial)
    with np.errstate(all="ignore"):
        found = network.backward(run, given.d_outputs, _from_outside(given, run) if given.whole else given.d_final)
    limit = LIMITS["half" if half else str(given.inputs.dtype)]
    outputs = np.where(given.mask[..., None], run.outputs, 0)
    mismatch = Mismatch(_apart([(outputs, given.outputs)]), _of_parameters(part, network, found.parameters, theirs[1]), limit)
    return Replay(part, network, run, found, given, mismatch)


def _from_outside(given: Sequences, run: Pass) -> States:
    """The gradients of single steps' final states, without what reaches c_t through h_t = o · tanh(c_t)."""
    name = "layers.0.forward"
    d_hidden, d_cell = given.d_final[name]
    output, squashed = run.tapes[name].values("gate.output")[0], np.tanh(run.tapes[name].values("cell")[0])
    return {name: (d_hidden, d_cell - given.d_outputs[0] * output * (1 - squashed * squashed))}


def _of_parameters(part: Part, network: Network, found: Parameters, theirs: Parameters) -> float:
    """The largest of all parameters' mismatches; a gradient that is a thousandth of all or less is measured by a thousandth of all."""
    pairs = []
    for layer, direction in part.places:
        own = as_theirs(network, found, f"layers.{layer}.{direction}.")
        pairs += [(own[kind], theirs[name]) for kind, name in part.weights(layer, direction).items() if name in theirs]
    if not pairs:
        return float("nan")
    floor = 1e-3 * global_norm([wanted for _, wanted in pairs])
    each = [_apart([pair], floor) for pair in pairs]
    return float("nan") if np.isnan(each).all() else float(np.nanmax(each))


def as_theirs(network: Network, gradients: Parameters, place: str) -> Parameters:
    """Gradients of one layer in PyTorch's layout. Of two biases that are added each has the gradient of the sum."""
    cell = network.model.cell
    own = {name.removeprefix(place): array for name, array in gradients.items() if name.startswith(place)}
    out = to_layout(cell, own)
    if "bias_ih" in out:
        inside = out["bias_hh"].reshape(len(gates_of(cell)), -1)
        out["bias_hh"] = out["bias_ih"].copy()
        if "bias_hh" in own:
            at = gates_of(cell).index("candidate")
            out["bias_hh"].reshape(inside.shape)[at] = own["bias_hh"]
    return out


def _apart(pairs: list[tuple[Array, Array]], floor: float = 0.0) -> float:
    """Norm of the difference by the norm of the second; 0 if both are zero, NaN if the second is not finite."""
    with np.errstate(all="ignore"):
        off = global_norm([np.asarray(one, np.float64) - other for one, other in pairs])
        size = max(global_norm([other for _, other in pairs]), floor)
    if not np.isfinite(size):
        return float("nan")
    return 0.0 if off == 0 else float(off / size) if size else float("inf")


def looped(single: Replay, calls: Sequence[Call]) -> Replay:
    """Steps of a model's own loop, replayed one by one in one batch, put in the order of time. Their gradients are those that PyTorch
    itself hands from step to step."""
    given, name = single.sequences, "layers.0.forward"
    ended = _from_outside(given, single.run) if given.whole else given.d_final
    index, sequences = sequences_of(chained(calls), calls, single.gradients.initial[name], ended[name])
    return replace(single, sequences=sequences, index=index)

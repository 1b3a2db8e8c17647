"""Rows of parameters and steps: norms of weights, gradients and updates, of every parameter of a model."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradviz.arrays import Parameters, cosine, global_norm, norm
from gradviz.bridges.layout import gates_of
from gradviz.watching.calls import plain
from gradviz.watching.capture import Capture
from gradviz.watching.modules import Part
from gradviz.watching.recorded import Told

SAME = 1e-6  # relative: scaling there and back is no clipping


@dataclass(frozen=True)
class Named:
    """A parameter in the tables. name: with layers as in gradviz; gates: its parts, in order, one "" if it has none; role: in words."""

    name: str
    gates: tuple[str, ...]
    role: str


def named(model: Any, parts: Sequence[Part]) -> dict[str, Named]:
    """By PyTorch's name: every trained parameter. Those of recurrent layers that are replayed are called as gradviz calls them."""
    own: dict[int, Named] = {}
    for part in parts:
        gates = gates_of(part.cell)
        for layer, direction in part.places:
            for kind, name in part.weights(layer, direction).items():
                shown = part.shifted(f"layers.{layer}.{direction}.{kind}")
                role = f"{ROLES[kind]} of {part.name}, layer {layer}{'' if direction == 'forward' else ', backward'}"
                own[id(getattr(part.module, name))] = Named(shown, gates, role)
    kinds = {name: type(module).__name__ for name, module in model.named_modules()}
    found = {}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            where, _, last = name.rpartition(".")
            found[name] = own.get(id(parameter)) or Named(name, ("",), f"{last} of {where or 'the model'} ({kinds[where]})")
    return found


ROLES = {
    "weight_ih": "input weights",
    "weight_hh": "recurrent weights",
    "bias_ih": "bias beside the inputs",
    "bias_hh": "bias beside the state",
}


@dataclass(frozen=True)
class Gathered:
    """A recorded step's gradients as arrays, by PyTorch's names, without the scale of a GradScaler."""

    before: Parameters
    after: Parameters

    @classmethod
    def of(cls, capture: Capture) -> "Gathered":
        with np.errstate(all="ignore"):
            before = {name: plain(gradient) / np.float32(capture.scale) for name, gradient in capture.before.items()}
        return cls(before, {name: plain(capture.after[name]) for name in before})

    def row(self) -> dict[str, Any]:
        """norm_before, norm_after, clipped and cosine of the table `steps`."""
        sizes = [global_norm(each.values()) for each in (self.before, self.after)]
        with np.errstate(all="ignore"):
            change = global_norm([self.before[name] - self.after[name] for name in self.before])
        clipped = bool(change > SAME * sizes[0])
        alike = cosine(self.before, self.after) if clipped else 1.0 if 0 < sizes[0] < np.inf else float("nan")
        return {"norm_before": sizes[0], "norm_after": sizes[1], "clipped": clipped, "cosine": alike}


def parameter_rows(capture: Capture, gathered: Gathered, names: dict[str, Named], start: Parameters) -> Iterator[Told]:
    """Of every parameter that got a gradient, gate by gate, once it is updated. start: the weights at the first recorded step."""
    for name, told in names.items():
        if name not in gathered.before:
            continue
        before = gathered.before[name]
        old, new = plain(capture.weights[name]), plain(capture.new[name])
        with np.errstate(all="ignore"):
            arrays = (old, before, gathered.after[name], new - old, new - start.get(name, old))
            sizes = [norm(np.ascontiguousarray(array).reshape(len(told.gates), -1), axis=-1) for array in arrays]
            ratios = sizes[3] / sizes[0]
        for gate, *numbers in zip(told.gates, *sizes, ratios, strict=True):
            columns = ("weight", "gradient_before", "gradient_after", "update", "distance", "ratio")
            yield "parameters", {"parameter": told.name, "gate": gate, **dict(zip(columns, map(float, numbers), strict=True))}

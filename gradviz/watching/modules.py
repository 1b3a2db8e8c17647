"""The recurrent parts of a PyTorch model: which there are, what gradviz makes of each, and which cannot be replayed and why."""

from dataclasses import dataclass
from typing import Any

from torch import nn

from gradviz.cells import CELLS, Cell
from gradviz.errors import GradvizError
from gradviz.options import from_dict

FUSED = {nn.RNN: "rnn", nn.GRU: "gru", nn.LSTM: "lstm"}
CELLWISE = {nn.RNNCell: "rnn", nn.GRUCell: "gru", nn.LSTMCell: "lstm"}
MOST_DROPPED = 0.95


@dataclass(frozen=True)
class Part:
    """A recurrent module. layers: how many it has; first: the number of its lowest one in the run's tables, where the layers of all
    recurrent modules are counted through; looped: a cell that the model's own loop calls once a time step."""

    name: str
    module: Any
    cell: Cell
    layers: int
    directions: tuple[str, ...]
    units: int
    first: int
    looped: bool

    @property
    def places(self) -> list[tuple[int, str]]:
        """(layer, direction), counted within the module, in PyTorch's order of final states."""
        return [(layer, direction) for layer in range(self.layers) for direction in self.directions]

    def weights(self, layer: int, direction: str) -> dict[str, str]:
        """PyTorch's names of a layer's parameters, within the module, by weight_ih, weight_hh, bias_ih, bias_hh."""
        end = "" if self.looped else f"_l{layer}{'_reverse' if direction == 'backward' else ''}"
        kinds = ("weight_ih", "weight_hh", "bias_ih", "bias_hh") if self.module.bias else ("weight_ih", "weight_hh")
        return {kind: f"{kind}{end}" for kind in kinds}

    @property
    def drops(self) -> bool:
        """Whether outputs are dropped between its layers while it is trained."""
        return not self.looped and self.layers > 1 and self.module.dropout > 0

    @property
    def batch_first(self) -> bool:
        return not self.looped and bool(self.module.batch_first)

    def shifted(self, name: str) -> str:
        """layers.0.forward… of the module as the run's tables have it."""
        start, layer, rest = name.split(".", 2)
        return f"{start}.{int(layer) + self.first}.{rest}"


@dataclass(frozen=True)
class Found:
    """parts: what is replayed; notes: a sentence for every recurrent module that is not, and for a model without any."""

    parts: tuple[Part, ...]
    notes: tuple[str, ...]


def recurrent_parts(model: Any) -> Found:
    """Look through all submodules, in their order. A GradvizError if the model as a whole cannot be watched."""
    _check(model)
    parts: list[Part] = []
    notes: list[str] = []
    for name, module in model.named_modules():
        kind = _kind(module)
        if kind is None:
            continue
        shown = name or type(module).__name__
        part = _part(shown, module, kind, sum(part.layers for part in parts))
        if reason := _refused(part):
            notes.append(f"module {shown} is not replayed: {reason} Its parameters are recorded")
        else:
            parts.append(part)
    if not parts and not notes:
        notes.append(f"{type(model).__name__} has no nn.RNN, GRU or LSTM and no cell of theirs: only its parameters are recorded")
    return Found(tuple(parts), tuple(notes))


def _check(model: Any) -> None:
    if not isinstance(model, nn.Module):
        raise GradvizError(f"there is a {type(model).__name__} to be watched; it must be a torch.nn.Module.")
    for name, module in model.named_modules():
        kind = type(module).__name__
        if kind == "OptimizedModule" or getattr(module, "_compiled_call_impl", None) is not None:
            raise GradvizError(
                f"{name or 'the model'} is compiled: torch.compile does not call hooks that come later, so nothing would be seen. Watch "
                "the model before it is compiled, or compile the parts around the recurrent module."
            )
        if kind in ("DataParallel", "RecursiveScriptModule"):
            raise GradvizError(f"{name or 'the model'} is a {kind}, which runs copies that hooks do not see: watch the module inside.")
    if not any(parameter.requires_grad for parameter in model.parameters()):
        raise GradvizError(f"{type(model).__name__} has no parameter that is trained, so there is no gradient to be watched.")


def _kind(module: Any) -> str | None:
    for table in (FUSED, CELLWISE):
        for base, kind in table.items():
            if isinstance(module, base):
                return kind
    return None


def _part(name: str, module: Any, kind: str, first: int) -> Part:
    looped = isinstance(module, tuple(CELLWISE))
    cell = from_dict(CELLS[kind], {"activation": module.nonlinearity} if kind == "rnn" else {})
    directions = ("forward", "backward") if not looped and module.bidirectional else ("forward",)
    return Part(name, module, cell, 1 if looped else module.num_layers, directions, module.hidden_size, first, looped)


def _refused(part: Part) -> str:
    """Why a recurrent module cannot be replayed; empty if it can."""
    module = part.module
    if getattr(module, "proj_size", 0):
        return f"it has proj_size={module.proj_size}, and gradviz's LSTM has no projection."
    if part.drops and module.dropout > MOST_DROPPED:
        return f"it has dropout={module.dropout:g} between its layers; at most {MOST_DROPPED:g} can be replayed."
    names = [name for place in part.places for name in part.weights(*place).values()]
    if not all(isinstance(getattr(module, name), nn.Parameter) for name in names):
        return "its weights are computed from other parameters (a parametrization such as weight_norm)."
    return ""

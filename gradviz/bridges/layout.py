"""PyTorch's names and layout of a network's parameters, and back.

PyTorch keeps the gates of a layer below one another, weights (gates · hidden, input), and adds two biases; here they are (gate, input,
unit) and (gate, unit), one bias, but for the candidate of a GRU, whose second bias stands inside the reset. Going there, the other bias
is zero; coming back, the two are added: what the network computes is kept, how a bias was split in two is not.
"""

from dataclasses import dataclass

import numpy as np

from gradviz.architecture import Architecture
from gradviz.arrays import Array, Parameters
from gradviz.cells import CELLS, Cell
from gradviz.errors import GradvizError

Shapes = dict[str, tuple[int, ...]]
GATES = {  # torch.nn.RNN, GRU and LSTM: the order in which a layer's gates are stacked
    "rnn": ("state",),
    "gru": ("reset", "update", "candidate"),
    "lstm": ("input", "forget", "candidate", "output"),
}


@dataclass(frozen=True)
class Prefixes:
    """What the names of a module's parts begin with: `self.lstm = nn.LSTM(…)` makes it "lstm.". None: the module has no such part."""

    rnn: str = "rnn."
    readout: str | None = "fc."
    embedding: str | None = "embedding."


def check_one(parts: Architecture) -> None:
    """PyTorch has modules for one stack of layers, not for two."""
    if len(parts.parts) > 1:
        raise GradvizError("an encoder–decoder is two modules in PyTorch; gradviz.save_weights keeps both, under names of its own.")


def gates_of(cell: Cell) -> tuple[str, ...]:
    """PyTorch's order of a cell's gates."""
    name = CELLS.name_of(cell)
    if name not in GATES:
        raise GradvizError(
            f"PyTorch has no {name}; it has {', '.join(sorted(GATES))}. gradviz.save_weights keeps any cell, under names of its own."
        )
    return GATES[name]


def ending(layer: int, direction: str) -> str:
    """PyTorch's mark of a layer and direction. A network that only reads backward has _reverse alone, which PyTorch has not."""
    return f"_l{layer}{'_reverse' if direction == 'backward' else ''}"


def torch_shapes(parts: Architecture, prefixes: Prefixes) -> Shapes:
    """Names and shapes of the entries that PyTorch would have."""
    check_one(parts)
    gates_of(parts.model.cell)
    own, shapes = parts.shapes(), Shapes()
    if parts.bottom.embedding and prefixes.embedding is not None:
        shapes[f"{prefixes.embedding}weight"] = own["embedding.weight"]
    for layer, direction in parts.places:
        place, end = f"layers.{layer}.{direction}.", ending(layer, direction)
        for kind in ("weight_ih", "weight_hh"):
            gates, inputs, units = own[place + kind]
            shapes[f"{prefixes.rnn}{kind}{end}"] = (gates * units, inputs)
        if parts.model.biases:
            shapes |= {f"{prefixes.rnn}{kind}{end}": (gates * units,) for kind in ("bias_ih", "bias_hh")}
    if prefixes.readout is not None:
        outputs = parts.signature.outputs
        shapes |= {f"{prefixes.readout}weight": (outputs, parts.width(parts.top)), f"{prefixes.readout}bias": (outputs,)}
    return shapes


def to_layout(cell: Cell, layer: Parameters) -> Parameters:
    """One layer's parameters as PyTorch's, by weight_ih, weight_hh, bias_ih and bias_hh; new arrays."""
    order = [cell.blocks.index(gate) for gate in gates_of(cell)]
    out = {kind: np.concatenate([layer[kind][k].T for k in order]) for kind in ("weight_ih", "weight_hh")}
    if "bias" in layer:
        out["bias_ih"] = np.concatenate([layer["bias"][k] for k in order])
        out["bias_hh"] = np.zeros_like(out["bias_ih"])
    if "bias_hh" in layer:
        out["bias_hh"].reshape(len(order), -1)[gates_of(cell).index("candidate")] = layer["bias_hh"]
    return out


def from_layout(cell: Cell, layer: Parameters) -> Parameters:
    """The inverse, but for the split of the biases; new arrays."""
    gates = gates_of(cell)
    order = [gates.index(block) for block in cell.blocks]

    def stacked(array: Array) -> Array:
        return array.reshape(len(gates), -1, *array.shape[1:])[order]

    out = {kind: np.swapaxes(stacked(layer[kind]), 1, 2) for kind in ("weight_ih", "weight_hh")}
    if "bias_ih" in layer:
        first, second = stacked(layer["bias_ih"]), stacked(layer["bias_hh"])
        if "bias_hh" in cell.own_shapes(1):
            candidate = cell.blocks.index("candidate")
            out["bias_hh"] = second[candidate].copy()
            second[candidate] = 0
        out["bias"] = first + second
    return out

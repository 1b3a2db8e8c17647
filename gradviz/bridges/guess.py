"""What a network looks like, from the names and shapes of its weights."""

import re
from collections.abc import Iterable

from gradviz.architecture import Architecture
from gradviz.batch import Signature
from gradviz.bridges.layout import GATES, Prefixes, Shapes
from gradviz.cells import CELLS, Cell
from gradviz.config import Model
from gradviz.errors import GradvizError

OWN = re.compile(r"layers\.(\d+)\.(forward|backward)\.\w+")
TORCH = re.compile(r"(|.*\.)(weight|bias)_(ih|hh)(_l(\d+)(_reverse)?)?")
BY_COUNT = {len(gates): name for name, gates in GATES.items()}


def is_own(names: Iterable[str]) -> bool:
    """Whether the names are gradviz's own, as in a run's folder."""
    return any(OWN.fullmatch(name) for name in names)


def prefixes_of(names: Iterable[str], missing: Prefixes) -> Prefixes:
    """Which parts a module has. A weight with a bias beside it is the readout (nn.Linear), one without is the embedding.

    missing: for the parts that are not there.
    """
    names = list(names)
    rnn = sorted({found[1] for name in names if (found := TORCH.fullmatch(name))})
    others = [name.removesuffix("weight") for name in names if name == "weight" or name.endswith(".weight")]
    readout = [prefix for prefix in others if f"{prefix}bias" in names]
    return Prefixes(
        _only(rnn, "rnn", missing.rnn) or "",
        _only(readout, "readout", missing.readout),
        _only([prefix for prefix in others if prefix not in readout], "embedding", missing.embedding),
    )


def _only(found: list[str], part: str, missing: str | None) -> str | None:
    if len(found) > 1:
        names = ", ".join(map(repr, found))
        raise GradvizError(f"each of {names} could be the {part}: say which with Prefixes({part}=…) and leave out the rest.")
    return found[0] if found else missing


def architecture_of(shapes: Shapes, prefixes: Prefixes, cell: Cell | None, signature: Signature | None) -> Architecture:
    """The network that has such weights; whether every shape fits is left to be compared."""
    own = is_own(shapes)
    places = [place for name in shapes if (place := _own_place(name) if own else _torch_place(name, prefixes.rnn))]
    if not places:
        raise GradvizError(
            "there are no recurrent weights: PyTorch calls them weight_ih_l0, weight_hh_l0 …, gradviz layers.0.forward.weight_ih …."
        )
    directions = {direction for _, direction in places}
    first = "forward" if "forward" in directions else "backward"
    start = f"layers.0.{first}." if own else prefixes.rnn
    end = "" if own else "_l0_reverse" if first == "backward" else "_l0"
    inputs, (rows, units) = (_matrix(shapes, f"{start}weight_{kind}{end}") for kind in ("ih", "hh"))
    table = _weight(shapes, "embedding." if own else prefixes.embedding)
    readout = _weight(shapes, "readout." if own else prefixes.readout)
    tied = own and readout is None and "readout.bias" in shapes
    layers = len({layer for layer, _ in places}) // (2 if signature is not None and signature.at == "decoded" else 1)
    model = Model(
        cell=cell or _cell(rows, units),
        units=units,
        layers=layers,
        direction="both" if len(directions) > 1 else first,
        biases=any(name.startswith(f"{start}{'bias' if own else 'bias_ih'}") for name in shapes),
        embedding=inputs[1] if table else 0,
        tied=tied,
    )
    outputs = table[0] if tied and table else readout[-1 if own else 0] if readout else units * len(directions)
    return Architecture(model, signature or _signature(table[0] if table else inputs[1], outputs, tokens=bool(table)))


def _weight(shapes: Shapes, prefix: str | None) -> tuple[int, ...] | None:
    return None if prefix is None else shapes.get(f"{prefix}weight")


def _own_place(name: str) -> tuple[int, str] | None:
    found = OWN.fullmatch(name)
    return (int(found[1]), found[2]) if found else None


def _torch_place(name: str, prefix: str) -> tuple[int, str] | None:
    found = TORCH.fullmatch(name)
    if found is None or found[1] != prefix:
        return None
    return int(found[5] or 0), "backward" if found[6] else "forward"


def _matrix(shapes: Shapes, name: str) -> tuple[int, int]:
    """(rows of all gates, inputs) of a weight, in either layout."""
    shape = shapes.get(name)
    if shape is None:
        raise GradvizError(f"there is no {name}; there is {', '.join(sorted(shapes))}.")
    if len(shape) == 3:
        return shape[0] * shape[2], shape[1]
    if len(shape) != 2:
        raise GradvizError(f"{name} has shape {shape}; it must have two axes, (gates · hidden, input).")
    return shape[0], shape[1]


def _cell(rows: int, units: int) -> Cell:
    count = rows / units if units else 0
    if count not in BY_COUNT:
        kinds = ", ".join(f"{number} ({name})" for number, name in BY_COUNT.items())
        raise GradvizError(f"the recurrent weights have {rows} rows for {units} units; per unit there must be {kinds}.")
    return CELLS[BY_COUNT[int(count)]]()


def _signature(inputs: int, outputs: int, *, tokens: bool) -> Signature:
    if inputs < 1 or outputs < 1:
        raise GradvizError(f"these weights take {inputs} inputs and make {outputs} outputs; both must be at least 1.")
    return Signature(inputs, outputs, tokens, "softmax" if tokens else "squared")

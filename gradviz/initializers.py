"""How parameters begin. Draws are made in float64 and then rounded, so that both precisions begin with the same network."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import DTypeLike

from gradviz.arrays import Array, Parameters
from gradviz.errors import GradvizError, ShapeError
from gradviz.options import check, option

Shape = tuple[int, ...]
CONNECTIONS = 15  # out of each unit of a sparse recurrent matrix
Begin = Callable[[str, Shape, np.random.Generator], Array]


def normal(shape: Shape, rng: np.random.Generator, scale: float = 1.0) -> Array:
    """N(0, scale²)."""
    return scale * rng.standard_normal(shape)


def scaled(shape: Shape, rng: np.random.Generator) -> Array:
    """N(0, 1/fan_in) for a matrix (…, fan_in, fan_out): outputs vary as much as inputs (LeCun et al. 1998)."""
    return normal(shape, rng, 1 / np.sqrt(shape[-2]))


def glorot(shape: Shape, rng: np.random.Generator) -> Array:
    """U(-a, a) with a = √(6 / (fan_in + fan_out)) for a matrix (…, fan_in, fan_out) (Glorot and Bengio 2010, eq. 16)."""
    limit = np.sqrt(6 / (shape[-2] + shape[-1]))
    return rng.uniform(-limit, limit, shape)


def orthogonal(shape: Shape, rng: np.random.Generator) -> Array:
    """Orthonormal rows or columns, whichever are fewer, uniformly distributed: QR with the signs of R's diagonal (Mezzadri 2007)."""
    rows, columns = shape[-2:]
    draws = rng.standard_normal((*shape[:-2], max(rows, columns), min(rows, columns)))
    q, r = np.linalg.qr(draws)
    q = q * np.where(np.diagonal(r, axis1=-2, axis2=-1) < 0, -1.0, 1.0)[..., None, :]
    return q if rows >= columns else np.swapaxes(q, -2, -1)


def identity(shape: Shape, rng: np.random.Generator) -> Array:
    """Ones on the diagonal (Le, Jaitly and Hinton 2015)."""
    return np.broadcast_to(np.eye(shape[-2], shape[-1]), shape).copy()


def sparse(shape: Shape, rng: np.random.Generator) -> Array:
    """15 connections N(0, 1) out of each unit, all others 0, scaled to spectral radius 1 (Jaeger 2001). Pascanu, Mikolov and Bengio 2013
    begin so, with gain 0.95."""
    places = rng.random(shape).argsort(axis=-1) < CONNECTIONS
    drawn = np.where(places, rng.standard_normal(shape), 0.0)
    radius = np.abs(np.linalg.eigvals(drawn)).max(axis=-1)
    return np.asarray(drawn / np.where(radius > 0, radius, 1.0)[..., None, None])


RECURRENT: dict[str, Callable[[Shape, np.random.Generator], Array]] = {
    "orthogonal": orthogonal,
    "identity": identity,
    "glorot": glorot,
    "normal": scaled,
    "sparse": sparse,
}


@dataclass(frozen=True)
class Initialization:
    """How a network's parameters begin. Biases begin at 0 but for those named here."""

    recurrent: str = option(
        "orthogonal",
        "recurrent matrix of each gate; normal is N(0, 1/units); sparse: 15 connections a unit, spectral radius 1",
        choices=tuple(RECURRENT),
    )
    gain: float = option(1.0, "factor on the recurrent matrix of every gate", low=0.0)
    input_scale: float = option(0.3, "standard deviation of the first layer's input weights", low=0.0)
    readout_scale: float = option(0.0, "standard deviation of the readout's weights; 0 means 1/√(its inputs)", low=0.0)
    forget_bias: float = option(1.0, "bias of forget gates (Jozefowicz et al. 2015)")
    chrono: int = option(0, "longest memory in time steps for chrono biases, which replace the forget bias; 0 is off", low=0)

    def __post_init__(self) -> None:
        check(self)
        if self.chrono == 1:
            raise GradvizError("Initialization.chrono is 1; it must be 0 (off) or at least 2 time steps.")


class Layout(NamedTuple):
    """What is to be drawn, in this order. gates: names of the blocks along the first axis of a layer's parameters; lowest: numbers of the
    layers that read inputs, not other layers."""

    shapes: dict[str, Shape]
    gates: dict[str, tuple[str, ...]]
    lowest: tuple[str, ...] = ("0",)


def initialize(
    layout: Layout,
    options: Initialization,
    rng: np.random.Generator,
    dtype: DTypeLike = np.float32,
    begin: Begin | None = None,
) -> Parameters:
    """All parameters. `begin(name, shape, rng)` is asked for those that only the cell knows.

    weight_hh (gate, unit, unit): each gate's matrix drawn on its own. weight_ih (gate, input, unit): N(0, input_scale²) in layers
    that are the `lowest`, whose inputs are one-hot or few; N(0, 1/inputs) above them, where all inputs are active at once.
    """
    drawn: Parameters = {}
    for name, shape in layout.shapes.items():
        given = _draw(name, layout, options, rng)
        if given is None:
            given = _of_cell(name, shape, begin, rng)
        drawn[name] = np.ascontiguousarray(given, dtype)
    return drawn


def _of_cell(name: str, shape: Shape, begin: Begin | None, rng: np.random.Generator) -> Array:
    if begin is None or not name.startswith("layers."):
        known = "layers.….weight_ih, weight_hh, bias; readout.weight, readout.bias; ….embedding.weight"
        raise GradvizError(f"there is no initializer for the parameter {name!r}; there is one for {known}.")
    drawn = begin(name.rsplit(".", 1)[-1], shape, rng)
    if np.shape(drawn) != shape:
        raise ShapeError(f"the cell begins its parameter {name!r} with shape {np.shape(drawn)}; its own_shapes say {shape}.")
    return drawn


def _draw(name: str, layout: Layout, options: Initialization, rng: np.random.Generator) -> Array | None:
    """What is known here; None for the rest."""
    shape = layout.shapes[name]
    match name.split("."):
        case ["layers", *_, "weight_hh"]:
            drawn = options.gain * RECURRENT[options.recurrent](shape, rng)
        case ["layers", layer, _, "weight_ih"] if layer in layout.lowest:
            drawn = normal(shape, rng, options.input_scale)
        case ["layers", *_, "weight_ih"]:
            drawn = scaled(shape, rng)
        case ["readout", "weight"]:
            drawn = normal(shape, rng, options.readout_scale or 1 / np.sqrt(shape[0]))
        case [*_, "embedding", "weight"]:  # a token's vector is about as long as a one-hot one: input_scale keeps its meaning
            drawn = normal(shape, rng, 1 / np.sqrt(shape[1]))
        case ["layers", _, _, "bias"]:
            drawn = _bias(shape, [block.rsplit(".", 1)[-1] for block in layout.gates.get(name, ())], options, rng)
        case ["readout", "bias"]:
            drawn = np.zeros(shape)
        case _:
            return None
    return drawn


def _bias(shape: Shape, blocks: list[str], options: Initialization, rng: np.random.Generator) -> Array:
    """(gate, unit). Chrono (Tallec and Ollivier 2018, section 3): b_f = ln U(1, chrono - 1) and b_i = -b_f, so that a unit's memory
    1/(1 - σ(b_f)) is spread over 2 … chrono steps. A GRU's update gate, the share kept, plays the forget gate's part."""
    bias = np.zeros(shape)
    keeping = [row for row, block in enumerate(blocks) if block in ("forget", "update")]
    if options.chrono and keeping:
        bias[keeping[0]] = np.log(rng.uniform(1, options.chrono - 1, shape[1]))
        if "input" in blocks:
            bias[blocks.index("input")] = -bias[keeping[0]]
    elif "forget" in blocks:
        bias[blocks.index("forget")] = options.forget_bias
    return bias

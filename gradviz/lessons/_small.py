"""Networks small enough to be set by hand and checked on paper: float64, every weight zero that is not named."""

from collections.abc import Mapping

import numpy as np

from gradviz.arrays import Array
from gradviz.batch import Signature
from gradviz.cells import Cell
from gradviz.cells.rnn import RNN
from gradviz.config import Model
from gradviz.network import Network

FIRST = "layers.0.forward"


def network(model: Model, signature: Signature, weights: Mapping[str, Array | float] | None = None) -> Network:
    """weights: by parameter name, whole arrays or one number for all entries; the others are zero."""
    made = Network(model, signature, dtype="float64")
    for array in made.parameters.values():
        array[...] = 0
    for name, values in (weights or {}).items():
        made.parameters[name][...] = values
    return made


def unit(w: float, u: float = 1.0, b: float = 0.0, activation: str = "tanh") -> Network:
    """h_t = φ(w h_{t−1} + u x_t + b), one unit that is its own output."""
    weights = {f"{FIRST}.weight_hh": w, f"{FIRST}.weight_ih": u, f"{FIRST}.bias": b, "readout.weight": 1.0}
    return network(Model(cell=RNN(activation), units=1), Signature(1, 1, False, "squared"), weights)


def plain(matrix: Array, bias: Array | None = None, activation: str = "tanh", cell: Cell | None = None) -> Network:
    """h_t = φ(W h_{t−1} + x_t + b) with W acting from the left, as on paper (the library's arrays are rows, so that it keeps Wᵀ)."""
    size = len(matrix)
    weights: dict[str, Array | float] = {f"{FIRST}.weight_hh": matrix.T, f"{FIRST}.weight_ih": np.eye(size)}
    weights[f"{FIRST}.bias"] = np.zeros(size) if bias is None else bias
    return network(Model(cell=cell or RNN(activation), units=size), Signature(size, 1, False, "squared", at="last"), weights)

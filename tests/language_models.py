"""Language models for tests: small enough that all they can say is known."""

import numpy as np

from gradviz.batch import Signature
from gradviz.cells import CELLS
from gradviz.config import Model
from gradviz.language import LanguageModel
from gradviz.network import Network
from gradviz.text.vocabulary import EOS, UNK, Vocabulary


def toy() -> LanguageModel:
    """Two words, two units, weights set by hand: cats (2, 0), sleep (0, 2), UNK (1, 0), EOS (0, 0)."""
    network = Network(Model(cell=CELLS["rnn"](), units=2), Signature(4, 4, True, "softmax"), dtype="float64")
    values = {
        "layers.0.forward.weight_ih": [[[1, 0], [0, 0], [2, 0], [0, 2]]],
        "layers.0.forward.weight_hh": [[[0.5, 0], [0, 0.5]]],
        "layers.0.forward.bias": [[0, 0]],
        "readout.weight": [[0, -1, -2, 3], [0, 3, -2, -2]],
        "readout.bias": [-1, -1, 1, 0],
    }
    for name, value in values.items():
        network.parameters[name][...] = value
    return LanguageModel(network, Vocabulary("word", (UNK, EOS, "cats", "sleep"), "sentence"), "toy")


def drawn(
    letters: str = "ab", *, ends: str = "line", cell: str = "lstm", scale: float = 1.0, seed: int = 0, model: Model | None = None
) -> LanguageModel:
    """A network with random weights over some letters."""
    vocabulary = Vocabulary("character", (UNK, *([] if ends == "none" else [EOS]), *letters), ends)
    kinds = len(vocabulary)
    network = Network(model or Model(cell=CELLS[cell](), units=5), Signature(kinds, kinds, True, "softmax"), dtype="float64")
    rng = np.random.default_rng(seed)
    for array in network.parameters.values():
        array[...] = rng.normal(0, scale, array.shape)
    return LanguageModel(network, vocabulary, "drawn")

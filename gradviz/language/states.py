"""States and gates of a language model over a text."""

import numpy as np

from gradviz.arrays import Array
from gradviz.errors import GradvizError
from gradviz.language.model import LanguageModel, Source, model_of, passes
from gradviz.language.sentence import encoded


def activations(run: Source, text: str, layer: int = 0, direction: str = "forward") -> dict[str, Array]:
    """By point (hidden, cell, gate.forget, candidate …): the (time, unit) values of one layer after it has read each token of the text.

    The text begins with nothing before it, as in training; where sentences do so, too, the state at a sentence's end is the one that the
    next begins with. Layers are counted from 0, from the last one if negative.
    """
    model = model_of(run)
    return collected(model, text, layer, direction, model.network.parts.made)


def collected(model: LanguageModel, text: str, layer: int, direction: str, points: tuple[str, ...]) -> dict[str, Array]:
    """The same of some points alone."""
    layers = model.network.model.layers
    at = layer if layer >= 0 else layers + layer
    if not 0 <= at < layers:
        raise GradvizError(f"there is no layer {layer}; {model.name} has {layers}, counted from 0.")
    if direction != "forward":
        raise GradvizError(f"there is no direction {direction!r}: the layers of a language model read forward.")
    inputs, place = model.before(np.append(encoded(model, text), 0)), f"layers.{at}.forward"
    pieces: dict[str, list[Array]] = {point: [] for point in points}
    for run in passes(model.fresh(), inputs):
        for point, some in pieces.items():
            some.append(run.tapes[place].values(point)[:, 0].copy())
    return {point: np.concatenate(some)[1:] for point, some in pieces.items()}

"""Where the values of units over a text come from: recorded in table `probe`, or asked of the stored network."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gradviz.arrays import Array
from gradviz.charts._passage import MOST
from gradviz.charts._reach import nearest
from gradviz.frames import Run
from gradviz.language import LanguageModel, activations


@dataclass(frozen=True)
class States:
    """A text read by one layer. words: labels of its tokens; step: of training, -1 for the weights that were kept;
    points: what there is, such as cell or gate.forget; array: the (time, unit) values of one of them, after each token."""

    run: Run
    words: tuple[str, ...]
    step: int
    points: frozenset[str]
    array: Callable[[str], Array]


def recorded(run: Run, example: int, step: int, layer: int) -> States | None:
    """A held-out sequence as it was recorded at the last step up to `step`; None if it was not, or if its steps have no names."""
    table = run.facts("probe")
    table = table[(table["example"] == example) & ~table["gradient"].astype(bool)]
    if table.empty:
        return None
    at = int(sorted(table["layer"].unique())[layer] if layer < 0 else layer)
    table = table[table["layer"] == at]
    if table.empty:
        return None
    when, direction = nearest(sorted(table["step"].unique()), step), str(table["direction"].iloc[0])
    words = run.words(example, at, when)
    if not words:
        return None

    shown = tuple(words[:MOST])

    def array(point: str) -> Array:
        return np.asarray(run.probe(when, example, point, layer=at, direction=direction), dtype=np.float64)[: len(shown)]

    return States(run, shown, when, frozenset(table["point"]), array)


def asked(run: Run, text: str, layer: int) -> States:
    """A text of the reader's own, read by the network that the run keeps."""
    model = LanguageModel.load(run.path)
    at = run.layers - 1 if layer < 0 else layer
    direction = "backward" if run.setting("model", "direction") == "backward" else "forward"
    found = activations(model, text, at, direction)
    words = tuple(model.vocabulary.visible(model.vocabulary.encode(text)))
    return States(run, words, -1, frozenset(found), lambda point: np.asarray(found[point], dtype=np.float64))

"""Which units of a layer tell a property of a text, such as being inside quotation marks (Karpathy, Johnson and Li 2016)."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from gradviz.arrays import Array, Integers
from gradviz.errors import unknown
from gradviz.language.model import LanguageModel, Source, model_of
from gradviz.language.properties import PROPERTIES
from gradviz.language.ranks import Scores, auc, spearman
from gradviz.language.sentence import encoded
from gradviz.language.states import collected
from gradviz.text.sentences import MARK
from gradviz.wording import number

FEWEST = 5  # stretches in which a property holds, and in which it does not: of fewer nothing can be said


@dataclass(frozen=True)
class Ranking:
    """The units of a layer, those that tell a property best first.

    name: of the property; point: the state that was looked at, cell or hidden; measure: "AUC" for yes or no: the chance that the state is
    higher where the property holds, or "Spearman" for a number: the correlation of ranks. units, scores, errors: (unit,) best first: AUC or
    correlation of each unit, and its standard error. holds: (n,) the property after each token, bool or number (NaN where it means
    nothing); values: (n, unit) the states, in the network's order of units. positives: tokens where it holds, or has a number;
    stretches: how often it begins to hold, or to count anew. missing: why no unit is ranked; empty if they are.
    """

    name: str
    point: str
    measure: str
    units: Integers
    scores: Array
    errors: Array
    holds: Array
    values: Array
    positives: int
    stretches: int
    missing: str = ""

    @property
    def strengths(self) -> Array:
        """(unit,) 0 to 1, best first: |2 AUC - 1| or |correlation|. 0 tells nothing, 1 all."""
        return strengths(self.measure, self.scores)

    def table(self, most: int = 10) -> list[dict[str, object]]:
        """One row a unit, the best first: unit, its score, standard error and strength, and whether its state is "higher" or "lower" where
        the property holds or grows."""
        middle = 0.5 if self.measure == "AUC" else 0.0
        return [
            {
                "unit": int(unit), self.measure: float(score), "error": float(error), "strength": float(strength),
                "state": "higher" if score > middle else "lower" if score < middle else "no different",
            }
            for unit, score, error, strength in list(zip(self.units, self.scores, self.errors, self.strengths, strict=True))[:most]
        ]  # fmt: skip


def respond(run: Source, text: str, layer: int = 0, *, point: str = "", properties: Iterable[str] | None = None) -> dict[str, Ranking]:
    """By property: the units of a layer ranked by how well their state after each token tells it.

    point: "cell" or "hidden", or any other; empty takes the cell state if there is one. properties: names, all if None. The best of many
    units is better than chance even if none has learned anything: look at the error, and try it on another text.
    """
    model = model_of(run)
    point = point or ("cell" if "cell" in model.network.model.cell.states else "hidden")
    if point not in model.network.parts.made:
        raise unknown("point", point, model.network.parts.made)
    asked = PROPERTIES if properties is None else properties
    tokens = spelled(model, text)
    told = {name: PROPERTIES[name]().of(tokens) for name in asked}
    values = collected(model, text, layer, "forward", (point,))[point]
    return {name: ranking(name, point, holds, values) for name, holds in told.items()}


def spelled(model: LanguageModel, text: str) -> list[str]:
    """(n,) the tokens of a text as they stand in it, also those that the vocabulary does not know; the end of a sentence is empty."""
    count = len(encoded(model, text))
    tokens = ["" if token == MARK else token for token in model.vocabulary.rules.tokens(text)]
    return [*tokens, *[""] * (count - len(tokens))]


def ranking(name: str, point: str, holds: Array, values: Array) -> Ranking:
    """The units of these states (n, unit), ranked; or why they cannot be."""
    yes_or_no = holds.dtype == bool
    measure, there = ("AUC", holds) if yes_or_no else ("Spearman", ~np.isnan(holds))
    stretch = stretches(holds)
    count = len(np.unique(stretch[there]))
    none = np.empty(0)
    missing = _missing(name, holds, stretch, count) if yes_or_no else _missing_number(name, holds[there], count)
    if missing:
        return Ranking(name, point, measure, none.astype(int), none, none, holds, values, int(there.sum()), count, missing)
    scores = auc(values, holds, stretch) if yes_or_no else spearman(values[there], holds[there], stretch[there])
    units = _order(measure, scores)
    return Ranking(name, point, measure, units, scores.values[units], scores.errors[units], holds, values, int(there.sum()), count)


def strengths(measure: str, scores: Array) -> Array:
    """How far scores are from telling nothing, 0 to 1."""
    return np.asarray(np.abs(2 * scores - 1 if measure == "AUC" else scores))


def stretches(holds: Array) -> Integers:
    """(n,) the number of the stretch that each token belongs to: over which a property stays as it is, or a number grows."""
    begins = holds[1:] != holds[:-1] if holds.dtype == bool else ~(holds[1:] > holds[:-1])
    return np.concatenate([[0], np.cumsum(begins)])


def _order(measure: str, scores: Scores) -> Integers:
    """Best first, of equally good ones the lowest; those without a score last."""
    order: Integers = np.argsort(-strengths(measure, scores.values), kind="stable")
    return order


def _missing(name: str, holds: Array, stretch: Integers, count: int) -> str:
    without = len(np.unique(stretch[~holds]))
    if min(count, without) >= FEWEST:
        return ""
    said = f"{name} holds at {int(holds.sum())} of {len(holds)} tokens, in {_times(count)}, and fails to in {_times(without)}"
    return f"not enough data: {said}; {FEWEST} of each are needed. Use a longer text."


def _missing_number(name: str, numbers: Array, count: int) -> str:
    if count >= FEWEST and numbers.min() < numbers.max():
        return ""
    span = f"from {number(numbers.min())} to {number(numbers.max())}" if len(numbers) else "nowhere"
    return f"not enough data: {name} counts {span}, in {_times(count)}; {FEWEST} are needed. Use a longer text."


def _times(count: int) -> str:
    return f"{count} stretch{'' if count == 1 else 'es'}"

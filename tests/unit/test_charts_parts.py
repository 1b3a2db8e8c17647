"""Runs of an encoder and a decoder in charts, findings and reports: every picture says which part it shows."""

from dataclasses import fields
from pathlib import Path
from typing import cast

import numpy as np
import pandas as pd
import pytest

from gradviz.batch import Reading
from gradviz.charts import CHARTS
from gradviz.findings import verdicts
from gradviz.findings._evidence import longest
from gradviz.frames import Run, load
from gradviz.network import Network
from gradviz.reports import report
from gradviz.tasks.numbers import END, LETTERS
from tests.chart_runs import FakeRun, reach

# charts of the exact dynamics refuse two parts, unless they look at weights alone
READ = [name for name in CHARTS if not CHARTS[name].network and (not CHARTS[name].exact or name == "eigenvalues")]
LAYERED = [name for name in READ if "layer" in {item.name for item in fields(CHARTS[name])}]


@pytest.fixture(scope="module")
def numbers(shaped: Path) -> Run:
    return load(shaped / "numbers")


def test_a_run_knows_its_parts(numbers: Run, shaped: Path) -> None:
    assert (numbers.layers, numbers.encoder) == (4, 2)
    assert [numbers.part(layer) for layer in (0, 1, 2, 3, -1, 4)] == ["encoder", "encoder", "decoder", "decoder", "decoder", ""]
    assert numbers.layer_name(2) == "layer 2 (decoder)"
    assert numbers.meta["signature"]["at"] == "decoded"
    sine = load(shaped / "sine")
    assert (sine.layers, sine.encoder, sine.part(0), sine.layer_name(0)) == (1, 0, "", "layer 0")


def test_a_run_tells_what_its_decoder_says_to_its_own_words(numbers: Run, shaped: Path) -> None:
    """The stored weights, decoded again by hand: each letter read is the one said before."""
    network = Network(numbers.experiment.model, (data := numbers.experiment.task.open(0)).signature)
    for name, array in numbers.weights().items():
        network.parameters[name][...] = array
    for asked, told in zip(("4 7 9", "6 4 0"), numbers.answers, strict=True):
        digits, letters = np.array([[int(digit)] for digit in asked.split()]), LETTERS.encode(END)
        while len(letters) <= 28 and (len(letters) == 1 or letters[-1] != letters[0]):
            said = network.forward(digits, decoder=Reading(letters[:, None])).outputs.argmax(axis=2)
            letters = np.append(letters, said[-1])
        spelled = "".join(data.decoder_words(letters[1:]) or [])
        assert told.startswith(f"{asked.replace(' ', '')} → {spelled} (right: ")
    assert load(shaped / "sine").answers == []


def test_words_are_those_of_what_a_layer_reads(numbers: Run) -> None:
    digits, letters = numbers.words(0, 1), numbers.words(0, 2)
    assert digits is not None
    assert letters is not None
    assert all(word.isdigit() for word in digits)
    assert letters[0] == "∎"
    assert len(digits) == len(numbers.probe(12, 0, "hidden", layer=1)) == len(numbers.probe(12, 0, "hidden", layer=1, direction="backward"))
    assert len(letters) == len(numbers.probe(12, 0, "hidden", layer=3)) > 3


@pytest.mark.parametrize("name", LAYERED)
@pytest.mark.parametrize(("layer", "part"), [(1, "encoder"), (2, "decoder"), (-1, "decoder")])
def test_charts_of_a_layer_say_its_part(numbers: Run, name: str, layer: int, part: str) -> None:
    said = CHARTS[name](layer=layer).describe([numbers])
    assert not said.missing
    assert f" of the {part}" in said.subtitle
    assert len(said.frame)
    if "lag" in said.frame:
        assert said.frame["lag"].max() == 2 if part == "encoder" else said.frame["lag"].max() > 10


def test_the_heatmap_writes_letters_below_the_decoder_and_digits_below_the_encoder(numbers: Run) -> None:
    for layer in (0, 3):
        (panel,) = CHARTS["gate_heatmap"](layer=layer).describe([numbers]).panels
        assert panel.x.words == tuple(numbers.words(0, layer) or ())


def test_findings_name_the_part(numbers: Run) -> None:
    said = {verdict.code: verdict.summary for verdict in verdicts(numbers)}
    assert "(decoder)" in said["vanishing"]
    assert "coder)" in said["saturated_gates"]
    assert "not fitted" not in said["exploding"]


class TwoParts(FakeRun):
    def part(self, layer: int) -> str:
        return ("encoder", "decoder")[layer]


@pytest.mark.parametrize(
    ("encoder", "decoder", "found"),
    [
        (np.linspace(0, -1, 5), np.linspace(0, -4, 20), "decoder"),  # all of 5 steps, 10 of 20
        (np.linspace(0, -8, 5), np.linspace(0, -4, 20), "encoder"),  # 1 of 5 steps, 10 of 20
        (np.linspace(0, -1, 5), np.linspace(0, -1, 20), "decoder"),  # all of both: the longer one says more
        (np.full(5, np.nan), np.linspace(0, -1, 20), "encoder"),
    ],
)
def test_reach_is_as_long_as_in_the_part_where_it_is_shorter(encoder: np.ndarray, decoder: np.ndarray, found: str) -> None:
    worse = pd.concat([reach({0: profile - 1.0 * np.arange(len(profile))}) for profile in (encoder, decoder)])
    better = pd.concat([reach({0: profile}, "cell") for profile in (encoder, decoder)])
    run = TwoParts(reach=pd.concat([worse.assign(layer=[0, 1]), better.assign(layer=[0, 1])], ignore_index=True))
    path = longest(cast(Run, run))
    assert path is not None
    assert path.part == found
    assert found == "encoder" or path.point == "cell"
    assert f"({found})" in path.where


def test_a_report_shows_both_parts(numbers: Run, shaped: Path) -> None:
    page = report([numbers, load(shaped / "sine")], "compare").html()
    for about in ("numbers, encoder", "numbers, decoder", "sine"):
        assert about in page

"""Pictures of texts, on values whose right answer is known."""

import hashlib
import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from gradviz.charts import _speakers, connectivity, sentence, text_probability, units
from gradviz.charts import _tail as tails
from gradviz.charts._passage import cells
from gradviz.charts._tail import tail
from gradviz.charts.connectivity import Connectivity
from gradviz.charts.sentence import Sentence
from gradviz.charts.text_probability import TextProbability
from gradviz.charts.text_unit import TextUnit
from gradviz.charts.units import Units
from gradviz.errors import GradvizError
from gradviz.language import Ranking
from gradviz.text.corpus import built_in
from gradviz.text.vocabulary import Vocabulary
from tests.chart_runs import FakeRun

WORDS = list("ab␣ab↵")
STATES = np.array([[0.5, -1.0, 0.1], [0.5, 1.0, 0.2], [0.5, 0.0, 0.3], [0.5, -0.5, 0.1], [0.5, 1.0, 0.2], [0.5, 0.0, 0.0]])


def recorded(family: str = "lstm", point: str = "cell", values: np.ndarray = STATES, words: list[str] = WORDS, **rest: Any) -> FakeRun:
    return FakeRun(family, True, arrays={(7, 0, point): values}, texts={0: words}, **rest)


# ------------------------------------------------------------------ cells


def test_every_token_has_its_cells_and_nothing_is_lost() -> None:
    letters, owners = cells(["a", "␣", "U+0007", "", "\u0301", "<EOS>"], spaced=False)
    assert "".join(letters) == "a␣U+0007∅◌\u0301<EOS>"
    assert owners.tolist() == [0, 1, *[2] * 6, 3, 4, *[5] * 5]


def test_words_end_with_a_blank_cell_of_their_own() -> None:
    letters, owners = cells(["the", "<UNK>"], spaced=True)
    assert "".join(letters) == "the <UNK> "
    assert owners.tolist() == [0] * 4 + [1] * 6


# ------------------------------------------------------------------ text_unit


def test_the_unit_that_varies_most_is_chosen_and_named() -> None:
    description = TextUnit().describe([recorded()])
    heat = description.panels[0].marks[0]
    assert "".join(heat.letters[0]) == "ab␣ab↵"
    np.testing.assert_allclose(heat.values[0], np.tanh(STATES[:, 1]))
    assert (heat.scale, heat.limits, heat.unit) == ("tide", (-1.0, 1.0), "tanh of the cell state")
    low, high = np.tanh([-1.0, -0.5]).mean(), np.tanh(1.0)
    said = f"Unit 1 of the LSTM is highest after “b” ({high:.2f} on average) and lowest after “a” ({low:.2f})".replace("-", "−")
    assert description.title == said
    assert description.panels[0].note == "unit 1, −0.76 to 0.76"
    assert description.frame["value"].tolist() == STATES[:, 1].tolist(), "the frame holds the cell state itself"


def test_a_unit_that_is_asked_for_and_one_that_is_not_there() -> None:
    heat = TextUnit(unit=2).describe([recorded("gru", "hidden")]).panels[0].marks[0]
    np.testing.assert_array_equal(heat.values[0], STATES[:, 2])
    with pytest.raises(GradvizError, match="no unit 3; its units are 0 to 2"):
        TextUnit(unit=3).describe([recorded()])


def test_a_gate_has_its_own_scale() -> None:
    description = TextUnit(point="forget", unit=0).describe([recorded(point="gate.forget")])
    heat = description.panels[0].marks[0]
    assert (heat.scale, heat.limits, heat.unit) == ("depth", (0.0, 1.0), "share kept")
    assert "Gates from 0 (dark) to 1 (bright)." in description.subtitle
    assert TextUnit(point="forget").describe([recorded()]).missing


def test_a_run_whose_steps_have_no_names_is_left_out() -> None:
    nameless = FakeRun("gru", arrays={(7, 0, "hidden"): STATES})
    assert TextUnit().describe([nameless]).missing
    assert TextUnit().describe([recorded(), nameless]).subtitle.endswith("Not recorded: GRU, not clipped.")


def test_units_that_are_not_finite_are_not_chosen_and_not_hidden() -> None:
    values = STATES.copy()
    values[2, 1] = math.nan
    assert TextUnit().describe([recorded(values=values)]).frame["unit"].iloc[0] == 2
    description = TextUnit(unit=1).describe([recorded(values=values)])
    assert description.key == (("nan", "not a number"),)
    assert description.frame["value"].isna().sum() == 1


def test_hover_tells_word_step_and_value() -> None:
    heat = TextUnit(unit=1).describe([recorded()]).panels[0].marks[0]
    assert heat.hover[0][1] == "“b” at step 1\ntanh of the cell state 0.76, cell state 1"


# ------------------------------------------------------------------ charts that ask the network


VOCABULARY = Vocabulary("character", ("<UNK>", *"ab \n"), "none")


FACTORS = np.array([0.5, 0.25, 0.125, 1.0, 0.5, 0.0625])


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A network that gives these factors to every text, and whose gradients are what `norms` says."""

    def load(path: Any) -> Any:
        if path == "nowhere":
            raise GradvizError("nowhere holds no weights.")
        return SimpleNamespace(vocabulary=VOCABULARY)

    def said(model: Any, text: str) -> Any:
        tokens = VOCABULARY.visible(VOCABULARY.encode(text))
        logs = np.log(np.resize(found.factors, len(tokens)))
        return SimpleNamespace(tokens=tokens, log_factors=logs, log_probability=logs.sum(), alternatives=[[("b", 0.75)]] * len(tokens))

    found = SimpleNamespace(factors=FACTORS, norms=np.array([1.0, 2.0, 4.0, 8.0, 1.0]))
    monkeypatch.setattr(_speakers.LanguageModel, "load", load)
    for module in (text_probability, sentence):
        monkeypatch.setattr(module, "probability", said)
    monkeypatch.setattr(connectivity, "connectivity", lambda model, text, position: found.norms[:position])
    return found


def test_probabilities_colour_the_recorded_words(model: Any) -> None:
    description = TextProbability().describe([recorded()])
    heat = description.panels[0].marks[0]
    assert "".join(heat.letters[0]) == "ab␣ab↵"
    np.testing.assert_allclose(heat.values[0], FACTORS)
    assert (heat.scale, heat.limits) == ("depth", (0.0, 1.0))
    bits = -np.log2(FACTORS).mean()  # 11 / 6
    assert description.title == f"The LSTM spends {bits:.1f} bits per token and expects “↵” at step 5 least (0.062)"
    assert heat.hover[0][2] == "“␣” at step 2\nprobability 0.13, 3 bits\nlikeliest: “b” 75\u202f%"
    assert description.frame["likeliest"].tolist() == ["b"] * 6


def test_a_text_of_ones_own(model: Any) -> None:
    description = TextProbability(text="bb").describe([recorded()])
    assert "".join(description.panels[0].marks[0].letters[0]) == "bb"
    assert "a text of your own" in description.subtitle


def test_a_recorded_sequence_becomes_a_text_with_the_same_tokens() -> None:
    words = Vocabulary("word", ("<UNK>", "<EOS>", "the", "cat", "."), "sentence")
    for vocabulary, labels in (
        (words, ["∅", "the", "<UNK>", ".", "<EOS>", "<UNK>", "cat", ".", "<EOS>"]),
        (VOCABULARY, ["a", "<UNK>", "␣", "↵", "b"]),
    ):
        text = _speakers.probed(FakeRun(texts={0: labels}), SimpleNamespace(vocabulary=vocabulary), 0)  # type: ignore[arg-type]
        assert vocabulary.visible(vocabulary.encode(text)) == [label for label in labels if label != "∅"]


@pytest.mark.parametrize("chart", [TextProbability, Sentence, Connectivity])
def test_without_weights_it_says_what_is_missing(chart: Any, model: Any) -> None:
    description = chart().describe([recorded(path="nowhere")])
    assert "gradviz train my.txt" in description.missing
    assert "nowhere holds no weights" in description.missing
    assert chart().describe([recorded(path="nowhere"), recorded("gru")]).subtitle.endswith("Not recorded: LSTM, clipped.")


def test_the_factors_of_a_sentence_multiply_to_its_probability(model: Any) -> None:
    description = Sentence().describe([recorded()])
    bars, line = description.panels[0].marks[0], description.panels[1].marks[0]
    np.testing.assert_allclose(10**bars.y, FACTORS)
    np.testing.assert_allclose(10**line.y, np.cumprod(FACTORS))
    assert bars.base == 0
    assert description.panels[0].x.words == tuple(WORDS)
    assert description.title == "The probability of “ab ab” is 4.9\u202f×\u202f10⁻⁴ in the LSTM"  # 2⁻¹¹
    np.testing.assert_allclose(np.exp(description.frame["log_probability"].iloc[-1]), 2.0**-11)


def test_a_factor_of_zero_ends_the_product_and_is_named(model: Any) -> None:
    with np.errstate(divide="ignore"):
        model.factors = np.array([0.5, 0.5, 0.5, 0.0, 0.5, 0.5])
        description = Sentence().describe([recorded()])
    assert description.title == "The probability of “ab ab” is 0 in the LSTM"
    assert np.isneginf(description.panels[0].marks[0].y).sum() == 1
    assert ("ring", "on the lowest line: exactly 0") in description.key


def test_the_pull_of_earlier_tokens(model: Any) -> None:
    description = Connectivity(log=False).describe([recorded()])
    heat = description.panels[0].marks[0]
    assert heat.framed == ((0, 5),)
    assert heat.values[0, :5].tolist() == [1.0, 2.0, 4.0, 8.0, 1.0]
    assert np.ma.getmaskarray(heat.values)[0].tolist() == [False] * 5 + [True]
    assert heat.limits == (0.0, 8.0)
    said = "The last 2 tokens hold half of what moves “↵” at step 5 in the LSTM, and “a”, 2\u202fsteps before it, moves it most"
    assert description.title == said  # 9 of 16
    assert description.frame["share"].sum() == pytest.approx(1)
    assert heat.hover[0][3] == "“a” at step 3, 2 before\ngradient norm 8, 50\u202f% of the sum"


def test_the_pull_on_an_earlier_prediction_on_a_log_scale(model: Any) -> None:
    heat = Connectivity(position=2, log=True).describe([recorded()]).panels[0].marks[0]
    np.testing.assert_allclose(heat.values[0, :2], np.log10([1.0, 2.0]))
    assert np.ma.getmaskarray(heat.values)[0].tolist() == [False] * 2 + [True] * 4
    assert (heat.limits, heat.log) == ((-3.0, 1.0), True)
    assert heat.framed == ((0, 2),)


def test_pulls_that_are_no_numbers(model: Any) -> None:
    model.norms = np.array([1.0, math.nan, 1.0, 1.0, 1.0])
    assert Connectivity().describe([recorded()]).title == "The gradient of “↵” at step 5 is not finite in the LSTM"
    model.norms = np.zeros(5)
    assert Connectivity(log=True).describe([recorded()]).title == "The gradient of “↵” at step 5 is zero in the LSTM"
    assert Connectivity(position=0).describe([recorded()]).title == "Nothing is read before “a” at step 0 in the LSTM"
    with pytest.raises(GradvizError, match="6 tokens, so it must be at most 5"):
        Connectivity(position=6).describe([recorded()])


def test_words_stand_apart(model: Any) -> None:
    run = recorded(words=["the", "cat"], values=STATES[:2], meta={"facts": {"level": "word"}})
    assert "".join(TextUnit().describe([run]).panels[0].marks[0].letters[0]) == "the cat "
    characters = recorded(words=["U+0007", "<EOS>"], values=STATES[:2], meta={"facts": {"level": "character"}})
    assert "".join(TextUnit().describe([characters]).panels[0].marks[0].letters[0]) == "U+0007<EOS>"


def test_long_titles_are_cut_short(model: Any) -> None:
    runs = [recorded(label=f"a run with a long name, number {at}", family="mine") for at in range(9)]
    assert len(TextUnit().describe(runs).title) < 260
    for chart in (TextProbability, Sentence, Connectivity):
        assert len(chart().describe(runs).title) < 260


def test_several_runs_share_a_title(model: Any) -> None:
    runs = [recorded("rnn", "hidden"), recorded("lstm")]
    assert (
        TextUnit().describe(runs).title
        == "Unit 1 of the RNN is highest after “b”, lowest after “a”; unit 1 of the LSTM is highest after “b”, lowest after “a”"
    )
    assert {panel.marks[0].unit for panel in TextUnit().describe(runs).panels} == {"state"}, "one colour bar for both"
    assert TextProbability().describe(runs).title == "The RNN spends 1.8 bits per token and the LSTM 1.8"
    said = "Half of what moves “↵” at step 5 lies in the last tokens before it: 2 in the RNN and 2 in the LSTM"
    assert Connectivity().describe(runs).title == said


# ------------------------------------------------------------------ units


def ranked(scores: list[float], holds: Any, values: Any, measure: str = "AUC", missing: str = "") -> Ranking:
    order = np.argsort([-abs(2 * score - 1) for score in scores], kind="stable")
    found = np.array(scores)[order]
    return Ranking("inside_word", "cell", measure, order, found, found * 0 + 0.01, np.array(holds), np.array(values), 2, 2, missing)


@pytest.fixture
def ranking(model: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A network whose units are ranked like this; unit 1 is 1 where the property holds and 0 elsewhere."""
    states = np.array([[0.5, 1.0], [0.2, 0.0], [0.5, 1.0], [0.9, 0.0]])
    found = SimpleNamespace(now=ranked([0.4, 0.0], [True, False, True, False], states), text="")

    def respond(model: Any, text: str, layer: int, properties: list[str]) -> dict[str, Ranking]:
        found.text = text
        return dict.fromkeys(properties, found.now)

    monkeypatch.setattr(units, "respond", respond)
    monkeypatch.setattr(units, "tail", lambda run, most: "ab\n")
    return found


def test_units_are_ranked_and_the_best_one_told(ranking: Any) -> None:
    description = Units().describe([recorded()])
    best, others = description.panels[0].marks
    assert description.panels[0].x.ticks == ((0.0, "1"), (1.0, "0"))
    assert (best.y.tolist(), others.y.tolist()) == ([1.0], [pytest.approx(0.2)])
    assert description.title == "Unit 1 of the LSTM (AUC 0.00 ± 0.01) answers best to letters, as against spaces and signs"
    without, holding = description.panels[1].marks
    assert (without.label, holding.label) == ("does not hold", "holds")
    assert (without.y[0], holding.y[-1]) == (1.0, 1.0), "all tokens of either case at their own end"
    assert without.y.sum() == holding.y.sum() == 1
    assert ranking.text == "ab\n", "read is the end of the text that was learned"
    Units(text="b").describe([recorded()])
    assert ranking.text == "b"


def test_a_number_is_drawn_against_the_mean_state(ranking: Any) -> None:
    ranking.now = ranked([0.6, 0.9], [0.0, 1.0, 1.0, math.nan], [[0, 1], [0, 2], [0, 4], [0, 9]], "Spearman")
    line = Units(property="position_in_line").describe([recorded()]).panels[1].marks[0]
    assert (line.x.tolist(), line.y.tolist()) == ([0.0, 1.0], [1.0, 3.0])


def test_a_text_that_says_too_little_says_so(ranking: Any) -> None:
    ranking.now = ranked([0.5], [True] * 4, np.zeros((4, 1)), missing="not enough data: use a longer text.")
    assert Units().describe([recorded()]).missing == "LSTM, clipped: not enough data: use a longer text."
    ranking.now = ranked([math.nan], [True] * 4, np.full((4, 1), math.nan))
    assert "not numbers" in Units().describe([recorded()]).missing


def test_an_unknown_property_lists_the_others() -> None:
    with pytest.raises(GradvizError, match="inside_quotes"):
        Units(property="nonsense")


def test_the_tail_of_a_text_is_what_was_held_out_of_that_very_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def learned(file: str, text: str) -> Any:
        facts = {
            "characters": len(text),
            "sha256": hashlib.sha256(text.encode()).hexdigest(),
            "splits": {"training": 74, "test": 1, "validation": 25},
        }
        return SimpleNamespace(meta={"facts": facts}, setting=lambda _, name: file)

    one, other = "ä" * 40 + "€z", "x" * 10
    (tmp_path / "b.txt").write_text(one, encoding="utf-8")
    (tmp_path / "a.txt").write_text(other, encoding="utf-8")
    assert tail(learned(str(tmp_path / "b.txt"), one), 1000) == "ä" * 8 + "€z", "a quarter"
    assert tail(learned(str(tmp_path / "b.txt"), one), 3) == "ä€z"
    assert tail(learned(str(tmp_path), f"{other}\n{one}"), 1000) == "ä" * 11 + "€z", "files in their order"
    assert tail(learned(str(tmp_path / "gone"), one), 10) == ""
    assert tail(learned(str(tmp_path / "a.txt"), one), 10) == "", "another text: no run can make anybody read a file it did not learn"
    text = "".join(built_in().pieces())
    assert tail(learned("", text), 100) == text[-100:]
    monkeypatch.setattr(tails, "MOST", 5)
    assert tail(learned(str(tmp_path / "b.txt"), one), 5) == "", "too large to be read again"

"""What a language model says, against enumeration, a loop in plain Python, complex steps and numbers computed elsewhere."""

import itertools
import math

import numpy as np
import pytest

from gradviz.arrays import norm
from gradviz.batch import NOTHING, Signature
from gradviz.cells import CELLS
from gradviz.config import Model
from gradviz.language import Choice, LanguageModel, connectivity, connectivity_all, probability, sample
from gradviz.network import Network
from tests.language_models import drawn, toy

# ------------------------------------------------------------------ sentences


def test_the_toy_s_numbers_are_those_computed_elsewhere() -> None:
    said = probability(toy(), "cats sleep")
    assert said.tokens == ["cats", "sleep", "<EOS>"]
    assert said.includes_eos
    first = dict(said.alternatives[0])
    assert [round(first[word], 4) for word in ("cats", "sleep", "<UNK>", "<EOS>")] == [0.6103, 0.2245, 0.0826, 0.0826]
    np.testing.assert_allclose(np.exp(said.log_factors), [0.6103, 0.9523, 0.7959], atol=5e-5)
    assert said.probability == pytest.approx(0.4626, abs=5e-5)
    assert -said.log_probability == pytest.approx(0.7709, abs=5e-5)
    assert said.perplexity == pytest.approx(1.293, abs=5e-4)
    other = probability(toy(), "sleep cats").probability
    assert other == pytest.approx(0.000751, abs=5e-7)
    assert said.probability / other == pytest.approx(616, abs=0.5)
    assert sum(_ended(toy(), ["cats", "sleep", "dogs"], " ", 3)) == pytest.approx(0.8156, abs=5e-5)


def _ended(model: LanguageModel, words: list[str], between: str, longest: int) -> list[float]:
    """Probability of every sentence of at most so many tokens, its end included; that it ends at once is an alternative of any."""
    some = [between.join(chosen) for count in range(1, longest) for chosen in itertools.product(words, repeat=count)]
    at_once = dict(probability(model, words[0], most=len(model.vocabulary)).alternatives[0])["<EOS>"]
    return [at_once, *(probability(model, text).probability for text in some)]


def _going_on(model: LanguageModel, words: list[str], between: str, longest: int) -> list[float]:
    """Probability of every beginning of so many tokens that has not ended."""
    return [probability(model, between.join(chosen), eos=False).probability for chosen in itertools.product(words, repeat=longest)]


@pytest.mark.parametrize("longest", [1, 2, 4])
def test_all_sentences_of_the_toy_and_all_that_go_on_have_probability_one(longest: int) -> None:
    words = ["cats", "sleep", "dogs"]  # the last is UNK
    total = math.fsum(_ended(toy(), words, " ", longest) + _going_on(toy(), words, " ", longest))
    assert total == pytest.approx(1, abs=1e-12)


MODELS = {
    "rnn": Model(cell=CELLS["rnn"](), units=4),
    "gru, embedded": Model(cell=CELLS["gru"](), units=3, embedding=2),
    "lstm, deep": Model(cell=CELLS["lstm"](), units=3, layers=2),
    "lstm, tied": Model(cell=CELLS["lstm"](), units=3, embedding=3, tied=True),
}


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_all_lines_and_all_that_go_on_have_probability_one(model: Model) -> None:
    one = drawn("ab", model=model)
    total = math.fsum(_ended(one, ["a", "b", "z"], "", 4) + _going_on(one, ["a", "b", "z"], "", 4))
    assert total == pytest.approx(1, abs=1e-12)


def _by_hand(model: LanguageModel, ids: list[int]) -> list[float]:
    """Factors of a tanh RNN in plain Python: x⟨1⟩ = 0, a⟨0⟩ = 0, x⟨t⟩ = y⟨t−1⟩."""
    weights = {name: array.tolist() for name, array in model.network.parameters.items()}
    (ih,), (hh,), (bias,) = (weights[f"layers.0.forward.{name}"] for name in ("weight_ih", "weight_hh", "bias"))
    units, factors = range(len(bias)), []
    state, read = [0.0 for _ in units], [0.0 for _ in units]
    for token in ids:
        state = [math.tanh(read[j] + bias[j] + math.fsum(state[i] * hh[i][j] for i in units)) for j in units]
        logits = [math.fsum(state[i] * row[k] for i, row in enumerate(weights["readout.weight"])) for k in range(len(ih))]
        logits = [logit + weights["readout.bias"][k] for k, logit in enumerate(logits)]
        factors.append(math.exp(logits[token]) / math.fsum(map(math.exp, logits)))
        read = ih[token]
    return factors


def test_factors_are_those_of_a_loop_in_plain_python() -> None:
    model = drawn("abcde", cell="rnn", seed=3)
    text = "edcba\nabz" * 40  # longer than a piece that is read at once
    said = probability(model, text)
    expected = _by_hand(model, model.vocabulary.encode(text).tolist())
    np.testing.assert_allclose(np.exp(said.log_factors), expected, rtol=1e-12)
    assert said.log_probability == pytest.approx(math.fsum(map(math.log, expected)), rel=1e-13)


def test_logarithms_neither_over_nor_underflow() -> None:
    model = toy()
    model.network.parameters["readout.bias"][...] = [-3000, -1000, 2000, -5000]
    said = probability(model, "sleep cats " * 3)
    assert said.log_factors[0] == pytest.approx(-7000, rel=1e-12)
    assert said.probability == 0
    assert said.log10 == pytest.approx(said.log_probability / math.log(10))
    assert said.log10 < -9000
    assert said.perplexity == math.inf


# ------------------------------------------------------------------ sampling


def test_draws_are_those_of_the_unit_bar() -> None:
    """default_rng(0) draws 0.6370, which lies between 0.6103 and 0.8348: the second segment if UNK and EOS come last."""
    model = toy()
    order = [2, 3, 0, 1]
    chances = Choice(avoid_unknown=False).probabilities(np.log([0.0826, 0.0826, 0.6103, 0.2245]))
    edges = np.cumsum(chances[order])
    assert edges[0] < np.random.default_rng(0).random() < edges[1]
    said = sample(model, seed=0, choice=Choice(avoid_unknown=False))
    first = np.searchsorted(np.cumsum(chances), np.random.default_rng(0).random(), side="right")
    assert said.ids[0] == first


@pytest.fixture(scope="module")
def sentences() -> list[str]:
    """Two thousand of them."""
    rng, model = np.random.default_rng(0), toy()
    said = (sample(model, seed=rng, length=3, choice=Choice(avoid_unknown=False)) for _ in range(2000))
    return [" ".join(model.vocabulary.visible(one.ids)) for one in said]


def test_sentences_come_as_often_as_they_are_probable(sentences: list[str]) -> None:
    model, words = toy(), {"cats": "cats", "sleep": "sleep", "dogs": "<UNK>"}
    expected = {"<EOS>": dict(probability(model, "cats").alternatives[0])["<EOS>"]}
    for count in (1, 2):
        for chosen in itertools.product(words, repeat=count):
            expected[" ".join([*(words[word] for word in chosen), "<EOS>"])] = probability(model, " ".join(chosen)).probability
    for chosen in itertools.product(words, repeat=3):
        expected[" ".join(words[word] for word in chosen)] = probability(model, " ".join(chosen), eos=False).probability
    assert math.fsum(expected.values()) == pytest.approx(1, abs=1e-12)
    assert set(sentences) <= set(expected)
    drawn_of = {text: (sentences.count(text), chance * len(sentences)) for text, chance in expected.items()}
    large = [pair for pair in drawn_of.values() if pair[1] >= 5]
    large.append(tuple(np.sum([pair for pair in drawn_of.values() if pair[1] < 5], axis=0)))
    chi = sum((seen - mean) ** 2 / mean for seen, mean in large)
    freedom = len(large) - 1
    assert chi < freedom * (1 - 2 / (9 * freedom) + 3.09 * math.sqrt(2 / (9 * freedom))) ** 3  # the 0.999 quantile (Wilson and Hilferty)


def test_temperature_raises_odds_to_its_inverse() -> None:
    logs = probability(toy(), "cats", most=4)
    chances = dict(logs.alternatives[0])
    given = np.log([chances[word] for word in ("<UNK>", "<EOS>", "cats", "sleep")])
    for temperature, odds in ((1.0, math.e), (0.5, math.e**2), (2.0, math.e**0.5)):
        drawn_with = Choice(temperature, avoid_unknown=False).probabilities(given)
        assert drawn_with[2] / drawn_with[3] == pytest.approx(odds, rel=1e-12)


@pytest.mark.parametrize(("temperature", "expected"), [(0.5, 0.831), (1.0, 0.4626), (2.0, 0.167)])
def test_the_likeliest_sentence_at_other_temperatures(temperature: float, expected: float) -> None:
    model, product = toy(), 1.0
    for text, token in (("", 2), ("cats", 3), ("cats sleep", 1)):
        shown = probability(model, f"{text} cats", eos=False, most=4).alternatives[-1]
        ids = {label: number for number, label in enumerate(model.vocabulary.tokens)}
        logs = np.empty(4)
        for label, chance in shown:
            logs[ids[label]] = math.log(chance)
        product *= float(Choice(temperature, avoid_unknown=False).probabilities(logs)[token])
    assert product == pytest.approx(expected, abs=5e-4)


# ------------------------------------------------------------------ connectivity


def _vectors(model: LanguageModel, ids: np.ndarray) -> np.ndarray:
    table = model.network.parameters["embedding.weight"] if model.network.model.embedding else np.eye(len(model.vocabulary))
    return np.where((ids == NOTHING)[:, None], 0.0, table[ids.clip(0)])[:, None]


def _slopes(model: LanguageModel, text: str, position: int, k: int) -> np.ndarray:
    """(position, width): complex steps through a network that reads the vectors."""
    own = model.network.model
    plain = Network(
        Model(cell=own.cell, units=own.units, layers=own.layers),
        Signature(own.embedding or len(model.vocabulary), len(model.vocabulary), False, "softmax"),
        dtype="complex128",
    )
    for name, array in plain.parameters.items():
        array[...] = (
            model.network.parameters["embedding.weight"].T if own.tied and name == "readout.weight" else model.network.parameters[name]
        )
    ids = model.vocabulary.encode(text)
    read = _vectors(model, np.concatenate([[NOTHING], ids])[: position + 1]).astype(complex)
    slopes = np.empty((position, read.shape[2]))
    for t, j in np.ndindex(slopes.shape):
        kept = read[t + 1, 0, j]
        read[t + 1, 0, j] = kept + 1e-30j
        slopes[t, j] = plain.forward(read).outputs[position, 0, k].imag / 1e-30
        read[t + 1, 0, j] = kept
    return slopes


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_connectivity_is_the_derivative_of_the_logit(model: Model) -> None:
    one, text = drawn("abcd", model=model, scale=0.7), "abcdab\nd"
    ids = one.vocabulary.encode(text)
    for position in (1, 5, len(ids) - 1):
        found = connectivity(one, text, position)
        np.testing.assert_allclose(found, norm(_slopes(one, text, position, int(ids[position])), axis=-1), rtol=1e-10)
    np.testing.assert_allclose(connectivity(one, text, 4, k=0), norm(_slopes(one, text, 4, 0), axis=-1), rtol=1e-10)


def test_connectivity_of_all_positions_is_that_of_each() -> None:
    model, text = drawn("abcd", cell="gru"), "abcdabcd\nabca"
    whole = connectivity_all(model, text)
    for position, row in enumerate(whole):
        np.testing.assert_allclose(row[:position], connectivity(model, text, position), rtol=1e-12)
        assert not row[position:].any()


def test_behind_the_end_the_likeliest_token_is_looked_at() -> None:
    model = toy()
    np.testing.assert_array_equal(connectivity(model, "cats", 2), connectivity(model, "cats", 2, k=_likeliest_after(model)))
    assert connectivity(model, "cats", 0).shape == (0,)


def _likeliest_after(model: LanguageModel) -> int:
    run = model.network.forward(np.array([[NOTHING], [2], [1]]))
    return int(run.outputs[-1, 0].argmax())

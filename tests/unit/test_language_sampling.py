"""How a token is chosen, and how a model writes."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradviz.config import Model
from gradviz.errors import GradvizError
from gradviz.language import Choice, LanguageModel, probability, sample
from tests.language_models import drawn, toy

FIVE = np.array([0.1, 0.4, 0.05, 0.3, 0.15])


def draw(choice: Choice, chances: np.ndarray = FIVE, unk: int | None = None) -> np.ndarray:
    with np.errstate(divide="ignore"):
        return choice.probabilities(np.log(chances), unk)


# ------------------------------------------------------------------ choosing


def test_without_rules_the_model_s_own_probabilities_are_drawn_with() -> None:
    np.testing.assert_allclose(draw(Choice()), FIVE, rtol=1e-14)


def test_temperature_0_takes_the_likeliest_and_of_equals_the_first() -> None:
    assert draw(Choice(0)).tolist() == [0, 1, 0, 0, 0]
    assert draw(Choice(0), np.array([0.1, 0.45, 0.45])).tolist() == [0, 1, 0]


def test_temperatures_towards_the_limits() -> None:
    np.testing.assert_allclose(draw(Choice(1e6)), 0.2, rtol=1e-5)
    np.testing.assert_allclose(draw(Choice(1e-320)), [0, 1, 0, 0, 0])
    np.testing.assert_allclose(draw(Choice(2)), np.sqrt(FIVE) / np.sqrt(FIVE).sum(), rtol=1e-14)


@pytest.mark.parametrize(("k", "kept"), [(0, range(5)), (1, [1]), (2, [1, 3]), (3, [1, 3, 4]), (9, range(5))])
def test_top_k_keeps_the_k_likeliest(k: int, kept: list[int]) -> None:
    expected = np.zeros(5)
    expected[list(kept)] = FIVE[list(kept)]
    np.testing.assert_allclose(draw(Choice(top_k=k)), expected / expected.sum(), rtol=1e-14)


@pytest.mark.parametrize(("p", "kept"), [(0.01, [1]), (0.4, [1]), (0.41, [1, 3]), (0.7, [1, 3]), (0.71, [1, 3, 4]), (0.95, [0, 1, 3, 4])])
def test_top_p_keeps_the_smallest_set_that_reaches_p(p: float, kept: list[int]) -> None:
    expected = np.zeros(5)
    expected[kept] = FIVE[kept]
    np.testing.assert_allclose(draw(Choice(top_p=p)), expected / expected.sum(), rtol=1e-14)


@settings(deadline=None, max_examples=60)
@given(weights=st.lists(st.integers(1, 50), min_size=2, max_size=7), p=st.floats(0.01, 1.0))
def test_no_smaller_set_reaches_p(weights: list[int], p: float) -> None:
    chances = np.array(weights) / sum(weights)
    kept = draw(Choice(top_p=p), chances) > 0
    reach = [len(some) for n in range(len(weights)) for some in itertools.combinations(chances, n) if sum(some) >= p - 1e-12]
    assert chances[kept].sum() >= p - 1e-9
    assert not reach or kept.sum() <= min(reach)


def test_rules_act_one_after_the_other() -> None:
    """Temperature first: at 0.5 odds are squared. Then top-k leaves 1, 3 and 4, and top-p looks at what they share."""
    squared = FIVE**2
    three = squared[[1, 3, 4]] / squared[[1, 3, 4]].sum()
    assert three[0] < 0.65 < three[:2].sum()
    expected = np.zeros(5)
    expected[[1, 3]] = three[:2] / three[:2].sum()
    np.testing.assert_allclose(draw(Choice(0.5, top_k=3, top_p=0.65)), expected, rtol=1e-13)


def test_unk_is_left_out_first() -> None:
    np.testing.assert_allclose(draw(Choice(), unk=1), np.where(np.arange(5) == 1, 0, FIVE) / 0.6, rtol=1e-14)
    assert draw(Choice(0), unk=1).argmax() == 3
    np.testing.assert_allclose(draw(Choice(avoid_unknown=False), unk=1), FIVE, rtol=1e-14)


WRONG = ({"temperature": -0.1}, {"temperature": float("nan")}, {"top_k": -1}, {"top_p": 0.0}, {"top_p": 1.1})


@pytest.mark.parametrize("options", WRONG)
def test_what_cannot_be_chosen_by_is_an_error(options: dict[str, float]) -> None:
    with pytest.raises(GradvizError, match=f"Choice.{next(iter(options))} is "):
        Choice(**options)


def test_outputs_that_are_no_numbers_are_an_error() -> None:
    with pytest.raises(GradvizError, match="outputs are not finite"):
        Choice().probabilities(np.array([np.nan, 0.0]))
    model = toy()
    model.network.parameters["readout.bias"][...] = np.inf
    with pytest.raises(GradvizError, match="outputs are not finite"):
        sample(model)


# ------------------------------------------------------------------ writing


def test_greedy_writing_is_the_likeliest_sentence() -> None:
    said = sample(toy(), choice=Choice(0))
    assert said.ids.tolist() == [2, 3, 1]
    assert said.text == "cats sleep"
    assert said.ended
    np.testing.assert_allclose(said.log_probabilities, probability(toy(), "cats sleep").log_factors, rtol=1e-14)


@pytest.mark.parametrize("prompt", ["", "abba", "abcabc" * 60])
@pytest.mark.parametrize("layers", [1, 2])
def test_step_by_step_is_the_whole_pass(layers: int, prompt: str) -> None:
    """States carried from step to step, after a prompt or from nothing: the factors of the whole text are the same."""
    model = drawn("abc", ends="none", model=Model(units=6, layers=layers, embedding=3))
    said = sample(model, prompt, length=50, choice=Choice(1.3, top_k=2), seed=5)
    whole = probability(model, prompt + said.text)
    assert len(said.ids) == 50
    np.testing.assert_allclose(said.log_probabilities, whole.log_factors[len(prompt) :], rtol=1e-10, atol=1e-12)


def test_what_is_written_after_a_prompt_goes_on_from_the_states_behind_it() -> None:
    model = drawn("abc", ends="none")
    first = sample(model, "ab", length=10, seed=np.random.default_rng(3))
    rng = np.random.default_rng(3)
    begun = sample(model, "ab", length=4, seed=rng)
    rest = sample(model, "ab" + begun.text, length=6, seed=rng)
    assert begun.text + rest.text == first.text


def test_the_same_seed_writes_the_same_and_another_one_something_else() -> None:
    model = drawn("abc", ends="none", scale=0.3)
    texts = [sample(model, length=30, seed=seed).text for seed in (1, 1, 2)]
    assert texts[0] == texts[1] != texts[2]
    assert (sample(model, seed=7).seed, sample(model, seed=np.random.default_rng(7)).seed) == (7, None)


def test_it_stops_at_an_end_or_at_the_length() -> None:
    said = [sample(toy(), length=2, seed=seed) for seed in range(20)]
    assert {one.ended for one in said} == {True, False}
    for one in said:
        assert one.ended == (1 in one.ids.tolist())
        assert len(one.ids) == 2 or one.ended
        assert "<EOS>" not in one.text


def test_unk_is_written_only_if_it_is_asked_for() -> None:
    model, free = toy(), Choice(avoid_unknown=False)
    assert all(0 not in sample(model, seed=seed).ids for seed in range(100))
    written = [sample(model, seed=seed, choice=free) for seed in range(100)]
    assert any("<UNK>" in one.text for one in written if 0 in one.ids)


def test_unknown_tokens_of_a_prompt_are_named() -> None:
    said = sample(toy(), "cats bark", length=1)
    assert said.unknown == ["bark"]
    assert said.prompt == "cats bark"


@pytest.mark.parametrize(("prompt", "whole"), [("cats", "cats sleep"), ("cats ", "cats sleep"), ("", "cats sleep")])
def test_text_is_to_be_put_behind_the_prompt(prompt: str, whole: str) -> None:
    said = sample(toy(), prompt, choice=Choice(0))
    assert said.prompt + said.text == whole


def test_what_cannot_be_written_is_an_error() -> None:
    with pytest.raises(GradvizError, match="length is 0"):
        sample(toy(), length=0)
    with pytest.raises(GradvizError, match="the seed is -1"):
        sample(toy(), seed=-1)


def test_a_model_in_single_precision_writes(trained) -> None:
    model = LanguageModel.load(trained / "text-lstm")
    single = LanguageModel(model.network.astype("float32"), model.vocabulary, "single")
    assert sample(single, length=20).text == sample(model, length=20).text

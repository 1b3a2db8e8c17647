"""Which units tell a property: scores against counting all pairs, on states whose answer is known; and the properties themselves."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradviz.errors import GradvizError
from gradviz.language import respond
from gradviz.language.properties import PROPERTIES
from gradviz.language.ranks import auc, midranks, spearman
from gradviz.language.units import FEWEST, ranking, spelled, stretches
from tests.language_models import drawn, toy

# ------------------------------------------------------------------ scores

states = st.lists(st.integers(-3, 3), min_size=4, max_size=30)


def by_pairs(column: np.ndarray, holds: np.ndarray) -> float:
    wins = [1.0 if a > b else 0.5 if a == b else 0.0 for a in column[holds] for b in column[~holds]]
    return sum(wins) / len(wins)


@settings(deadline=None)
@given(column=states, data=st.data())
def test_auc_is_the_share_of_pairs(column: list[int], data: st.DataObject) -> None:
    holds = np.array(data.draw(st.lists(st.booleans(), min_size=len(column), max_size=len(column))))
    holds[:2] = [True, False]
    values = np.array(column, float)[:, None]
    found = auc(values, holds, stretches(holds))
    assert found.values[0] == pytest.approx(by_pairs(values[:, 0], holds), abs=1e-12)
    turned = auc(-values, holds, stretches(holds))
    assert turned.values[0] == pytest.approx(1 - found.values[0], abs=1e-12)
    np.testing.assert_allclose(turned.errors, found.errors, atol=1e-12)


@settings(deadline=None)
@given(column=states)
def test_midranks_count_what_is_below_and_half_of_what_is_equal(column: list[int]) -> None:
    values = np.array(column, float)
    expected = [(values < value).sum() + ((values == value).sum() + 1) / 2 for value in values]
    np.testing.assert_allclose(midranks(values), expected)


def test_errors_of_single_tokens_are_delong_s() -> None:
    rng = np.random.default_rng(0)
    column, holds = rng.normal(size=60), np.arange(60) % 2 == 0
    column[holds] += 0.7
    of_positive = np.array([np.mean((a > column[~holds]) + 0.5 * (a == column[~holds])) for a in column[holds]])
    of_negative = np.array([np.mean((column[holds] > b) + 0.5 * (column[holds] == b)) for b in column[~holds]])
    expected = np.sqrt(of_positive.var(ddof=1) / 30 + of_negative.var(ddof=1) / 30)
    assert auc(column[:, None], holds, np.arange(60)).errors[0] == pytest.approx(expected, rel=1e-12)


def test_long_stretches_are_few_observations() -> None:
    """States that belong to their stretch: the scores of many such texts scatter as the error says, and far more than tokens would."""
    rng, found = np.random.default_rng(1), []
    holds = np.repeat(np.arange(40) % 2 == 0, 10)
    for _ in range(200):
        column = np.repeat(rng.normal(size=40), 10)
        found.append([scores[0] for scores in (lambda s: (s.values, s.errors))(auc(column[:, None], holds, stretches(holds)))])
    scatter, said = np.std([value for value, _ in found]), np.mean([error for _, error in found])
    assert said == pytest.approx(scatter, rel=0.2)
    naive = auc(column[:, None], holds, np.arange(400)).errors[0]
    assert naive < said / 2


def test_spearman_is_pearson_of_ranks() -> None:
    rng = np.random.default_rng(2)
    numbers, noise = rng.integers(0, 9, 80).astype(float), rng.normal(size=80)
    values = np.stack([numbers**3, -numbers, noise, numbers + noise, np.zeros(80)], axis=1)
    found = spearman(values, numbers, np.arange(80))
    expected = [np.corrcoef(midranks(column), midranks(numbers))[0, 1] for column in values.T[:4]]
    np.testing.assert_allclose(found.values[:4], expected, atol=1e-12)
    np.testing.assert_allclose(found.values[:2], [1, -1])
    np.testing.assert_allclose(found.errors[:2], 0, atol=1e-12)
    assert np.isnan(found.values[4]), "a state that never changes tells nothing that could be measured"
    assert 0.05 < found.errors[2] < 0.2  # about 1/sqrt(80)


# ------------------------------------------------------------------ rankings


def periods(count: int) -> np.ndarray:
    return np.repeat(np.arange(2 * count) % 2 == 1, 7)


def test_the_unit_that_follows_a_property_comes_first() -> None:
    rng, holds = np.random.default_rng(3), periods(8)
    values = rng.normal(size=(len(holds), 5))
    values[:, 3] = -2.0 * holds + 0.1 * rng.normal(size=len(holds))
    values[:, 1] += 1.0 * holds
    found = ranking("planted", "cell", holds, values)
    assert found.units[:2].tolist() == [3, 1]
    assert found.scores[0] == 0
    assert found.strengths[0] == 1
    assert [row["state"] for row in found.table(2)] == ["lower", "higher"]
    assert (found.positives, found.stretches, found.measure, found.missing) == (56, 8, "AUC", "")


def test_a_number_is_told_by_the_order_of_a_state() -> None:
    numbers = np.tile(np.arange(9.0), 6)
    values = np.stack([np.cos(np.arange(54)), np.tanh(numbers / 9)], axis=1)
    found = ranking("planted", "hidden", numbers, values)
    assert found.units.tolist() == [1, 0]
    assert found.scores[0] == pytest.approx(1)
    assert (found.measure, found.stretches) == ("Spearman", 6)


def test_units_with_nan_come_last_and_have_no_score() -> None:
    holds = periods(6)
    values = np.stack([np.full(len(holds), np.nan), np.ones(len(holds)), holds * 1.0], axis=1)
    found = ranking("planted", "hidden", holds, values)
    assert found.units.tolist() == [2, 1, 0]
    np.testing.assert_array_equal(found.scores, [1, 0.5, np.nan])
    assert [row["state"] for row in found.table()] == ["higher", "no different", "no different"]


@pytest.mark.parametrize("count", [0, 1, FEWEST - 1])
def test_too_few_stretches_are_not_enough_data(count: int) -> None:
    holds = periods(count) if count else np.zeros(20, bool)
    found = ranking("planted", "hidden", holds, np.ones((len(holds), 2)))
    assert found.missing.startswith(f"not enough data: planted holds at {7 * count} of {len(holds)} tokens, in {count} stretch")
    assert len(found.units) == len(found.scores) == 0
    numbers = ranking("planted", "hidden", np.full(20, np.nan), np.ones((20, 2)))
    assert "counts nowhere, in 0 stretches" in numbers.missing
    assert found.table() == numbers.table() == []


TEXT = 'He said: "Go (now)!" Then 12 men went.\n\n"And [you]?" she asked. It was 9 o\'clock…\n' * 6


def test_respond_ranks_every_property_over_the_states_after_each_token() -> None:
    model = drawn(sorted(set(TEXT)), ends="none")
    found = respond(model, TEXT)
    assert list(found) == PROPERTIES.names()
    for name, one in found.items():
        assert (one.name, one.point, one.missing) == (name, "cell", "")
        assert sorted(one.units) == list(range(5))
        assert one.values.shape == (len(TEXT), 5)
        assert np.all(np.diff(one.strengths) <= 0)
    only = respond(model, TEXT, point="hidden", properties=["digits"])
    assert list(only) == ["digits"]
    assert only["digits"].point == "hidden"


def test_a_unit_wired_to_notice_capitals_is_found() -> None:
    model = drawn(sorted(set(TEXT)), ends="none", cell="rnn", scale=0.05)
    weights, capitals = model.network.parameters["layers.0.forward.weight_ih"], [letter.isupper() for letter in model.vocabulary.tokens]
    weights[:, capitals, 2] += 3.0
    best = respond(model, TEXT, properties=["capitals"])["capitals"]
    assert best.units[0] == 2
    assert best.strengths[0] > 0.9


def test_what_is_not_there_is_an_error() -> None:
    with pytest.raises(GradvizError, match="unknown point 'cells'"):
        respond(toy(), "cats sleep", point="cells")
    with pytest.raises(GradvizError, match="unknown property 'rhymes'"):
        respond(toy(), "cats sleep", properties=["rhymes"])


def test_tokens_of_a_property_are_those_of_the_states() -> None:
    assert spelled(toy(), "Cats bark. cats sleep") == ["Cats", "bark", ".", "", "cats", "sleep", ""]
    assert spelled(drawn("ab", ends="line"), "ab\nz") == ["a", "b", "", "z", ""]
    assert spelled(drawn("ab", ends="none"), "ab\nz") == ["a", "b", "\n", "z"]


# ------------------------------------------------------------------ properties

LETTERS = {  # text, and where it holds
    "inside_quotes": [('a "bc" d', "  xxx   "), ("“a” «b» „c“", "xx  xx  xx "), ('"a\n\nb" c', 'xxx  xxx'), ("it's o'clock", " " * 12)],
    "inside_brackets": [("a(b[c]d)e", " xxxxxx  "), ("a)b(c", "   xx"), ("([)]", "xxxx")],
    "capitals": [("aB Ä1", " x x ")],
    "digits": [("a1 22", " x xx")],
    "inside_word": [("ab 1. é", "xx    x")],
    "after_full_stop": [('Go! "Now." ok', "  xxx   xxx  "), ("3.14", " x  "), ("a.\n b", " xxx ")],
}  # fmt: skip


@pytest.mark.parametrize(("name", "text", "marks"), [(name, *case) for name, cases in LETTERS.items() for case in cases])
def test_a_property_holds_where_it_should(name: str, text: str, marks: str) -> None:
    found = PROPERTIES[name]().of(list(text))
    assert found.dtype == bool
    assert "".join(" x"[int(held)] for held in found) == marks


def test_numbers_count() -> None:
    assert PROPERTIES["position_in_line"]().of(list("ab\n\nc")).tolist() == [1, 2, 0, 0, 1]
    assert PROPERTIES["position_in_line"]().of(["It", "is", ".", "", "So"]).tolist() == [1, 2, 3, 0, 1]
    assert np.isnan(PROPERTIES["position_in_line"]().of(list("abc"))).all()
    assert PROPERTIES["position_in_word"]().of(list("ab 1c")).tolist() == [1, 2, 0, 0, 1]
    assert np.isnan(PROPERTIES["position_in_word"]().of(["It", "is"])).all()


def test_words_have_properties_too() -> None:
    words = ["He", "said", '"', "Go", "!", '"', "", "12", "men"]
    assert PROPERTIES["inside_quotes"]().of(words).tolist() == [False, False, True, True, True, False, False, False, False]
    assert PROPERTIES["capitals"]().of(words).tolist() == [True, False, False, True, False, False, False, False, False]
    assert PROPERTIES["digits"]().of(words).tolist() == [False] * 7 + [True, False]
    assert PROPERTIES["after_full_stop"]().of(words).tolist() == [False, False, False, False, True, True, True, False, False]


@settings(deadline=None, max_examples=40)
@given(tokens=st.lists(st.text(max_size=3), min_size=1, max_size=30), cut=st.integers(1, 30))
@pytest.mark.parametrize("name", PROPERTIES.names())
def test_a_property_looks_only_at_what_has_been_read(name: str, tokens: list[str], cut: int) -> None:
    made = PROPERTIES[name]()
    whole, part = made.of(tokens), made.of(tokens[:cut])
    assert len(whole) == len(tokens)
    if not (
        np.isnan(whole.astype(float)).all() or np.isnan(part.astype(float)).all()
    ):  # whether a number means anything depends on the text
        np.testing.assert_array_equal(whole[:cut], part)


def test_every_property_says_what_it_is() -> None:
    assert all(PROPERTIES[name].what and PROPERTIES[name].__doc__ for name in PROPERTIES)

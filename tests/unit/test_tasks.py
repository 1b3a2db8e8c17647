"""What each task asks, told from its data alone."""

import hashlib
import itertools
import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradviz.errors import GradvizError
from gradviz.losses import softmax, squared
from gradviz.tasks.adding import Adding
from gradviz.tasks.copying import Copying
from gradviz.tasks.text import Text

RNG = np.random.default_rng


# ------------------------------------------------------------------ adding


@given(length=st.integers(10, 400), seed=st.integers(0, 99))
@settings(max_examples=30, deadline=None)
def test_adding_marks_two_values_and_asks_for_their_sum(length, seed):
    data = Adding(length=length).open()
    batch = data.batch(50, RNG(seed))
    values, marks = batch.inputs[..., 0], batch.inputs[..., 1]
    assert ((values >= 0) & (values < 1)).all()
    assert set(np.unique(marks)) == {0, 1}
    assert (marks.sum(axis=0) == 2).all()
    np.testing.assert_allclose(batch.targets[:, 0], (values * marks).sum(axis=0))
    first, second = marks.argmax(axis=0), length - 1 - marks[::-1].argmax(axis=0)
    assert (first < length // 10).all()
    assert ((second >= length // 10) & (second < length // 2)).all()
    assert (length - 1 - second >= data.lag).all()


def test_adding_uses_its_whole_ranges():
    data = Adding(length=20).open()
    marks = data.batch(2000, RNG(0)).inputs[..., 1]
    assert set(np.flatnonzero(marks.any(axis=1))) == set(range(10))
    assert data.lag == 10 == 20 - 1 - np.flatnonzero(marks.any(axis=1)).max()
    assert Adding().open().lag == 75


def test_addings_baseline_is_what_answering_one_scores():
    data = Adding(length=10).open()
    targets = data.batch(200_000, RNG(0)).targets[None, :, :]
    losses, _ = squared(np.ones_like(targets), targets, np.ones(targets.shape[:2]))
    assert data.baselines["constant"] == 1 / 6
    assert losses.mean() == pytest.approx(1 / 6, abs=4 * np.sqrt(7 / 180 / 200_000))  # variance of (x1+x2-1)²: 1/15 - 1/36
    better = min(((targets - constant) ** 2).mean() for constant in (0.9, 0.95, 1.05, 1.1))
    assert losses.mean() < better


def test_addings_words_show_values_and_marks():
    assert Adding().open().words(np.array([[0.25, 0.0], [0.5, 1.0]])) == ["0.25", "0.50▲"]


# ------------------------------------------------------------------ copying


@given(length=st.integers(21, 300), seed=st.integers(0, 99))
@settings(max_examples=30, deadline=None)
def test_copying_repeats_ten_symbols_after_the_delimiter(length, seed):
    data = Copying(length=length).open()
    batch = data.batch(20, RNG(seed))
    assert ((batch.inputs[:10] >= 1) & (batch.inputs[:10] <= 8)).all()
    np.testing.assert_array_equal(batch.targets[-10:], batch.inputs[:10])
    np.testing.assert_array_equal(batch.targets[:-10], 0)
    assert (batch.inputs[-11] == 9).all()
    assert (batch.inputs == 9).sum() == 20
    assert (batch.inputs[10:-11] == 0).all()
    assert (batch.inputs[-10:] == 0).all()
    assert data.lag == length - 10


@pytest.mark.parametrize(("blanks", "published"), [(100, 0.173287), (200, 0.094520), (300, 0.064983), (500, 0.039989)])
def test_copyings_baseline(blanks, published):
    """10 ln 8/(T + 20): what a model scores that is sure of blanks and guesses symbols."""
    data = Copying(length=blanks + 20).open()
    assert data.baselines["without memory"] == pytest.approx(published, abs=1e-6)
    logits = np.full((blanks + 20, 4, 9), -1e9)
    logits[:-10, :, 0] = 0
    logits[-10:, :, 1:] = 0
    losses, _ = softmax(logits, data.batch(4, RNG(0)).targets, np.ones((blanks + 20, 4)))
    assert losses.mean() == pytest.approx(data.baselines["without memory"])


def test_copying_uses_all_symbols_and_words():
    data = Copying(length=21).open()
    assert set(data.batch(200, RNG(0)).inputs.ravel()) == set(range(10))
    assert data.words(np.array([1, 8, 0, 9])) == ["1", "8", "·", "|"]


# ------------------------------------------------------------------ text


@pytest.fixture
def poem(tmp_path):
    text = "".join(RNG(0).choice(list("abc \né"), 2000))
    path = tmp_path / "poem.txt"
    path.write_bytes(text.encode())
    return path, text


def decoded(data, ids):
    return "".join(data.facts["vocabulary"][token] for token in ids)


def test_targets_are_the_next_characters_of_the_training_part(poem):
    path, text = poem
    data = Text(length=30, file=str(path), held_out=0.1).open()
    batch = data.batch(200, RNG(0))
    np.testing.assert_array_equal(batch.inputs[1:], batch.targets[:-1])
    for row in range(200):
        window = decoded(data, [*batch.inputs[:, row], batch.targets[-1, row]])
        assert window in text[:1800]


def test_random_windows_begin_everywhere(tmp_path):
    path = tmp_path / "short.txt"
    path.write_text("abcdefghij" + "aaaaaa")
    data = Text(length=4, file=str(path), held_out=0.36).open()
    assert {decoded(data, row) for row in data.batch(300, RNG(0)).inputs.T} == {"abcdefghij"[i : i + 4] for i in range(6)}


def test_held_out_windows_span_the_end_of_the_text(poem):
    path, text = poem
    data = Text(length=30, file=str(path), held_out=0.1).open()
    batch = data.held_out(4)
    windows = [decoded(data, [*batch.inputs[:, row], batch.targets[-1, row]]) for row in range(4)]
    assert windows[0] == text[1800:1831]
    assert windows[-1] == text[-31:]
    assert all(window in text[1800:] for window in windows)


def test_contiguous_rows_continue_where_they_stopped(poem):
    path, text = poem
    data = Text(length=30, file=str(path), held_out=0.1, order="contiguous").open()
    batches = [data.batch(5, RNG(seed)) for seed in range(11)]  # a row has 360 characters: eleven windows with their targets
    for row in range(5):
        read = "".join(decoded(data, batch.inputs[:, row]) for batch in batches)
        assert read == text[360 * row : 360 * row + 330]
        assert decoded(data, batches[-1].targets[-1:, row]) == text[360 * row + 330]
    np.testing.assert_array_equal(data.batch(5, RNG(0)).inputs, batches[0].inputs)  # the 12th would lack its last target
    other_size = data.batch(4, RNG(0))
    assert decoded(data, other_size.inputs[:, 1]) == text[450:480]


def counted_by_hand(train, test):
    """The two baselines in plain Python: 0.1 added to every count."""
    letters = sorted(set(train + test))
    single, pairs = Counter(train), Counter(itertools.pairwise(train))
    before = Counter(train[:-1])
    frequencies = [-math.log((single[letter] + 0.1) / (len(train) + 0.1 * len(letters))) for letter in test]
    transitions = [-math.log((pairs[a, b] + 0.1) / (before[a] + 0.1 * len(letters))) for a, b in itertools.pairwise(test)]
    return sum(frequencies) / len(frequencies), sum(transitions) / len(transitions)


def test_baselines_count_letters_of_the_training_part(poem):
    path, text = poem
    data = Text(length=10, file=str(path), held_out=0.25).open()
    frequencies, pairs = counted_by_hand(text[:1500], text[1500:])
    assert data.baselines["letter frequencies"] == pytest.approx(frequencies, rel=1e-12)
    assert data.baselines["letter pairs"] == pytest.approx(pairs, rel=1e-12)


def test_pairs_know_what_frequencies_do_not(tmp_path):
    path = tmp_path / "alternating.txt"
    path.write_text("ab" * 5000)
    baselines = Text(length=10, file=str(path)).open().baselines
    assert baselines["letter frequencies"] == pytest.approx(math.log(2), abs=1e-4)
    assert baselines["letter pairs"] < 1e-4


def test_the_built_in_text():
    """On Python 3.11 the lines lie at 4.58 and 3.23 bits; later versions' texts differ a little."""
    data = Text().open()
    bits = [loss / math.log(2) for loss in data.baselines.values()]
    assert bits == pytest.approx([4.58, 3.23], abs=0.2)
    assert 400_000 < data.facts["characters"] < 1_000_000
    assert len(data.facts["vocabulary"]) == data.signature.inputs == data.signature.outputs


def test_facts_of_a_text(poem):
    path, text = poem
    facts = Text(length=30, file=str(path)).open().facts
    assert facts["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert facts["characters"] == len(text)
    assert facts["vocabulary"] == "\n abcé"


def test_words_make_blanks_visible(poem):
    data = Text(length=30, file=str(poem[0])).open()
    assert data.words(np.arange(6)) == ["↵", "␣", "a", "b", "c", "é"]


def test_texts_that_are_too_short(tmp_path):
    path = tmp_path / "short.txt"
    path.write_text("abcdefghij" * 10)
    with pytest.raises(
        GradvizError, match=r"the held-out part of the text .* has 5 characters; a sequence of 5 and its last target need 6"
    ):
        Text(length=5, file=str(path)).open()
    Text(length=4, file=str(path)).open()
    with pytest.raises(GradvizError, match=r"the training part .* has 40 characters"):
        Text(length=50, file=str(path), held_out=0.6).open()
    contiguous = Text(length=4, file=str(path), order="contiguous").open()
    assert contiguous.batch(19, RNG(0)).size == 19
    with pytest.raises(GradvizError, match="each of 20 rows gets 4 characters"):
        contiguous.batch(20, RNG(0))


def test_limits_of_options():
    for make in (
        lambda: Text(length=0),
        lambda: Text(held_out=-0.1),
        lambda: Text(held_out=1.0),
        lambda: Text(order="shuffled"),
        lambda: Adding(length=9),
        lambda: Copying(length=20),
    ):
        with pytest.raises(GradvizError):
            make()

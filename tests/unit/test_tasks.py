"""What each task asks, told from its data alone."""

import hashlib
import itertools
import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradviz.batch import NOTHING
from gradviz.errors import GradvizError
from gradviz.losses import softmax, squared
from gradviz.tasks.adding import Adding
from gradviz.tasks.copying import Copying
from gradviz.tasks.text import Text
from gradviz.text.corpus import Corpus

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


def opened(path, **options):
    return Text(**{"length": 30, "file": str(path), "held_out": 0.1, "test": 0.0, **options}).open()


def decoded(data, ids):
    return data.vocabulary.decode(ids)


def test_the_first_input_is_no_token_and_each_other_one_the_target_before(poem):
    path, text = poem
    data = opened(path)
    for batch in (data.batch(200, RNG(0)), data.held_out(50)):
        assert (batch.inputs[0] == NOTHING).all()
        np.testing.assert_array_equal(batch.inputs[1:], batch.targets[:-1])
    assert all(decoded(data, row) in text[:1800] for row in data.batch(200, RNG(0)).targets.T)


def test_random_windows_begin_everywhere(tmp_path):
    path = tmp_path / "short.txt"
    path.write_text("abcdefghij" + "aaaaaa")
    data = opened(path, length=4, held_out=0.36)
    assert {decoded(data, row) for row in data.batch(400, RNG(0)).targets.T} == {"abcdefghij"[i : i + 4] for i in range(7)}


def test_held_out_and_test_windows_span_their_parts(poem):
    path, text = poem
    data = opened(path, test=0.2)
    for batch, part in ((data.held_out(4), text[1800:]), (data.test(4), text[1400:1800])):
        windows = [decoded(data, row) for row in batch.targets.T]
        assert part[:30] in windows
        assert part[-30:] in windows
        assert all(window in part for window in windows)
    assert opened(path).test(4) is None


@settings(deadline=None, max_examples=25)
@given(st.integers(1, 40), st.floats(0.05, 0.4), st.floats(0.05, 0.4), st.sampled_from(["random", "contiguous"]))
def test_no_token_is_in_two_parts(length, held_out, test, order):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gradviz.tasks.text.built_in", lambda: Numbered("numbered"))
        data = Text(length=length, held_out=held_out, test=test, order=order).open()
    start = 0
    for name, count in data.facts["splits"].items():  # each token says where in the text it stands
        data.readers[name].ids = np.arange(start, start + count)
        start += count
    assert start == 2000
    seen = [set(batch.targets.ravel()) | set(batch.inputs.ravel()) - {NOTHING} for batch in (data.batch(8, RNG(0)), data.test(8))]
    seen.append(set(data.readers["validation"].spread(8).targets.ravel()))
    for one, other in itertools.combinations(seen, 2):
        assert not one & other


class Numbered(Corpus):
    """2,000 different characters."""

    def pieces(self):
        yield "".join(map(chr, range(0x4E00, 0x4E00 + 2000)))


def test_contiguous_rows_continue_where_they_stopped(poem):
    path, text = poem
    data = opened(path, order="contiguous")
    batches = [data.batch(5, RNG(seed)) for seed in range(12)]  # a row has 360 characters
    for row in range(5):
        assert "".join(decoded(data, batch.targets[:, row]) for batch in batches) == text[360 * row : 360 * row + 360]
        assert "".join(decoded(data, batch.inputs[:, row]) for batch in batches) == text[360 * row : 360 * row + 359]
    assert (batches[0].inputs[0] == NOTHING).all()
    np.testing.assert_array_equal(data.batch(5, RNG(0)).inputs, batches[0].inputs)
    other_size = data.batch(4, RNG(0))
    assert decoded(data, other_size.targets[:, 1]) == text[450:480]
    where = data.position()
    next_one = data.batch(4, RNG(0)).inputs
    again = opened(path, order="contiguous")
    again.restore(where)
    np.testing.assert_array_equal(again.batch(4, RNG(0)).inputs, next_one)


def test_sentences_come_whole_with_their_ends(tmp_path):
    path = tmp_path / "names.txt"
    path.write_text("anna\nbob\nchristopher\n" * 30)
    data = opened(path, length=6, ends="line", order="sentences")
    batch = data.batch(100, RNG(0))
    read = {decoded(data, batch.targets[:length, row]) for row, length in enumerate(batch.lengths)}
    assert read == {"anna<EOS>", "bob<EOS>", "christ"}
    for row, length in enumerate(batch.lengths):
        assert batch.inputs[0, row] == NOTHING
        np.testing.assert_array_equal(batch.inputs[1:length, row], batch.targets[: length - 1, row])
        assert (batch.inputs[length:, row] == NOTHING).all()
    with pytest.raises(GradvizError, match="order sentences needs sentences that end; use ends line or ends sentence"):
        Text(order="sentences")
    assert Text(order="sentences", level="word").rules.ends == "sentence"


def counted_by_hand(train, test):
    """The two baselines in plain Python: 0.1 added to every count."""
    tokens = len(set(train)) + 1  # and UNK
    single, pairs = Counter(train), Counter(itertools.pairwise(train))
    before = Counter(train[:-1])
    frequencies = [-math.log((single[letter] + 0.1) / (len(train) + 0.1 * tokens)) for letter in test]
    transitions = [-math.log((pairs[a, b] + 0.1) / (before[a] + 0.1 * tokens)) for a, b in itertools.pairwise(test)]
    return sum(frequencies) / len(frequencies), sum(transitions) / len(transitions)


def test_baselines_count_letters_of_the_training_part(poem):
    path, text = poem
    data = opened(path, length=10, held_out=0.25)
    frequencies, pairs = counted_by_hand(text[:1500], text[1500:])
    assert data.baselines["letter frequencies"] == pytest.approx(frequencies, rel=1e-12)
    assert data.baselines["letter pairs"] == pytest.approx(pairs, rel=1e-12)


def test_pairs_know_what_frequencies_do_not(tmp_path):
    path = tmp_path / "alternating.txt"
    path.write_text("ab" * 5000)
    baselines = opened(path).baselines
    assert baselines["letter frequencies"] == pytest.approx(math.log(2), abs=1e-4)
    assert baselines["letter pairs"] < 1e-4


def test_the_built_in_text():
    """On Python 3.11 the lines lie at 4.60, 3.25 and 2.38 bits; later versions' texts differ a little."""
    data = Text().open()
    bits = [loss / math.log(2) for loss in (*data.baselines.values(), data.facts["trigrams"])]
    assert bits == pytest.approx([4.58, 3.23, 2.38], abs=0.2)
    assert 400_000 < data.facts["characters"] < 1_000_000
    assert len(data.facts["vocabulary"]) == data.signature.inputs == data.signature.outputs
    words = Text(level="word", vocabulary=1000).open()
    assert words.signature.inputs == 1002
    assert list(words.baselines) == ["word frequencies", "word pairs"]
    assert 0.01 < words.facts["unknown"] < 0.2


def test_facts_of_a_text(poem):
    path, text = poem
    data = opened(path, test=0.2)
    facts = data.facts
    assert facts["sha256"] == data.digest == hashlib.sha256(path.read_bytes()).hexdigest()
    assert facts["characters"] == facts["tokens"] == len(text)
    assert facts["splits"] == {"training": 1400, "test": 400, "validation": 200}
    assert facts["vocabulary"] == ["<UNK>", "\n", " ", "a", "b", "c", "é"]


def test_words_make_blanks_visible(poem):
    assert opened(poem[0]).words(np.arange(-1, 7)) == ["∅", "<UNK>", "↵", "␣", "a", "b", "c", "é"]


def test_texts_that_are_too_short(tmp_path):
    path = tmp_path / "short.txt"
    path.write_text("abcdefghij" * 10)
    with pytest.raises(GradvizError, match=r"the held-out part of the text .* has 5 tokens; a sequence of 6 needs as many"):
        opened(path, length=6, held_out=0.05)
    opened(path, length=5, held_out=0.05)
    with pytest.raises(GradvizError, match=r"the training part .* has 40 tokens"):
        opened(path, length=50, held_out=0.6)
    with pytest.raises(GradvizError, match=r"the test part .* has 5 tokens"):
        opened(path, length=10, held_out=0.1, test=0.05)
    with pytest.raises(GradvizError, match="leave less than a tenth of the text"):
        Text(held_out=0.5, test=0.5)
    contiguous = opened(path, length=4, held_out=0.05, order="contiguous")
    assert contiguous.batch(23, RNG(0)).size == 23
    with pytest.raises(GradvizError, match="each of 24 rows gets 3 tokens"):
        contiguous.batch(24, RNG(0))


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

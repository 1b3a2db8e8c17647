"""Token ids of large texts: mapped from files that are whole or made anew; counting as a model."""

import math
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradviz.errors import GradvizError
from gradviz.text import cache, encoding, progress
from gradviz.text.baselines import chances, frequencies, pairs, trigrams
from gradviz.text.corpus import at
from gradviz.text.encoding import Encoded, Limits, encode
from gradviz.text.parts import divide
from gradviz.text.vocabulary import Rules

WORDS = "the cat sat. on the mat\n\nand a dog ran. " * 40


@pytest.fixture
def text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GRADVIZ_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("gradviz.text.corpus.PIECE", 50)
    (tmp_path / "text.txt").write_text(WORDS)
    return tmp_path / "text.txt"


def read(path: Path, rules: Rules, size: int = 0) -> Encoded:
    parts = divide(at(path), 0.1, 0.2, progress.watch(), words=rules != Rules())
    return encode(parts, rules, Limits(size, 1), progress.watch())


@pytest.mark.parametrize("rules", [Rules("character"), Rules("word", "sentence")], ids=lambda rules: rules.level)
def test_a_large_text_is_mapped_and_says_the_same(text: Path, rules: Rules, monkeypatch: pytest.MonkeyPatch) -> None:
    small = read(text, rules)
    assert not cache.folder().exists()
    monkeypatch.setattr(encoding, "LARGE", 100)
    large = read(text, rules)
    assert large.vocabulary == small.vocabulary
    for name, ids in small.ids.items():
        assert isinstance(large.ids[name], np.memmap)
        assert not large.ids[name].flags.writeable
        assert large.ids[name].dtype == np.uint8
        np.testing.assert_array_equal(large.ids[name], ids)
    assert sorted(path.suffix for path in cache.folder().iterdir()) == [".ids", ".json"]


def test_a_text_is_encoded_once_and_a_file_that_is_not_whole_anew(text: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoding, "LARGE", 100)
    done: list[str] = []
    with progress.told(lambda doing, at, total: done.append(doing)):
        first = read(text, Rules("word"))
        assert {"reading", "counting", "encoding"} == set(done)
        done.clear()
        read(text, Rules("word"))
        assert set(done) == {"reading"}
        (ids,) = cache.folder().glob("*.ids")
        whole, meta = ids.read_bytes(), ids.with_suffix(".json").read_bytes()
        for damaged in (whole[:-1], whole[:9] + bytes([whole[9] ^ 1]) + whole[10:], b""):
            done.clear()
            ids.write_bytes(damaged)
            np.testing.assert_array_equal(read(text, Rules("word")).ids["training"], first.ids["training"])
            assert "encoding" in done
        for broken in (b"{", b"[]", b'{"kind": "object", "counts": {"training": 1}}'):
            ids.with_suffix(".json").write_bytes(broken)
            read(text, Rules("word"))
            assert ids.with_suffix(".json").read_bytes() == meta
    read(text, Rules("word"), 3)
    assert len(list(cache.folder().glob("*.ids"))) == 2


def test_a_cache_that_cannot_be_written_says_so(text: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoding, "LARGE", 100)
    monkeypatch.setenv("GRADVIZ_CACHE", str(text))
    with pytest.raises(GradvizError, match=r"cannot write .*text\.txt"):
        read(text, Rules("word"))


def test_where_the_cache_is(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GRADVIZ_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    assert cache.folder() == Path.home() / ".cache" / "gradviz"
    monkeypatch.setenv("XDG_CACHE_HOME", "/elsewhere")
    assert cache.folder() == Path("/elsewhere/gradviz")


def test_nothing_to_predict_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("aaaa " * 9)
    with pytest.raises(GradvizError, match=r"one distinct token, 'aaaa': there is nothing to predict"):
        read(tmp_path / "a.txt", Rules("word"))
    (tmp_path / "b.txt").write_text("   \n ")
    with pytest.raises(GradvizError, match="has no token"):
        read(tmp_path / "b.txt", Rules("word"))


def test_only_the_training_part_is_known(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("ab" * 40 + "xyz" * 4)
    made = read(tmp_path / "a.txt", Rules("character"))
    assert made.vocabulary.tokens == ("<UNK>", "a", "b")
    assert (made.ids["validation"] == 0).sum() == 12


# ------------------------------------------------------------------ counting


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 5), st.data())
def test_chances_of_all_tokens_sum_to_one(tokens: int, data: st.DataObject) -> None:
    ids = st.lists(st.integers(0, tokens - 1), min_size=1, max_size=25)
    train, context = np.array(data.draw(ids)), np.array(data.draw(ids))
    total = sum(chances(train, np.append(context, token), tokens)[-1] for token in range(tokens))
    assert total == pytest.approx(1, abs=1e-12)


def test_chances_are_those_of_the_definition() -> None:
    rng = np.random.default_rng(0)
    train, test = rng.integers(0, 4, 200), rng.integers(0, 4, 50)

    def chance(context: tuple[int, ...], token: int) -> float:
        followers = [train[k + len(context)] for k in range(len(train) - len(context)) if tuple(train[k : k + len(context)]) == context]
        below = chance(context[1:], token) if context else 1 / 4
        kinds = len(set(followers))
        return (Counter(followers)[token] + kinds * below) / (len(followers) + kinds) if followers else below

    expected = [chance(tuple(test[max(0, k - 2) : k]), test[k]) for k in range(len(test))]
    np.testing.assert_allclose(chances(train, test, 4), expected, rtol=1e-12)


def test_trigrams_know_what_pairs_do_not() -> None:
    cycle = np.tile([0, 0, 1, 1], 500)
    assert frequencies(cycle, cycle, 2) == pytest.approx(math.log(2), abs=1e-3)
    assert pairs(cycle, cycle, 2) == pytest.approx(math.log(2), abs=1e-2)
    assert trigrams(cycle, cycle, 2) < 0.01


def test_a_large_vocabulary_takes_no_table_of_all_pairs() -> None:
    ids = np.random.default_rng(0).integers(0, 500_000, 3000).astype(np.uint32)
    assert trigrams(ids, ids, 500_000) < pairs(ids, ids, 500_000) < frequencies(ids, ids, 500_000) < math.log(500_000)

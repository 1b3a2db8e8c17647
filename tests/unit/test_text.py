"""Corpora, sentences, vocabularies."""

import hashlib
import itertools
from collections import Counter
from pydoc_data.topics import topics

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gradviz.batch import NOTHING
from gradviz.errors import GradvizError
from gradviz.text.corpus import at, built_in
from gradviz.text.parts import NAMES, divide
from gradviz.text.sentences import MARK, marked, whole
from gradviz.text.tokenizer import Characters
from gradviz.text.vocabulary import EOS, UNK, Rules, Vocabulary

TEXTS = st.text(st.sampled_from("ab'-. !?\n\t…”)é"), max_size=60)
RULES = [Rules(level, ends) for level in ("character", "word") for ends in ("none", "line", "sentence")]


def quiet(doing: str, done: int, total: int) -> None:
    """Nobody listens."""


def vocabulary(text: str, rules: Rules, **limits: int) -> Vocabulary:
    return Vocabulary.of(Counter(rules.tokens(text)), rules, **limits)


# ------------------------------------------------------------------ corpora


def test_the_built_in_text_is_pythons_help_in_order() -> None:
    text, names = "".join(built_in().pieces()), sorted(topics)
    assert text.startswith(topics[names[0]])
    assert text.endswith(topics[names[-1]])
    assert len(text) == sum(len(topic) for topic in topics.values())


def test_a_file_is_read_as_it_is(tmp_path) -> None:
    path = tmp_path / "text.txt"
    path.write_bytes("zwölf\r\n😀\n".encode())
    assert "".join(at(path).pieces()) == "zwölf\r\n😀\n"
    path.write_bytes("\ufeffzwölf\ufeff".encode())
    assert "".join(at(str(path)).pieces()) == "zwölf\ufeff"


def test_a_folder_is_read_in_order_of_its_paths_and_no_further(tmp_path) -> None:
    texts = {"b.txt": "second", "a/deep.txt": "first\n", "c.txt": "third", ".hidden": "no", "a/.git/config": "no"}
    for name, text in texts.items():
        path = tmp_path / "texts" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (tmp_path / "outside.txt").write_text("no")
    (tmp_path / "texts" / "link.txt").symlink_to(tmp_path / "outside.txt")
    (tmp_path / "texts" / "folder").symlink_to(tmp_path)
    corpus = at(tmp_path / "texts")
    assert "".join(corpus.pieces()) == "first\nsecond\nthird"
    with pytest.raises(GradvizError, match="holds no files"):
        at(tmp_path / "texts" / "a" / ".git" / "..").files and at((tmp_path / "empty").mkdir() or tmp_path / "empty")


def test_files_that_are_no_texts(tmp_path) -> None:
    def read(path) -> None:
        divide(at(path), 0.0, 0.0, quiet)

    with pytest.raises(GradvizError, match=r"cannot read the text .*nowhere.txt: No such file"):
        read(tmp_path / "nowhere.txt")
    (tmp_path / "empty.txt").write_bytes(b"")
    with pytest.raises(GradvizError, match=r"empty.txt is empty"):
        read(tmp_path / "empty.txt")
    for text, said in ((b"f\xfcr", "byte 0xfc at offset 1"), (b"gut \xf0\x9f\x98", "byte 0xf0 at offset 4")):
        (tmp_path / "latin.txt").write_bytes(text)
        with pytest.raises(GradvizError, match=rf"latin.txt is not UTF-8: {said}"):
            read(tmp_path / "latin.txt")


def test_a_wrong_byte_far_inside_is_found_where_it_is(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("gradviz.text.corpus.PIECE", 3)
    (tmp_path / "a.txt").write_bytes("éé😀éa".encode() + b"\xff" + b"tail")
    with pytest.raises(GradvizError, match="byte 0xff at offset 11"):
        list(at(tmp_path / "a.txt").pieces())
    (tmp_path / "b.txt").write_bytes("ab😀é".encode() * 5)
    assert "".join(at(tmp_path / "b.txt").pieces()) == "ab😀é" * 5


@pytest.mark.parametrize("shares", [(0.0, 0.0), (0.1, 0.25), (0.3, 0.0)])
def test_parts_share_nothing_and_leave_nothing_out(tmp_path, monkeypatch, shares) -> None:
    monkeypatch.setattr("gradviz.text.corpus.PIECE", 7)
    text = "".join(np.random.default_rng(0).choice(list("abc \né"), 400))
    (tmp_path / "a.txt").write_bytes(text.encode())
    parts = divide(at(tmp_path / "a.txt"), *shares, quiet)
    read = {name: "".join(parts.pieces(name)) for name in NAMES}
    assert "".join(read.values()) == text
    assert [len(read[name]) for name in ("test", "validation")] == [round(share * len(text)) for share in shares]
    assert parts.sha256 == hashlib.sha256(text.encode()).hexdigest()


def test_no_word_lies_across_the_end_of_a_part(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("gradviz.text.corpus.PIECE", 7)
    text = "one two  three\nfour five six seven eight nine ten " * 5
    (tmp_path / "a.txt").write_text(text)
    for share in (0.1, 0.15, 0.2, 0.33):
        parts = divide(at(tmp_path / "a.txt"), share, share, quiet, words=True)
        read = ["".join(parts.pieces(name)) for name in NAMES]
        assert "".join(read) == text
        assert [word for part in read for word in part.split()] == text.split()


# ------------------------------------------------------------------ sentences


@pytest.mark.parametrize(
    ("ends", "text", "sentences"),
    [
        ("none", "One. Two.", ["One. Two."]),
        ("line", "anna\nbob\n\n  carl \n", ["anna", "bob", "carl", ""]),
        (
            "sentence",
            "He said “Go!” Then… (Why?)\nPi is 3.14 or e.g. this",
            ["He said “Go!”", "Then…", "(Why?)", "Pi is 3.14 or e.g.", "this"],
        ),
        ("sentence", "A heading\n\nA text\ngoes on.", ["A heading", "A text\ngoes on."]),
    ],
)
def test_where_sentences_end(ends: str, text: str, sentences: list[str]) -> None:
    assert marked(text, ends).split(MARK) == sentences


@pytest.mark.parametrize("rules", RULES, ids=lambda rules: f"{rules.level}-{rules.ends}")
@settings(deadline=None)
@given(text=TEXTS, data=st.data())
@example(text="a. b\n\n\nc. ", data=None)
def test_ids_do_not_depend_on_how_a_text_is_cut(rules: Rules, text: str, data) -> None:
    cuts = [0, 2, 5] if data is None else sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=8)))
    pieces = [text[a:b] for a, b in itertools.pairwise([0, *cuts, len(text)]) if text[a:b]]
    known = vocabulary("ab'-.é", rules)
    assert "".join(whole(pieces)) == text
    cut = [known.encode_piece(piece) for piece in whole(pieces)]
    np.testing.assert_array_equal(np.concatenate([np.zeros(0, int), *cut]), known.encode_piece(text))


# ------------------------------------------------------------------ vocabularies


@settings(deadline=None)
@given(text=st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_decoding_undoes_encoding(text: str) -> None:
    characters = vocabulary(text, Rules("character"))
    assert characters.decode(characters.encode(text)) == text
    assert list(characters.tokens) == [UNK, *sorted(set(text))]
    old = Characters.of(text)
    assert old.decode(old.encode(text)) == text


def test_words_and_what_is_readable_of_them() -> None:
    text = "The dog’s well-known (old) cat -- 3.5% of it, isn't it? “Yes!” _end"
    words = vocabulary(text, Rules("word", "sentence"))
    parts = ["The", "dog’s", "well-known", "(", "old", ")", "cat", "-", "-", "3", ".", "5", "%", "of", "it", ",", "isn't", "it", "?", EOS]
    assert words.visible(words.encode(text)) == [*parts, "“", "Yes", "!", "”", EOS, "_", "end", EOS]
    assert words.decode(words.encode(text)) == "The dog’s well-known (old) cat - - 3. 5% of it, isn't it? <EOS> “Yes!” <EOS> _ end <EOS>"
    assert words.decode(words.encode("old cat. What"), specials=False) == "old cat.\n\n"
    small = vocabulary(text, Rules("word", lower=True))
    assert small.encode("THE Cat").tolist() == small.encode("the cat").tolist()
    assert small.unk not in small.encode("THE Cat")


def test_what_is_frequent_is_known_and_the_rest_is_unk() -> None:
    text = "b b b a a c c d"
    assert vocabulary(text, Rules("word")).tokens == (UNK, "b", "a", "c", "d")
    assert vocabulary(text, Rules("word"), size=2).tokens == (UNK, "b", "a")
    assert vocabulary(text, Rules("word"), minimum=2).tokens == (UNK, "b", "a", "c")
    assert vocabulary(text, Rules("word"), size=99).tokens == (UNK, "b", "a", "c", "d")
    assert vocabulary(text, Rules("character", "line"), size=2).tokens == (UNK, EOS, " ", "b")
    known = vocabulary(text, Rules("word"), size=2)
    assert known.encode("b x a c").tolist() == [1, 0, 2, 0]
    assert known.unknown("b x a c x") == ["x", "c"]
    assert known.visible([NOTHING, 0, 1]) == ["∅", UNK, "b"]


def test_no_text_can_forge_a_token() -> None:
    for rules in RULES:
        known = vocabulary("<EOS> <UNK> ab\n\nc. d", rules)
        ids = known.encode("<EOS><UNK>", final=False)
        assert known.unk not in ids
        assert known.eos not in ids
        assert known.eos not in known.encode(f"a{MARK}b", final=False).tolist() or known.eos is None


def test_the_end_of_a_text_ends_its_sentence_once() -> None:
    known = vocabulary("ab. \n", Rules("character", "sentence"))
    for text in ("ab", "ab.", "ab. ", "ab.\n\n"):
        ids = known.encode(text).tolist()
        assert ids[-1] == known.eos
        assert ids.count(known.eos) == 1
    assert known.eos not in known.encode("ab", final=False)
    assert known.encode("").tolist() == []


def test_a_run_remembers_its_vocabulary() -> None:
    known = vocabulary("Der Hund. Die Katze.", Rules("word", "sentence", lower=True))
    again = Vocabulary.from_facts(known.to_facts())
    assert again == known
    assert again.encode("die hund").tolist() == known.encode("die hund").tolist()
    for facts in ({}, {"vocabulary": "abc"}, {"vocabulary": ["a", "b"], "level": "word", "ends": "none"}):
        with pytest.raises(GradvizError, match="stores no vocabulary"):
            Vocabulary.from_facts(facts)
    with pytest.raises(GradvizError, match="holds 'ab', which is none"):
        Vocabulary.from_facts({"vocabulary": [UNK, "a", "ab"], "level": "character", "ends": "none"})
    with pytest.raises(GradvizError, match="level"):
        Vocabulary.from_facts({"vocabulary": [UNK], "level": "syllable", "ends": "none"})


def test_every_label_can_be_seen() -> None:
    blanks = "\t\n a\x07\u2028"
    known = vocabulary(blanks, Rules("character"))
    assert known.visible(known.encode(blanks)) == ["⇥", "↵", "␣", "a", "U+0007", "U+2028"]
    assert Characters.of(blanks).visible(Characters.of(blanks).encode(blanks)) == ["⇥", "↵", "␣", "a", "U+0007", "U+2028"]


@pytest.mark.parametrize("strange", ["c", "A", "😀", "~"])
def test_a_character_that_was_not_learned(strange: str) -> None:
    with pytest.raises(GradvizError, match=f"the character '{strange}' at position 2 is not among the 3"):
        Characters(("a", "b", "z")).encode(f"ab{strange}")
    assert Vocabulary("character", (UNK, "a", "b"), "none").encode(f"a{strange}b").tolist() == [1, 0, 2]

"""Corpus and tokenizer."""

import hashlib
from pydoc_data.topics import topics

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradviz.errors import GradvizError
from gradviz.text.corpus import built_in, read
from gradviz.text.tokenizer import Characters


def test_the_built_in_text_is_pythons_help_in_order():
    corpus = built_in()
    names = sorted(topics)
    assert corpus.text.startswith(topics[names[0]])
    assert corpus.text.endswith(topics[names[-1]])
    assert len(corpus.text) == sum(len(text) for text in topics.values())
    assert corpus.sha256 == hashlib.sha256(corpus.text.encode("utf-8")).hexdigest()


def test_a_file_is_read_as_it_is(tmp_path):
    path = tmp_path / "text.txt"
    path.write_bytes("zwölf\r\n😀\n".encode())
    assert read(path).text == "zwölf\r\n😀\n"
    path.write_bytes("\ufeffzwölf".encode())
    assert read(str(path)).text == "zwölf"


def test_files_that_are_no_texts(tmp_path):
    with pytest.raises(GradvizError, match=r"cannot read the text .*nowhere.txt: No such file"):
        read(tmp_path / "nowhere.txt")
    with pytest.raises(GradvizError, match="cannot read the text"):
        read(tmp_path)
    (tmp_path / "empty.txt").write_bytes(b"")
    with pytest.raises(GradvizError, match=r"empty.txt is empty"):
        read(tmp_path / "empty.txt")
    (tmp_path / "latin.txt").write_bytes("für".encode("latin-1"))
    with pytest.raises(GradvizError, match=r"latin.txt is not UTF-8: byte 0xfc at offset 1"):
        read(tmp_path / "latin.txt")


@settings(deadline=None)
@given(text=st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_decoding_undoes_encoding(text):
    tokenizer = Characters.of(text)
    ids = tokenizer.encode(text)
    assert tokenizer.decode(ids) == text
    assert len(ids) == len(text)
    assert set(ids) == set(range(len(tokenizer)))
    assert list(tokenizer.vocabulary) == sorted(set(text))


def test_ids_are_places_in_the_vocabulary():
    tokenizer = Characters(("a", "b", "z"))
    np.testing.assert_array_equal(tokenizer.encode("bazz"), [1, 0, 2, 2])
    assert len(tokenizer.encode("")) == 0


@pytest.mark.parametrize("strange", ["c", "A", "😀", "~"])
def test_a_character_that_was_not_learned(strange):
    with pytest.raises(GradvizError, match=f"the character '{strange}' at position 2 is not among the 3"):
        Characters(("a", "b", "z")).encode(f"ab{strange}")


def test_every_label_can_be_seen():
    assert Characters(("\t", "\n", " ", "a", "\x07", "\u2028")).visible(range(6)) == ["⇥", "↵", "␣", "a", "U+0007", "U+2028"]

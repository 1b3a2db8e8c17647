"""The numbers of the lesson on language models, from plain loops over the weights as they stand on paper."""

from itertools import product

import numpy as np
import pytest

from gradviz.errors import GradvizError
from gradviz.lessons import LESSONS, facts_of
from gradviz.lessons._language_model import LONGEST, OWN, SENTENCES, Lengths, Sentence
from gradviz.lessons._toy_language import WORDS, after, sentences

FACTS = facts_of(LESSONS["language_model"])
CATS, SLEEP, UNK, EOS = range(4)


def chances(written: tuple[int, ...], keep: float = 0.5, temperature: float = 1.0) -> list[float]:
    """The next word's probabilities after `written`, one unit and one word at a time."""
    a = [0.0, 0.0]
    for word in (None, *written):
        x = {None: (0, 0), CATS: (2, 0), SLEEP: (0, 2), UNK: (1, 0), EOS: (0, 0)}[word]
        a = [float(np.tanh(keep * a[0] + x[0])), float(np.tanh(keep * a[1] + x[1]))]
    rows, bias = [(-2, -2), (3, -2), (0, 0), (-1, 3)], (1, 0, -1, -1)
    e = [float(np.exp((row[0] * a[0] + row[1] * a[1] + b) / temperature)) for row, b in zip(rows, bias, strict=True)]
    return [one / sum(e) for one in e]


def probability(*sentence: int, keep: float = 0.5, temperature: float = 1.0) -> float:
    return float(np.prod([chances(sentence[:t], keep, temperature)[word] for t, word in enumerate(sentence)]))


def test_the_factors_of_a_sentence() -> None:
    assert [FACTS[name] for name in ("cats", "sleep", "unk", "eos")] == pytest.approx(chances(()))
    assert chances(()) == pytest.approx([0.6103, 0.2245, 0.0826, 0.0826], abs=5e-5)
    assert FACTS["then_sleep"] == pytest.approx(chances((CATS,))[SLEEP]) == pytest.approx(0.9523, abs=5e-5)
    assert FACTS["then_end"] == pytest.approx(chances((CATS, SLEEP))[EOS]) == pytest.approx(0.7959, abs=5e-5)
    assert FACTS["without"] == pytest.approx(chances((CATS, SLEEP), keep=0)[EOS]) == pytest.approx(chances((SLEEP,))[EOS])


def test_product_loss_and_perplexity() -> None:
    whole = probability(CATS, SLEEP, EOS)
    assert FACTS["product"] == pytest.approx(whole) == pytest.approx(0.4626, abs=5e-5)
    assert FACTS["loss"] == pytest.approx(-np.log(whole)) == pytest.approx(0.7709, abs=5e-5)
    assert FACTS["perplexity"] == pytest.approx(whole ** (-1 / 3)) == pytest.approx(1.293, abs=5e-4)
    assert FACTS["mean"] == pytest.approx(0.786, abs=5e-4)
    assert FACTS["turned"] == pytest.approx(probability(SLEEP, CATS, EOS)) == pytest.approx(0.000751, abs=5e-7)
    assert FACTS["ratio"] == pytest.approx(616, abs=0.5)
    assert FACTS["fresh"] == pytest.approx(np.log(10_000))


def test_all_sentences_share_one_whole() -> None:
    short = [(*words, EOS) for n in range(3) for words in product((CATS, SLEEP, UNK), repeat=n)]
    assert FACTS["held"] == pytest.approx(sum(probability(*one) for one in short)) == pytest.approx(0.8156, abs=5e-5)
    drawn = Lengths(LONGEST).draw().frame
    left = sum(np.prod([chances(words[:t])[word] for t, word in enumerate(words)]) for words in product((CATS, SLEEP, UNK), repeat=4))
    assert 1 - drawn["so_far"][3] == pytest.approx(left)
    assert (np.diff(drawn["so_far"]) > 0).all()
    assert drawn["so_far"].iloc[-1] < 1


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_the_enumeration_agrees_with_word_by_word(temperature: float) -> None:
    for words, found in sentences(4, temperature):
        for row, one in zip(words.tolist(), found, strict=True):
            assert one == pytest.approx(probability(*row, EOS, temperature=temperature))
            assert after(tuple(row), temperature) == pytest.approx(chances(tuple(row), temperature=temperature))


@pytest.mark.parametrize("sentence", SENTENCES[:-1])
def test_bars_of_a_sentence(sentence: str) -> None:
    words = tuple({"cats": CATS, "sleep": SLEEP}.get(word, UNK) for word in sentence.split())
    frame = Sentence(sentence).draw().frame
    for t in range(len(words) + 1):
        assert frame.loc[t, list(WORDS)].tolist() == pytest.approx(chances(words[:t]))
    assert np.exp(frame["log_probability_so_far"].iloc[-1]) == pytest.approx(probability(*words, EOS))


def test_a_changed_word_moves_later_bars_and_no_earlier_one() -> None:
    one, other = (Sentence(OWN, words).draw().frame[list(WORDS)].to_numpy() for words in ("cats cats sleep cats", "cats cats cats cats"))
    assert (one[:3] == other[:3]).all()
    assert (np.abs(one[3:] - other[3:]).max(axis=1) > 1e-3).all()
    cut = [Sentence(OWN, words, history=False).draw().frame[list(WORDS)].to_numpy() for words in ("cats sleep cats", "cats cats cats")]
    assert cut[0][3].tolist() == cut[1][3].tolist()
    assert np.abs(cut[0][2] - cut[1][2]).max() > 1e-3


def test_own_words() -> None:
    assert Sentence(OWN, "Dogs, SLEEP EOS").draw().frame["token"].tolist() == ["UNK", "sleep", "EOS"]
    for wrong in ("", "EOS", "a b c d e f"):
        with pytest.raises(GradvizError, match=r"has [06] words; give 1 to 5"):
            Sentence(OWN, wrong).draw()

"""The numbers of the lesson on sampling: numpy's own `choice`, closed forms, and the library's sampler."""

import numpy as np
import pytest

from gradviz.language import Choice, sample
from gradviz.lessons import LESSONS, facts_of
from gradviz.lessons._sampling import SHOWN, Draw, Frequencies, counted, draws, hit, likeliest, spelled_out
from gradviz.lessons._toy_language import END, WORDS, after, model

FACTS = facts_of(LESSONS["sampling"])
CATS, SLEEP = WORDS.index("cats"), WORDS.index("sleep")


def drawn_by_numpy(rng: np.random.Generator, temperature: float = 1.0) -> tuple[int, ...]:
    """One sentence, every word by `Generator.choice`."""
    written: tuple[int, ...] = ()
    while written[-1:] != (END,):
        written = (*written, int(rng.choice(4, p=after(written, temperature))))
    return written


def test_the_first_needle() -> None:
    assert FACTS["u"] == np.random.default_rng(0).random() == pytest.approx(0.6370, abs=5e-5)
    e = np.exp([1, 0, -1, -1])
    assert (FACTS["low"], FACTS["high"]) == (pytest.approx(e[0] / e.sum()), pytest.approx((e[0] + e[1]) / e.sum()))
    assert (FACTS["low"], FACTS["high"]) == (pytest.approx(0.6103, abs=5e-5), pytest.approx(0.8348, abs=5e-5))
    assert (FACTS["half"], FACTS["zero"]) == ("cats sleep EOS", "sleep EOS")


@pytest.mark.parametrize("temperature", [0.4, 1.0, 3.0])
def test_segments_are_what_numpy_takes(temperature: float) -> None:
    for seed in range(30):
        assert spelled_out(draws(seed, 60), temperature) == drawn_by_numpy(np.random.default_rng(seed), temperature)
    assert [hit(np.array([0.25, 0.5, 0.0, 0.25]), u) for u in (0, 0.2499, 0.25, 0.7499, 0.75, 0.9999)] == [0, 0, 1, 1, 3, 3]


@pytest.mark.parametrize("temperature", [1.0, 3.0])
def test_sentences_from_one_generator(temperature: float) -> None:
    rng = np.random.default_rng(3)
    one_by_one = [drawn_by_numpy(rng, temperature) for _ in range(200)]
    found = counted(200, temperature, 3)
    assert found.total() == 200
    assert found == {words: one_by_one.count(words) for words in one_by_one}


def test_ten_thousand_sentences() -> None:
    assert FACTS["times"] == 4637
    assert FACTS["best"] == pytest.approx(0.4626, abs=5e-5)
    assert FACTS["expected"] == pytest.approx(4626, abs=0.5)
    assert FACTS["spread"] == pytest.approx(100 * np.sqrt(FACTS["best"] * (1 - FACTS["best"])))
    assert (FACTS["in_1000"], FACTS["error_1000"]) == (pytest.approx(463, abs=0.5), pytest.approx(16, abs=0.5))


def test_temperature() -> None:
    assert [FACTS[name] for name in ("odds_1", "odds_half", "odds_2")] == pytest.approx(np.exp([1, 2, 0.5]))
    for name, power, brief in (("cold", 2, 0.831), ("warm", 0.5, 0.167)):
        steps = [after(words) ** power for words in ((), (CATS,), (CATS, SLEEP))]
        exact = np.prod([step[word] / step.sum() for step, word in zip(steps, (CATS, SLEEP, END), strict=True)])
        assert FACTS[name] == pytest.approx(exact) == pytest.approx(brief, abs=5e-4)


def test_the_library_s_sampler_writes_as_often() -> None:
    rng, free = np.random.default_rng(0), Choice(avoid_unknown=False)
    texts = [sample(model(), length=20, choice=free, seed=rng).text for _ in range(200)]
    assert texts.count("cats sleep") == pytest.approx(200 * FACTS["best"], abs=4 * np.sqrt(200 * FACTS["best"] * (1 - FACTS["best"])))


def test_a_needle_stays_while_the_temperature_moves() -> None:
    bars = [Draw(temperature=tau, seed=0).draw() for tau in (0.1, 1.0, 3.0)]
    assert len({next(mark.value for mark in bar.panels[0].marks if type(mark).__name__ == "Rule") for bar in bars}) == 1
    assert [bar.frame.loc[bar.frame["drawn"], "word"].item() for bar in bars] == ["cats", "sleep", "UNK"]
    for bar in bars:
        assert bar.frame["to"].iloc[-1] == pytest.approx(1)
        inside = bar.frame["from"].le(FACTS["u"]) & bar.frame["to"].gt(FACTS["u"])
        assert inside.tolist() == bar.frame["drawn"].tolist()
    assert "no word 6" in Draw(word=6).draw().title


def test_the_picture_of_many_draws() -> None:
    frame = Frequencies("10000").draw().frame
    assert (frame["sentence"][0], frame["times"][0]) == ("cats sleep EOS", 4637)
    assert frame["probability"].is_monotonic_decreasing
    assert (np.abs(frame["frequency"] - frame["probability"]) < 2 * frame["two_errors"]).all()
    for words, chance in likeliest(1.0)[:SHOWN]:
        assert chance == pytest.approx(np.prod([after(words[:t])[word] for t, word in enumerate(words)]))

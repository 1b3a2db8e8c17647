"""The tasks whose sequences have lengths of their own: numbers into words, and sine waves out of one number."""

import math
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest

from gradviz.losses import softmax, squared
from gradviz.tasks.numbers import LETTERS, Numbers, name
from gradviz.tasks.sine import Sine

RNG = np.random.default_rng


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (0, "zero"),
        (13, "thirteen"),
        (20, "twenty"),
        (42, "forty-two"),
        (100, "one hundred"),
        (115, "one hundred fifteen"),
        (342, "three hundred forty-two"),
        (1000, "one thousand"),
        (90_009, "ninety thousand nine"),
        (12_345, "twelve thousand three hundred forty-five"),
    ],
)
def test_names_of_numbers(number, said):
    assert name(number) == said


def pairs(batch):
    """(digits, what the decoder reads, what it is asked for) of every example, as text."""
    read, said = (LETTERS.decode, batch.decoder.ends)
    for k, (digits, letters) in enumerate(zip(batch.lengths, said, strict=True)):
        number = "".join(map(str, batch.inputs[:digits, k]))
        yield number, read(batch.decoder.inputs[:letters, k]), read(batch.targets[:letters, k])


@pytest.mark.parametrize("length", [3, 4])
def test_numbers_are_spelled_and_the_held_out_ones_never_trained_on(length):
    data = Numbers(length=length).open()
    batch = data.batch(3000, RNG(0))
    assert (batch.steps, batch.decoder.steps) == (length, 28 if length == 3 else 43)
    seen = set()
    for number, read, said in pairs(batch):
        assert said == name(int(number)) + "∎"
        assert read == "∎" + said[:-1]
        assert str(int(number)) == number
        seen.add(int(number))
    shares = np.bincount(batch.lengths, minlength=length + 1)[1:] / 3000
    assert shares == pytest.approx(np.full(length, 1 / length), abs=0.05)
    assert set(range(100)) <= seen
    kept = {int(number) for number, _, _ in pairs(data.held_out(500))}
    assert all(number >= 100 and number % 7 == 3 for number in kept)
    assert not any(number >= 100 and number % 7 == 3 for number in seen)
    assert len(kept) > 100


def test_baselines_of_numbers_counted_in_plain_python():
    """Every number by itself: how often letters and pairs occur, for a number whose count of digits is drawn first."""

    def counted(groups):
        single, double = Counter(), Counter()
        for group in groups:
            for number in group:
                text = "∎" + name(number) + "∎"
                for before, letter in pairwise(text):
                    single[letter] += 1 / len(group)
                    double[before, letter] += 1 / len(group)
        return single, double

    apart = lambda number: number >= 100 and number % 7 == 3  # noqa: E731
    groups = [range(10), range(10, 100), range(100, 1000)]
    single, double = counted([[number for number in group if not apart(number)] for group in groups])
    held, followed = counted([[number for number in groups[2] if apart(number)]])
    total, before = sum(single.values()), Counter()
    for (first, _), count in double.items():
        before[first] += count
    letters = sum(held.values())
    frequencies = -sum(count * math.log(single[letter] / total) for letter, count in held.items()) / letters
    transitions = -sum(count * math.log(double[pair] / before[pair[0]]) for pair, count in followed.items()) / letters
    baselines = Numbers().open().baselines
    assert baselines["letter frequencies"] == pytest.approx(frequencies, rel=1e-12)
    assert baselines["letter pairs"] == pytest.approx(transitions, rel=1e-12)


def test_letter_frequencies_are_what_guessing_them_scores():
    data = Numbers().open()
    batch, held = data.batch(4000, RNG(0)), data.held_out(4000)
    counts = np.bincount(batch.targets[batch.answered.mask], minlength=len(LETTERS))
    with np.errstate(divide="ignore"):
        logits = np.broadcast_to(np.log(counts), (*held.targets.shape, len(LETTERS)))
    losses, _ = softmax(logits, held.targets, held.answered.mask.astype(float))
    assert losses.sum() / held.answered.mask.sum() == pytest.approx(data.baselines["letter frequencies"], abs=0.01)


def test_words_of_both_sides():
    data = Numbers().open()
    assert data.words(np.array([3, 4, 2])) == ["3", "4", "2"]
    assert data.decoder_words(LETTERS.encode("∎six t-")) == ["∎", "s", "i", "x", "␣", "t", "-"]


def test_a_sine_wave_follows_from_its_first_step():
    batch = Sine(length=30).open().batch(500, RNG(0))
    omega = batch.inputs[0, :, 0]
    assert ((omega >= 0.2) & (omega < 0.8)).all()
    assert set(batch.lengths) == set(range(15, 31))
    for k, steps in enumerate(batch.lengths):
        np.testing.assert_allclose(batch.targets[:steps, k, 0], np.sin(omega[k] * np.arange(1, steps + 1)), rtol=1e-12)
    np.testing.assert_array_equal(batch.inputs[1:, :, 0], 0)
    np.testing.assert_array_equal(batch.inputs[0, :, 1], 0)
    np.testing.assert_array_equal((batch.inputs[1:, :, 1:] - batch.targets[:-1])[batch.mask[1:]], 0)


@pytest.mark.parametrize("length", [4, 11, 40])
def test_baselines_of_sine_are_what_they_say(length):
    data = Sine(length=length).open()
    batch = data.batch(100_000, RNG(1))
    weights = batch.mask.astype(float)
    for said, answer in (("always 0", np.zeros_like(batch.targets)), ("the value before", batch.inputs[..., 1:])):
        losses, _ = squared(answer, batch.targets, weights)
        assert losses.sum() / weights.sum() == pytest.approx(data.baselines[said], abs=0.004)
    assert data.words(batch.inputs[:3, 0])[0] == f"ω = {batch.inputs[0, 0, 0]:.2f}"

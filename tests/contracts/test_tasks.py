"""Every task keeps the promises of its base."""

import dataclasses
import json

import numpy as np
import pytest

from gradviz.batch import NOTHING
from gradviz.losses import LOSSES
from gradviz.options import from_dict, to_dict
from gradviz.tasks import TASKS


@pytest.fixture(params=TASKS.names())
def name(request):
    return request.param


@pytest.fixture
def data(name):
    return TASKS[name]().open(seed=1)


def check_reading(inputs, signature, shape):
    if signature.tokens:
        assert inputs.shape == shape
        assert np.issubdtype(inputs.dtype, np.integer)
        assert NOTHING <= inputs.min() <= inputs.max() < signature.inputs
    else:
        assert inputs.shape == (*shape, signature.inputs)


def check(batch, task, signature, size):
    assert (batch.steps, batch.size) == (task.length, size)
    check_reading(batch.inputs, signature, (task.length, size))
    assert (batch.decoder is not None) == (signature.at == "decoded")
    if batch.decoder is not None:
        check_reading(batch.decoder.inputs, signature.of_decoder, (batch.decoder.steps, size))
    steps = () if signature.at == "last" else (batch.answered.steps,)
    values = () if signature.loss == "softmax" else (signature.outputs,)
    assert batch.targets.shape == (*steps, size, *values)
    if signature.loss == "softmax":
        assert 0 <= batch.targets.min() <= batch.targets.max() < signature.outputs


def test_batches_fit_the_signature(name, data):
    task = TASKS[name]()
    assert data.signature.loss in LOSSES
    check(data.batch(7, np.random.default_rng(0)), task, data.signature, 7)
    check(data.batch(1, np.random.default_rng(0)), task, data.signature, 1)
    check(data.held_out(5), task, data.signature, 5)


def test_the_generator_decides_the_batches(name, data):
    again = TASKS[name]().open(seed=2)
    one, same = (each.batch(6, np.random.default_rng(3)) for each in (data, again))
    np.testing.assert_array_equal(one.inputs, same.inputs)
    np.testing.assert_array_equal(one.targets, same.targets)
    assert not np.array_equal(one.inputs, data.batch(6, np.random.default_rng(4)).inputs)
    rng = np.random.default_rng(3)
    assert not np.array_equal(data.batch(6, rng).inputs, data.batch(6, rng).inputs)


def test_held_out_sequences_stay_the_same(name, data):
    before = data.held_out(9)
    data.batch(4, np.random.default_rng(1))
    for after in (data.held_out(9), TASKS[name]().open(seed=1).held_out(9)):
        np.testing.assert_array_equal(after.inputs, before.inputs)
        np.testing.assert_array_equal(after.targets, before.targets)


def test_held_out_sequences_are_not_the_first_batch_of_the_same_seed(data):
    assert not np.array_equal(data.held_out(8).inputs, data.batch(8, np.random.default_rng(1)).inputs)


def test_facts_and_baselines_can_be_stored(data):
    assert json.loads(json.dumps(data.facts)) == data.facts
    assert data.baselines
    for title, loss in data.baselines.items():
        assert isinstance(title, str)
        assert isinstance(loss, float)
        assert 0 < loss < np.inf


def test_the_lag_is_inside_the_sequence(name, data):
    assert data.lag is None or 0 < data.lag < TASKS[name]().length


def test_words_name_every_step(data):
    batch = data.held_out(2)
    sides = [(data.words, batch.reading)] + ([(data.decoder_words, batch.decoder)] if batch.decoder else [])
    for words, reading in sides:
        said = words(reading.inputs[:, 1])
        assert said is None or len(said) == reading.steps
        assert said is None or all(isinstance(word, str) and word.strip() for word in said)


def test_batches_always_have_the_same_shape(data):
    """Buffers of a shape are used again; each new one takes memory of its own."""
    rng = np.random.default_rng(0)
    assert len({(batch.inputs.shape, batch.answered.inputs.shape) for batch in (data.batch(1, rng) for _ in range(5))}) == 1


def test_options_have_help_and_survive_a_run_file(name):
    task = TASKS[name]()
    assert from_dict(TASKS[name], json.loads(json.dumps(to_dict(task)))) == task
    assert all(field.metadata["help"] for field in dataclasses.fields(task))

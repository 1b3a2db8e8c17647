"""Models that learned sentences one by one: each sentence of a text begins with no token and no state, as it did in training."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import gradviz
from gradviz.batch import NOTHING
from gradviz.charts import CHARTS
from gradviz.config import Experiment, Model, Recording, Training
from gradviz.language import LanguageModel, activations, connectivity, connectivity_all, probability, sample, trace
from gradviz.tasks import TASKS
from gradviz.training import train
from tests.language_models import drawn

TASK = TASKS["text"](length=12, level="word", held_out=0.3, test=0.0, order="sentences")
SENTENCES = ("The cat sleeps.", "A dog barks at the cat!", "Who sleeps?", "The dog sees a cat.", "It barks.")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sentences")
    (folder / "cats.txt").write_text(" ".join(SENTENCES * 30), encoding="utf-8")
    recording = Recording(every=60, reach_every=60, probe_every=60, held_out=4)
    task = replace(TASK, file=str(folder / "cats.txt"))
    return train(Experiment(task, Model(units=12), Training(updates=60, batch=8), recording), folder / "run")


@pytest.fixture(params=["lstm", "gru"])
def apart(request: pytest.FixtureRequest) -> LanguageModel:
    return replace(drawn("abc", cell=request.param), apart=True)


def test_only_a_run_over_sentences_reads_them_apart(run: Path, trained: Path) -> None:
    assert LanguageModel.load(run).apart
    assert not LanguageModel.load(trained / "text-lstm").apart


def test_a_text_costs_what_its_sentences_cost_in_training(run: Path) -> None:
    """The batch that training would make of them, padded and with lengths, has the same loss."""
    model, experiment = LanguageModel.load(run), gradviz.load(run).experiment
    reader = experiment.task.open().readers["validation"]
    count = len(reader._ends)
    batch = reader.spread(count)
    network = model.fresh()
    loss = network.loss(network.forward(batch.inputs, batch.lengths), batch)
    said = probability(model, " ".join(model.vocabulary.decode(ids[:length]) for ids, length in _sentences(batch)))
    assert len(said.log_factors) == loss.count > 60
    assert -said.log_probability == pytest.approx(loss.mean * loss.count, rel=1e-12)


def _sentences(batch):
    return [(batch.targets[:, k], length - 1) for k, length in enumerate(batch.lengths)]


def test_factors_are_those_of_each_sentence_alone(apart: LanguageModel) -> None:
    said = probability(apart, "abca\nb\ncab")
    alone = [probability(apart, part).log_factors for part in ("abca", "b", "cab")]
    np.testing.assert_allclose(said.log_factors, np.concatenate(alone), rtol=1e-12)
    together = probability(replace(apart, apart=False), "abca\nb\ncab")
    np.testing.assert_allclose(together.log_factors[:5], alone[0], rtol=1e-12)
    assert abs(together.log_factors[5] - alone[1][0]) > 0.01


def test_long_sentences_and_pieces(apart: LanguageModel) -> None:
    parts = ["abc" * 100, "c" * 256, "ab"]
    alone = np.concatenate([probability(apart, part).log_factors for part in parts])
    np.testing.assert_allclose(probability(apart, "\n".join(parts)).log_factors, alone, rtol=1e-10)


def test_states_are_those_of_each_sentence_alone(apart: LanguageModel) -> None:
    found, fresh = activations(apart, "abca\ncb"), apart.fresh().forward(np.array([[NOTHING]]))
    first, second = activations(apart, "abca"), activations(apart, "cb")
    for point, values in found.items():
        np.testing.assert_allclose(values, np.concatenate([first[point], second[point]]), rtol=1e-12)
        np.testing.assert_allclose(values[4], fresh.tapes["layers.0.forward"].values(point)[0, 0], rtol=1e-12)


def test_nothing_is_felt_of_an_earlier_sentence(apart: LanguageModel) -> None:
    text, part = "abca\nbacb", "bacb"
    for position in range(5, 11):
        found = connectivity(apart, text, position, k=2)
        assert not found[:5].any()
        np.testing.assert_allclose(found[5:], connectivity(apart, part, position - 5, k=2)[: position - 5], rtol=1e-12)
    whole = connectivity_all(apart, text)
    np.testing.assert_allclose(whole[5:, 5:], connectivity_all(apart, part), rtol=1e-12)
    assert not whole[5:, :5].any()
    assert whole[:5, :5].any()


def test_what_is_written_goes_on_from_the_last_sentence_alone(apart: LanguageModel) -> None:
    for seed in range(5):
        long, short = (sample(apart, prompt, length=9, seed=seed) for prompt in ("abca\nba", "ba"))
        assert long.ids.tolist() == short.ids.tolist()
        np.testing.assert_allclose(long.log_probabilities, short.log_probabilities, rtol=1e-12)
        begun, fresh = (sample(apart, prompt, length=9, seed=seed) for prompt in ("abca\n", ""))
        assert begun.ids.tolist() == fresh.ids.tolist()


def test_a_trace_is_of_the_sentence_that_was_ended(run: Path, tmp_path: Path) -> None:
    said = sample(run, "The cat sleeps. A dog", length=6)
    traced = gradviz.load(trace(run, said, tmp_path / "trace"))
    words = traced.words(0)
    assert words[:3] == ["∅", "A", "dog"]
    assert len(words) == 2 + len(said.ids)
    assert traced.steps["tokens"].item() == len(words)
    nats = -probability(run, "A dog", eos=False).log_probability - said.log_probabilities.sum()
    assert traced.steps["loss_sum"].item() == pytest.approx(nats, rel=1e-10)
    assert {name for name in CHARTS if gradviz.chart(name, [traced]).missing} <= {"parameters"}

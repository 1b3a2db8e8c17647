"""The held-out loss during training: when it is measured, that it is right, what follows from it."""

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gradviz.bits import bits, perplexity
from gradviz.cells import CELLS
from gradviz.config import Experiment, Model, Recording, Training
from gradviz.errors import GradvizError, RunError
from gradviz.frames import load
from gradviz.network import Network
from gradviz.optimizers.adam import Adam
from gradviz.optimizers.sgd import SGD
from gradviz.rates.step import Step
from gradviz.recording.best import Best
from gradviz.recording.reading import read_meta
from gradviz.tasks.adding import Adding
from gradviz.tasks.numbers import Numbers
from gradviz.tasks.text import Text
from gradviz.training import resume, train
from tests.resumed import content, differing, interrupted

SMALL = Experiment(
    Adding(length=10),
    Model(cell=CELLS["gru"](), units=3),
    Training(updates=9, batch=2),
    Recording(every=4, reach_every=4, validate_every=3, probe_every=0, held_out=5, probe_examples=0),
)


def test_it_is_measured_where_either_schedule_asks_and_only_once(tmp_path: Path) -> None:
    run = load(train(SMALL, tmp_path / "run"))
    assert run.held_out["step"].tolist() == [0, 3, 4, 6, 8, 9]
    assert sorted(run.table("reach")["step"].unique()) == [0, 4, 8, 9]


@pytest.mark.parametrize("task", [Adding(length=10), Numbers()])
def test_a_pass_forward_alone_gives_the_very_numbers_that_reach_gives(tmp_path: Path, task: Any) -> None:
    experiment = replace(SMALL, task=task)
    every = replace(SMALL.recording, validate_every=1)
    alone = load(train(replace(experiment, recording=replace(every, reach_every=0)), tmp_path / "alone"))
    with_reach = load(train(replace(experiment, recording=replace(every, reach_every=1)), tmp_path / "reach"))
    assert alone.table("reach").empty
    assert not with_reach.table("reach").empty
    assert alone.held_out["step"].tolist() == list(range(10))
    assert alone.held_out.equals(with_reach.held_out)


def test_without_a_wish_nothing_changes(tmp_path: Path) -> None:
    run = load(train(replace(SMALL, recording=replace(SMALL.recording, validate_every=0)), tmp_path / "run"))
    assert run.held_out["step"].tolist() == [0, 4, 8, 9]


def test_the_best_weights_are_those_that_were_measured(tmp_path: Path) -> None:
    """Computed anew: a network with the weights of best.safetensors has the lowest loss of the table."""
    run = load(train(replace(SMALL, training=replace(SMALL.training, optimizer=SGD(rate=1.0))), tmp_path / "run"))
    assert run.best is not None
    step, loss = run.best
    row = run.held_out.loc[run.held_out["loss"].idxmin()]
    assert (step, loss) == (row["step"], row["loss"])
    assert step < 9  # a rate at which it does not settle
    data = SMALL.task.open(0)
    network, batch = Network(SMALL.model, data.signature, dtype="float64"), data.held_out(5)
    for name, array in run.weights("best").items():
        network.parameters[name][...] = array
    error = network.forward(batch.inputs).outputs[0] - batch.targets
    assert np.mean(np.square(error)) == pytest.approx(loss, rel=1e-12)
    assert any((run.weights("best")[name] != array).any() for name, array in run.weights().items())


def test_a_run_whose_held_out_loss_is_never_measured_has_no_best(tmp_path: Path) -> None:
    run = load(train(replace(SMALL, recording=replace(SMALL.recording, validate_every=0, reach_every=0)), tmp_path / "run"))
    assert (run.best, run.test, run.stopped_early) == (None, {}, None)
    with pytest.raises(RunError, match=r"has no best\.safetensors \(yet\): these weights are written when a held-out loss is measured"):
        run.weights("best")
    with pytest.raises(GradvizError, match=r"unknown weights 'bset'\. Did you mean 'best'"):
        run.weights("bset")


def test_nan_is_never_the_best_and_the_first_of_equals_is() -> None:
    best, weights = Best(), {"a": np.zeros(1)}
    taken = [best.take(step, loss, weights) for step, loss in enumerate([math.nan, 2.0, math.nan, 2.0, 1.0, math.inf])]
    assert taken == [False, True, False, False, True, False]
    assert (best.step, best.loss, best.waited) == (4, 1.0, 1)
    weights["a"] += 1
    assert best.weights["a"] == 0  # a copy


# ---------------------------------------------------------------------- patience


def impatient(patience: int, rate: float) -> Experiment:
    training = Training(updates=40, batch=2, patience=patience, optimizer=SGD(rate=rate))
    return replace(SMALL, training=training, recording=replace(SMALL.recording, probe_every=7, probe_examples=1))


def test_patience_ends_with_the_so_manieth_measurement_in_vain(tmp_path: Path) -> None:
    """With a rate of nothing no loss is below that of step 0. Measured at 0, 3, 4, 6, 8: patience 3 ends at 6."""
    run = load(train(impatient(3, 0.0), tmp_path / "run"))
    assert (run.status, run.stopped_early, run.meta["updates_done"]) == ("finished", 6, 6)
    assert run.best == (0, run.held_out["loss"].iloc[0])
    assert run.steps["step"].tolist() == list(range(6))
    assert run.held_out["step"].tolist() == [0, 3, 4, 6]
    assert sorted(run.table("reach")["step"].unique()) == [0, 4, 6]  # the end is always there
    assert sorted(run.table("probe")["step"].unique()) == [0, 6]


def test_a_training_that_gets_better_is_not_stopped(tmp_path: Path) -> None:
    assert load(train(impatient(30, 0.01), tmp_path / "run")).stopped_early is None


def test_an_early_stop_is_the_same_after_an_interruption_and_is_the_end(tmp_path: Path) -> None:
    whole = content(train(impatient(3, 0.0), tmp_path / "whole"))
    assert differing(whole, content(interrupted(impatient(3, 0.0), tmp_path / "cut", 1, 5))) == []
    with pytest.raises(RunError, match=r"it stopped after 6 updates, because .* fell no more\. To train longer, start anew .* --patience"):
        resume(tmp_path / "cut", updates=100)


def test_patience_without_measurements_is_refused() -> None:
    with pytest.raises(GradvizError, match="patience is 2, but the held-out loss is never measured: set validate_every"):
        Experiment(training=Training(patience=2), recording=Recording(reach_every=0))


# ---------------------------------------------------------------------- rate, test, bits


def test_the_rate_in_force_is_used_and_recorded(tmp_path: Path) -> None:
    training = replace(SMALL.training, optimizer=Adam(rate=0.4), schedule=Step(decay=0.5, every=3))
    run = load(train(replace(SMALL, training=training), tmp_path / "run"))
    assert run.steps["rate"].tolist() == [0.4] * 3 + [0.2] * 3 + [0.1] * 3
    nothing = replace(training, optimizer=SGD(rate=0.4), schedule=Step(decay=0.0, every=4))
    run = load(train(replace(SMALL, training=nothing, recording=replace(SMALL.recording, every=1)), tmp_path / "still"))
    moved = run.parameters.groupby("step")["update"].sum()
    assert (moved.to_numpy() > 0).tolist() == [True] * 4 + [False] * 5


def test_the_test_loss_is_that_of_the_best_weights(tmp_path: Path) -> None:
    experiment = replace(SMALL, task=Text(length=10), training=replace(SMALL.training, optimizer=SGD(rate=30.0)))
    run = load(train(experiment, tmp_path / "run"))
    assert run.best is not None
    assert run.best[0] < 9
    data = experiment.task.open(0)
    network, batch = Network(experiment.model, data.signature, dtype="float64"), data.test(5)
    assert batch is not None
    for name, array in run.weights("best").items():
        network.parameters[name][...] = array
    logits = network.forward(batch.inputs).outputs
    chosen = np.take_along_axis(logits, batch.targets[..., None], axis=2)[..., 0]
    loss = float(np.mean(np.log(np.exp(logits).sum(axis=2)) - chosen))
    assert run.test["loss"] == pytest.approx(loss, rel=1e-12)
    assert run.test["perplexity"] == pytest.approx(math.exp(loss), rel=1e-12)
    assert run.test["bits"] == pytest.approx(loss / math.log(2), rel=1e-12)
    assert run.test["step"] == run.best[0]
    assert run.token == "character"


def test_in_a_text_of_words_a_loss_is_per_word(tmp_path: Path) -> None:
    (tmp_path / "cat.txt").write_text("The cat sat on the mat. " * 60, encoding="utf-8")
    task = Text(length=8, file=str(tmp_path / "cat.txt"), level="word", order="sentences")
    assert load(train(replace(SMALL, task=task), tmp_path / "run")).token == "word"


def test_only_a_text_has_tokens_and_only_nats_have_bits(tmp_path: Path) -> None:
    assert load(train(SMALL, tmp_path / "adding")).token == ""
    assert load(train(replace(SMALL, task=Numbers()), tmp_path / "numbers")).token == ""
    assert "test" not in read_meta(tmp_path / "adding")


def test_bits_and_perplexity_of_a_fair_coin_and_of_nonsense() -> None:
    assert bits(math.log(2)) == 1
    assert perplexity(math.log(27)) == pytest.approx(27)
    assert perplexity(1e4) == math.inf
    assert math.isnan(perplexity(math.nan))
    assert perplexity(math.inf) == math.inf

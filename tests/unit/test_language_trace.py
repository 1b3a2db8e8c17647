"""What went on while a network wrote, recorded as a run like any other."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

import gradviz
from gradviz.arrays import global_norm
from gradviz.batch import NOTHING, Batch
from gradviz.charts import CHARTS
from gradviz.errors import GradvizError, RunError
from gradviz.findings import verdicts
from gradviz.language import Choice, LanguageModel, Sample, activations, probability, sample, trace


@pytest.fixture(scope="module")
def said(trained: Path) -> Sample:
    return sample(trained / "text-lstm", "The ", length=30, choice=Choice(0.8, top_k=20), seed=3)


@pytest.fixture(scope="module")
def traced(trained: Path, said: Sample, tmp_path_factory: pytest.TempPathFactory) -> gradviz.Run:
    return gradviz.load(trace(trained / "text-lstm", said, tmp_path_factory.mktemp("traced") / "writing"))


def test_it_is_a_finished_run_that_says_what_was_written(traced: gradviz.Run, said: Sample, trained: Path) -> None:
    facts = traced.meta["trace"]
    assert (facts["of"], facts["prompt"], facts["text"], facts["seed"]) == ("text-lstm", "The ", said.text, 3)
    assert (facts["temperature"], facts["top_k"], facts["top_p"], facts["ended"]) == (0.8, 20, 1.0, False)
    assert (traced.status, traced.name, traced.notes) == ("finished", "writing", [])
    assert traced.experiment.model == gradviz.load(trained / "text-lstm").experiment.model
    assert "".join(traced.words(0)) == "∅The␣" + "".join(LanguageModel.load(traced.path).vocabulary.visible(said.ids[:-1]))


def test_its_rows_stand_at_the_update_whose_weights_wrote(trained: Path, said: Sample, tmp_path: Path) -> None:
    run = Path(shutil.copytree(trained / "text-lstm", tmp_path / "run"))
    of = json.loads((run / "run.json").read_text(encoding="utf-8"))
    (run / "run.json").write_text(json.dumps({**of, "best": {"step": 7, "loss": 1.0}}), encoding="utf-8")
    best, last = (gradviz.load(trace(run, said, tmp_path / weights, weights=weights)) for weights in ("best", "last"))
    assert best.probe_steps == best.reach_steps == best.steps["step"].tolist() == [7]
    assert last.probe_steps == [of["updates_done"]]


def test_its_step_is_one_of_training_without_an_update(traced: gradviz.Run) -> None:
    model, facts = LanguageModel.load(traced.path), traced.meta["trace"]
    ids = model.vocabulary.encode(facts["prompt"] + facts["text"])[:, None]
    batch, network = Batch(np.concatenate([[[NOTHING]], ids[:-1]]), ids), model.fresh()
    run = network.forward(batch.inputs)
    gradients = network.backward(run, network.loss(run, batch, reduction="mean").d_outputs).parameters
    assert traced.steps["norm_before"].item() == traced.steps["norm_after"].item()
    assert traced.steps["norm_before"].item() == pytest.approx(global_norm(gradients.values()), rel=1e-12)
    assert traced.steps["tokens"].item() == len(ids)


def test_its_arrays_are_those_of_the_text(traced: gradviz.Run, said: Sample, trained: Path) -> None:
    model, (step,) = LanguageModel.load(trained / "text-lstm"), traced.probe_steps
    whole = said.prompt + said.text
    for point, values in activations(model, whole).items():
        np.testing.assert_allclose(traced.probe(step, 0, point)[1:], values[:-1], rtol=1e-12, err_msg=point)
    loss = -probability(model, whole).log_probability
    assert traced.held_out["loss"].item() == pytest.approx(loss / len(whole), rel=1e-12)
    assert traced.steps["loss_sum"].item() == pytest.approx(loss, rel=1e-12)


def test_its_gradients_are_those_of_the_text_s_own_loss(traced: gradviz.Run) -> None:
    """The state after the first step, moved a little: the loss of the rest changes as the recorded gradient says."""
    model, (step,) = LanguageModel.load(traced.path), traced.probe_steps
    network, facts = model.fresh(), traced.meta["trace"]
    ids = model.vocabulary.encode(facts["prompt"] + facts["text"])
    h, c = (traced.probe(step, 0, point)[0] for point in ("hidden", "cell"))

    def loss(hidden: np.ndarray, cell: np.ndarray) -> float:
        first = hidden @ network.parameters["readout.weight"] + network.parameters["readout.bias"]
        run = network.forward(ids[:-1, None], initial={"layers.0.forward": (hidden[None], cell[None])})
        logits = np.concatenate([first[None], run.outputs[:, 0]])
        return float(sum(np.log(np.exp(row).sum()) - row[token] for row, token in zip(logits, ids, strict=True)))

    gradient = traced.probe(step, 0, "hidden", gradient=True)[0]
    for unit in range(len(h)):
        nudge = np.eye(len(h))[unit] * 1e-6
        slope = (loss(h + nudge, c) - loss(h - nudge, c)) / 2e-6
        assert gradient[unit] == pytest.approx(slope, rel=1e-5, abs=1e-8)


def test_everything_that_opens_a_run_opens_it(traced: gradviz.Run, tmp_path: Path) -> None:
    missing = {name for name in CHARTS if gradviz.chart(name, [traced]).missing}
    assert missing <= {"parameters"}, "nothing was learned, so no parameter was changed"
    assert all(verdict.severity for verdict in verdicts(traced))
    assert gradviz.report([traced], kind="compare").write(tmp_path / "report.html").stat().st_size > 10_000
    assert probability(traced.path, "The").tokens == ["T", "h", "e"]
    again = sample(traced, length=5)
    assert gradviz.load(trace(traced.path, again, tmp_path / "again")).meta["trace"]["of"] == "writing"


def test_a_run_is_never_overwritten_unless_asked(traced: gradviz.Run, said: Sample, trained: Path) -> None:
    with pytest.raises(RunError, match="holds a run already"):
        trace(trained / "text-lstm", said, traced.path)
    before = traced.meta["created"]
    trace(trained / "text-lstm", said, traced.path, force=True)
    assert gradviz.load(traced.path).meta["created"] >= before
    with pytest.raises(GradvizError, match="holds a run already"):
        trace(trained / "text-lstm", said, trained / "text-rnn-norm")


def test_bytes_of_a_prompt_that_are_no_text_do_not_stop_it(trained: Path, tmp_path: Path) -> None:
    """A command line hands them on as half surrogate pairs, which UTF-8 cannot hold."""
    said = sample(trained / "text-lstm", "a\udcff😀b", length=4)
    facts = gradviz.load(trace(trained / "text-lstm", said, tmp_path / "trace")).meta["trace"]
    assert facts["prompt"] == "a�😀b"
    assert facts["unknown"] == ["�", "😀"]


@pytest.mark.parametrize("spoiled", [{"best": [7]}, {"best": {"loss": 1.0}}, {"best": {"step": "7"}}, {"best": None, "updates_done": "x"}])
def test_a_run_that_does_not_tell_its_step_is_refused(trained: Path, said: Sample, tmp_path: Path, spoiled: dict[str, object]) -> None:
    run = Path(shutil.copytree(trained / "text-lstm", tmp_path / "run"))
    shutil.copy(run / "weights.safetensors", run / "best.safetensors")
    of = json.loads((run / "run.json").read_text(encoding="utf-8"))
    (run / "run.json").write_text(json.dumps({**of, **spoiled}), encoding="utf-8")
    with pytest.raises(RunError, match=r"does not tell after how many updates best.safetensors was written"):
        trace(run, said, tmp_path / "trace")
    assert not (tmp_path / "trace").exists()

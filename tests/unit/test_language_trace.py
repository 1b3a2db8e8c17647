"""What went on while a network wrote, recorded as a run like any other."""

import json
from pathlib import Path

import numpy as np
import pytest

import gradviz
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


def test_its_rows_stand_at_the_update_whose_weights_wrote(traced: gradviz.Run, trained: Path, said: Sample, tmp_path: Path) -> None:
    of = json.loads((trained / "text-lstm" / "run.json").read_text(encoding="utf-8"))
    assert traced.probe_steps == traced.reach_steps == [of["best"]["step"]]
    last = gradviz.load(trace(trained / "text-lstm", said, tmp_path / "last", weights="last"))
    assert last.probe_steps == [of["updates_done"]]


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

"""Charts that take a run's network up again: their numbers against passes made by hand, and what they say when that cannot be."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gradviz
from gradviz.charts import CHARTS
from gradviz.charts._reopened import asked
from gradviz.errors import GradvizError
from gradviz.frames import Run, load_runs
from gradviz.network import Network
from tests.synthetic import Variant, make_run

EXACT = [name for name in CHARTS if CHARTS[name].exact]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    """Networks with random weights; by family, on text, and an LSTM with a loss at the last step alone."""
    out = tmp_path_factory.mktemp("exact")
    for family in ("rnn", "gru", "lstm"):
        make_run(out / family, family, True, steps=4, variant=Variant(time=20))
    make_run(out / "adding", "lstm", True, "adding", steps=4, variant=Variant(time=20))
    return {run.path.name: run for run in load_runs(sorted(out.iterdir()))}


def alone(network: Network, batch: Any, step: int, point: str) -> np.ndarray:
    """(time, unit) gradient of the loss of one step, by a pass of its own."""
    found: list[np.ndarray] = []
    with network.observe(f"layers.0.forward.{point}", lambda name, array: found.append(array[:, 0].copy()), gradient=True):
        run = network.forward(batch.inputs)
        d_outputs = network.loss(run, batch, reduction="sum").d_outputs
        d_outputs[np.arange(len(d_outputs)) != step] = 0
        network.backward(run, d_outputs)
    return found[0]


@pytest.mark.parametrize(("family", "point"), [("rnn", "hidden"), ("gru", "hidden"), ("lstm", "cell")])
def test_the_matrix_is_that_of_single_losses(family: str, point: str, runs: dict[str, Run]) -> None:
    frame = CHARTS["gradient_matrix"]().describe([runs[family]]).frame
    known = asked([runs[family]])[0][0].known
    gradients = {step: alone(known.network, known.batch, step, point) for step in (0, 7, 18)}
    for step, gradient in gradients.items():
        rows = frame[frame["loss"] == step]
        assert list(rows["state"]) == list(range(step + 1))
        assert rows["norm"].to_numpy() == pytest.approx(np.linalg.norm(gradient[: step + 1], axis=1), rel=1e-9)
    assert frame.groupby("state")["share"].sum().to_numpy() == pytest.approx(1.0)


def test_a_loss_at_the_end_alone_is_a_line(runs: dict[str, Run]) -> None:
    said = CHARTS["gradient_matrix"]().describe([runs["adding"]])
    assert len(said.panels) == 1
    assert said.title.startswith("The loss at the end reaches back")
    assert set(said.frame["loss"]) == {19}


def test_one_token_s_loss_is_shown_below_the_matrix_and_marked_in_it(runs: dict[str, Run]) -> None:
    chart: Any = CHARTS["gradient_matrix"]
    said = chart(token=5).describe([runs["gru"]])
    rows = said.frame[said.frame["loss"] == 5]
    assert said.title.startswith("The loss at step 5 reaches back")
    assert said.panels[0].marks[1].value == 5
    assert said.panels[1].marks[0].y == pytest.approx(np.log10(rows["norm"]))
    words = chart().tokens([runs["gru"], runs["lstm"]])
    assert words == tuple(runs["gru"].words(0) or ())[: len(words)]
    assert chart().tokens(list(runs.values())) == words  # the adding task has no loss to choose
    with pytest.raises(GradvizError, match="no loss at step 500"):
        chart(token=500).describe([runs["gru"]])


@pytest.mark.parametrize(("family", "gate"), [("lstm", "forget"), ("gru", "update")])
def test_the_gated_path_is_the_product_of_the_gates(family: str, gate: str, runs: dict[str, Run]) -> None:
    frame = CHARTS["highway"]().describe([runs[family]]).frame
    known, found = asked([runs[family]])[0][0].known, []
    with known.network.observe(f"layers.0.forward.gate.{gate}", lambda name, array: found.append(array[:, 0].copy())):
        known.network.forward(known.batch.inputs)
    kept = np.concatenate([np.ones((1, found[0].shape[1])), np.cumprod(found[0][::-1], axis=0)])
    assert 10 ** frame["direct"].to_numpy() == pytest.approx(np.sqrt((kept**2).mean(axis=1)), rel=1e-9)
    assert (frame["direct_low"] <= frame["direct_high"]).all()


def test_a_plain_rnn_has_no_highway_and_that_is_said(runs: dict[str, Run]) -> None:
    both = CHARTS["highway"]().describe([runs["rnn"], runs["lstm"]])
    assert set(both.frame["run"]) == {runs["lstm"].label}
    assert "No gate scales the memory of the RNN." in both.subtitle
    assert "None of these runs has a gate" in CHARTS["highway"]().describe([runs["rnn"]]).missing


def test_the_fan_holds_the_singular_values_of_finite_differences(runs: dict[str, Run]) -> None:
    frame = CHARTS["jacobian_fan"]().describe([runs["rnn"]]).frame
    known = asked([runs["rnn"]])[0][0].known
    weights = known.network.parameters["layers.0.forward.weight_hh"][0]
    before, row = known.path.before, frame[frame["time"] == 6].iloc[0]
    after = known.path.before[6]
    step = (1 - after[:, None] ** 2) * weights.T  # h = tanh(… + h_before W)
    assert np.isfinite(before).all()
    assert row["high"] == pytest.approx(np.linalg.norm(step, 2), rel=1e-9)
    assert row["median"] == pytest.approx(np.median(np.linalg.svd(step, compute_uv=False)), rel=1e-9)


@pytest.mark.parametrize("name", EXACT)
def test_a_network_read_both_ways_or_with_bad_weights_is_refused_in_words(name: str, tmp_path: Path) -> None:
    make_run(tmp_path / "both", "lstm", steps=2, variant=Variant(time=12, direction="both"))
    make_run(tmp_path / "fine", "lstm", True, steps=2, variant=Variant(time=12))
    make_run(tmp_path / "bad", "gru", steps=2, variant=Variant(time=12))
    path = tmp_path / "bad" / "weights.safetensors"
    broken = gradviz.load(tmp_path / "bad").weights()
    for array in broken.values():
        array[...] = np.nan
    path.write_bytes(bytes_of(broken))
    every = CHARTS[name]().describe(load_runs(tmp_path))
    assert not every.missing
    fine = gradviz.load(tmp_path / "fine").label
    assert fine in set(every.frame["run"])
    alone = CHARTS[name]().describe([gradviz.load(tmp_path / "bad")])
    assert alone.missing or name == "gradient_matrix"


def bytes_of(weights: Any) -> bytes:
    from safetensors.numpy import save

    return bytes(save({key: np.ascontiguousarray(value) for key, value in weights.items()}))

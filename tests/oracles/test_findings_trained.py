"""The rules on networks that were really trained: broken in a known way they are told, and healthy ones raise no alarm."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gradviz.cells import CELLS
from gradviz.clipping import CLIPPING
from gradviz.config import Experiment, Model, Recording, Training
from gradviz.findings import FINDINGS, Verdict, verdicts
from gradviz.frames import Run, load
from gradviz.optimizers import OPTIMIZERS
from gradviz.tasks import TASKS
from gradviz.training import train

NEW = ("under_clipped", "bent_direction", "dead_units", "slow_learning", "unstable_learning", "short_memory")
RECORDING = Recording(every=5, reach_every=20, probe_every=60, held_out=16)
TRAINING = Training(updates=120, batch=16)


def trained(folder: Path, training: Training, *, cell: str = "lstm", **options: str) -> Run:
    model = Model(cell=CELLS[cell](**options), units=16)
    return load(train(Experiment(TASKS["adding"](length=20), model, training, RECORDING), folder / "run"))


def said(rule: str, run: Run) -> Verdict:
    return FINDINGS[rule]().check(run)


@pytest.mark.parametrize("clipping", ["none", "norm", "percentile"])
@pytest.mark.parametrize("cell", sorted(CELLS))
def test_healthy_networks_raise_no_alarm(tmp_path: Path, cell: str, clipping: str) -> None:
    optimizer = OPTIMIZERS["adam"](rate=0.01)
    run = trained(tmp_path, replace(TRAINING, optimizer=optimizer, clipping=CLIPPING[clipping]()), cell=cell)
    found = {verdict.code: verdict for verdict in verdicts(run)}
    memory = found.pop("short_memory")  # that of a plain RNN may be short; the rule is compared with the recorded profile instead
    if cell.startswith(("lstm", "gru")):
        assert memory.severity in ("good", "note")
    assert {code: found[code].summary for code in NEW if code in found and found[code].severity in ("warning", "critical")} == {}


def test_tiny_entries_bend_every_step(tmp_path: Path) -> None:
    """Cut to 1e-6 nearly all entries have the same size. So the cosine is that between a gradient and its signs."""
    run = trained(tmp_path, replace(TRAINING, clipping=CLIPPING["value"](limit=1e-6)))
    verdict = said("bent_direction", run)
    assert (verdict.severity, verdict.numbers["share_clipped"]) == ("warning", 1)
    assert verdict.numbers["median_angle"] > 30


def test_a_rate_of_nearly_nothing_is_dying(tmp_path: Path) -> None:
    """Plain gradient descent: the update is the rate times the gradient, which another table of the run holds too."""
    rate = 1e-9
    run = trained(tmp_path, replace(TRAINING, optimizer=OPTIMIZERS["sgd"](rate=rate), precision="float64"))
    verdict, table = said("slow_learning", run), run.parameters
    late = table[(table["parameter"] == "layers.0.forward.weight_hh") & (table["step"] >= 60)]
    squares = late.assign(g=late["gradient_after"] ** 2, w=late["weight"] ** 2).groupby("step")[["g", "w"]].sum()
    expected = rate * float(np.sqrt(squares["g"] / squares["w"]).median())
    assert verdict.numbers["ratio layers.0.forward.weight_hh"] == pytest.approx(expected, rel=1e-6)
    assert (verdict.severity, verdict.word) == ("warning", "dying")


def test_a_rate_of_one_throws_the_weights_about(tmp_path: Path) -> None:
    run = trained(tmp_path, replace(TRAINING, optimizer=OPTIMIZERS["rmsprop"](rate=1.0), clipping=CLIPPING["norm"]()))
    assert said("unstable_learning", run).severity in ("warning", "note")


def fires(run: Run, count: int = 200) -> np.ndarray:
    """Which units ever fire on fresh sequences, by a plain loop over the stored weights, (unit,)."""
    rng, stored = np.random.default_rng(5), run.weights()
    ih, hh, bias = (stored[f"layers.0.forward.{name}"][0] for name in ("weight_ih", "weight_hh", "bias"))
    state, fired = np.zeros((count, len(hh))), np.zeros(len(hh), bool)
    marks = np.zeros((count, 20))
    marks[np.arange(count), rng.integers(0, 10, count)] = marks[np.arange(count), rng.integers(10, 20, count)] = 1
    for time in range(20):
        inputs = np.stack([rng.uniform(size=count), marks[:, time]], axis=1)
        state = np.maximum(inputs @ ih + state @ hh + bias, 0)
        fired |= (state > 0).any(axis=0)
    return fired


@pytest.mark.parametrize(("clipping", "severity"), [("norm", "warning"), ("none", "critical")])
def test_units_that_large_steps_killed(tmp_path: Path, clipping: str, severity: str) -> None:
    training = replace(TRAINING, optimizer=OPTIMIZERS["sgd"](rate=0.8), clipping=CLIPPING[clipping]())
    run = trained(tmp_path, training, cell="rnn", activation="relu")
    verdict = said("dead_units", run)
    assert verdict.severity == severity
    assert verdict.rows["which"].iloc[0] == np.flatnonzero(~fires(run)).tolist()
    assert not run.probe(run.probe_steps[-1], 0, "hidden")[:, verdict.rows["which"].iloc[0]].any()


def test_a_threshold_that_never_acts(tmp_path: Path) -> None:
    run = trained(tmp_path, replace(TRAINING, clipping=CLIPPING["norm"](limit=1e9)))
    verdict = said("under_clipped", run)
    assert (verdict.numbers["share_clipped"], verdict.numbers["threshold"], verdict.severity) == (0, 1e9, "good")

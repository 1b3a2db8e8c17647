"""The rules for highways, transient growth and starts on networks that were really trained, beside the exact tools on the same network."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gradviz.cells import CELLS
from gradviz.config import Experiment, Model, Recording, Training
from gradviz.dynamics.confidence import decay_of
from gradviz.dynamics.highway import KEEPERS, highway
from gradviz.dynamics.jacobians import follow
from gradviz.findings import FINDINGS
from gradviz.frames import Run, load
from gradviz.initializers import Initialization
from gradviz.optimizers import OPTIMIZERS
from gradviz.recording.reopen import reopen
from gradviz.tasks import TASKS
from gradviz.training import train

NEW = ("closed_highway", "transient_growth", "initialization")
RECORDING = Recording(every=20, reach_every=20, probe_every=60, held_out=16)
TRAINING = Training(batch=16)
GATED = [name for name in CELLS if CELLS[name].family in KEEPERS]


def trained(folder: Path, cell: str, begin: Initialization | None = None, updates: int = 120, rate: float = 0.01) -> Run:
    model = Model(cell=CELLS[cell](), units=16, initialization=begin or Initialization())
    training = replace(TRAINING, updates=updates, optimizer=OPTIMIZERS["adam"](rate=rate))
    return load(train(Experiment(TASKS["adding"](length=20), model, training, RECORDING), folder / "run"))


@pytest.mark.parametrize("cell", sorted(CELLS))
def test_healthy_networks_raise_no_alarm(tmp_path: Path, cell: str) -> None:
    run = trained(tmp_path, cell)
    found = {name: FINDINGS[name]().check(run) for name in NEW}
    assert {name: verdict.summary for name, verdict in found.items() if verdict.severity in ("warning", "critical")} == {}
    assert found["initialization"].severity == "good"


def test_chrono_is_silent(tmp_path: Path) -> None:
    run = trained(tmp_path, "lstm", Initialization(chrono=20), updates=20)
    assert FINDINGS["initialization"]().check(run).word == "near the edge"
    assert FINDINGS["closed_highway"]().check(run).word == "open"


def test_a_forget_bias_of_minus_four_closes_the_highway(tmp_path: Path) -> None:
    """Kept from learning its way out: in 20 larger steps it would have found a way through h, and the verdict would say so."""
    run = trained(tmp_path, "lstm", Initialization(forget_bias=-4.0, gain=0.1), updates=20, rate=1e-6)
    closed, start = (FINDINGS[name]().check(run) for name in ("closed_highway", "initialization"))
    assert (closed.severity, closed.word) == ("critical", "closed")
    assert closed.numbers["log10_median"] == pytest.approx(10 * math.log10(1 / (1 + math.exp(4))), rel=0.2)
    assert (start.severity, start.word) == ("warning", "far off")
    assert start.numbers["chrono"] == 10


@pytest.mark.parametrize("cell", GATED)
def test_recorded_gates_are_those_of_the_exact_highway(tmp_path: Path, cell: str) -> None:
    """The product of gates along the probe sequences, from the reopened network."""
    run = trained(tmp_path, cell, updates=20)
    opened = reopen(run.path)
    probe = opened.known.held_out(16).some(slice(2), opened.network.signature.at)
    logs = []
    for example, length in enumerate(probe.reading.ends):
        found = highway(follow(opened.network, probe.inputs[:length, example]))
        logs.append(found.log_direct[-1])
    passed = np.sort(sum(logs) / probe.reading.ends.sum() * 10 / math.log(10))[::-1]
    verdict = FINDINGS["closed_highway"]().check(run)
    assert verdict.numbers["distance"] == 10 == run.meta["lag"]
    assert verdict.numbers["log10_best_tenth"] == pytest.approx(passed[1], rel=1e-9)
    assert verdict.numbers["log10_median"] == pytest.approx(np.median(passed), rel=1e-9)


@pytest.mark.parametrize("cell", sorted(CELLS))
def test_recorded_intervals_are_those_of_the_reopened_network(tmp_path: Path, cell: str) -> None:
    """Sequence by sequence from the network that the run's folder holds, one backward pass each."""
    run = trained(tmp_path, cell, updates=20)
    opened = reopen(run.path)
    network, batch = opened.network.astype("float64"), opened.known.held_out(16)
    profiles = []
    for k in range(16):
        one = batch.some(slice(k, k + 1), network.signature.at)
        made = network.forward(one.inputs, one.lengths)
        network.backward(made, network.loss(made, one).d_outputs)
        profiles.append(np.log10(np.linalg.norm(made.tapes["layers.0.forward"].gradients("hidden")[::-1, 0], axis=1)))
    expected = decay_of(np.array(profiles).T)
    table = run.table("reach")
    row = table[(table["point"] == "hidden") & (table["step"] == 20)].iloc[0]
    assert (row["decay_low"], row["decay_high"], row["sequences"]) == pytest.approx((expected.low, expected.high, 16))
    assert row["decay"] == pytest.approx(expected.per_step)

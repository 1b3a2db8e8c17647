"""PyTorch models that are broken on purpose, and one that is not: the findings name the cause, and nothing else."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gradviz
from gradviz.findings import Verdict, verdicts
from tests.watching import nn, torch

pytestmark = pytest.mark.torch
STEPS, SIZE, INPUTS, UNITS = 40, 8, 3, 16


class Reader(nn.Module):
    """Reads a sequence and answers at its end."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.rnn, self.fc = getattr(nn, kind)(INPUTS, UNITS), nn.Linear(UNITS, 1)

    def forward(self, inputs: Any) -> Any:
        return self.fc(self.rnn(inputs)[0][-1])


def judged(model: Reader, folder: Path, rate: float = 1e-6) -> dict[str, Verdict]:
    """A few updates that hardly move the weights."""
    optimizer, drawn = torch.optim.SGD(model.parameters(), lr=rate), torch.Generator().manual_seed(0)
    with gradviz.watch(model, folder, every=5) as run:
        for _ in range(11):
            inputs = torch.randn(STEPS, SIZE, INPUTS, generator=drawn)
            loss = (model(inputs) - inputs.sum(dim=(0, 2))[:, None]).square().mean()
            loss.backward()
            optimizer.step()
            run.step(loss)
            optimizer.zero_grad()
    return {verdict.code: verdict for verdict in verdicts(gradviz.load(folder))}


def test_an_exploding_initialisation(tmp_path: Path) -> None:
    """A linear RNN in all but name: tiny states, and a recurrent matrix that stretches every gradient 1.4 times a step."""
    model = Reader("RNN")
    with torch.no_grad():
        nn.init.orthogonal_(model.rnn.weight_hh_l0, gain=1.4)
        model.rnn.weight_ih_l0 *= 1e-9
        model.rnn.bias_ih_l0.zero_()
        model.rnn.bias_hh_l0.zero_()
    found = judged(model, tmp_path / "run", rate=0.0)
    assert (found["exploding"].severity, found["exploding"].word) == ("critical", "explodes")
    np.testing.assert_allclose(found["exploding"].numbers["decay_end"], 1.4, rtol=1e-3)
    np.testing.assert_allclose(found["exploding"].numbers["growth_decades"], 39 * np.log10(1.4), rtol=1e-3)
    assert found["initialization"].word == "far off"
    np.testing.assert_allclose(found["initialization"].numbers["decay_start"], 1.4, rtol=1e-3)
    assert found["replay"].severity == "good"


def test_saturated_forget_gates(tmp_path: Path) -> None:
    """All shut: the direct way back is closed, and the gates do not feel it."""
    model = Reader("LSTM")
    with torch.no_grad():
        model.rnn.bias_ih_l0[UNITS : 2 * UNITS] = -12.0
    found = judged(model, tmp_path / "run")
    assert found["closed_highway"].word == "closed"
    assert found["closed_highway"].severity == "warning"
    assert found["closed_highway"].numbers["share_open"] == 0
    assert found["vanishing"].severity in ("warning", "critical")
    said = found["saturated_gates"]
    assert said.numbers["left gate.forget 0 forward"] == 1
    assert "forget gate" in said.summary
    assert found["replay"].severity == "good"


def test_dead_units(tmp_path: Path) -> None:
    model = Reader("RNN")
    model.rnn = nn.RNN(INPUTS, UNITS, nonlinearity="relu")
    with torch.no_grad():
        model.rnn.bias_ih_l0[:12] = -100.0
    found = judged(model, tmp_path / "run")
    assert found["dead_units"].numbers["dead 0 forward"] >= 12 / 16
    assert found["dead_units"].severity == "warning"


def test_a_healthy_one_is_left_in_peace(tmp_path: Path) -> None:
    model = Reader("LSTM")
    with torch.no_grad():
        model.rnn.bias_ih_l0[UNITS : 2 * UNITS] = 3.0
    found = judged(model, tmp_path / "run")
    assert not [code for code, verdict in found.items() if verdict.severity in ("critical", "warning") and code != "slow_learning"]
    assert found["vanishing"].word == "reaches back"
    assert found["closed_highway"].word == "open"

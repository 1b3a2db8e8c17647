"""A watched PyTorch model beside a loop over time written by hand with retain_grad: every gate, ∂L/∂h_t and ∂L/∂c_t at every step."""

from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gradviz
from tests.parity import Case, Question, by_loop, module_of, theirs, torch

pytestmark = pytest.mark.torch
nn = torch.nn
TOLERANCE = {"float64": 1e-9, "float32": 1e-5}


class Model(nn.Module):
    """A recurrent module, packed or not, and the readout of `parity`."""

    def __init__(self, case: Case, made: gradviz.Network, question: Question) -> None:
        super().__init__()
        self.case, self.rnn = case, module_of(case, made)
        self.fc = nn.Linear(*made.parameters["readout.weight"].shape, dtype=getattr(torch, case.dtype))
        with torch.no_grad():
            self.fc.weight.copy_(torch.tensor(made.parameters["readout.weight"].T))
            self.fc.bias.copy_(torch.tensor(made.parameters["readout.bias"]))
        self.question = question

    def forward(self) -> Any:
        question, case = self.question, self.case
        x = torch.tensor(question.inputs)
        first = [torch.tensor(np.stack(part)) for part in zip(*question.initial.values(), strict=True)]
        state = tuple(first) if case.cell == "lstm" else first[0]
        if case.pattern != "full":
            x = nn.utils.rnn.pack_padded_sequence(x, torch.tensor(case.lengths), enforce_sorted=False)
        out, final = self.rnn(x, state)
        if case.pattern != "full":
            out = nn.utils.rnn.pad_packed_sequence(out, total_length=len(question.inputs))[0]
        outputs = self.fc(out) * torch.tensor(case.mask)[..., None]
        finals = final if case.cell == "lstm" else (final,)
        d_final = [torch.tensor(np.stack(part)) for part in zip(*question.d_final.values(), strict=True)]
        loss = (outputs * torch.tensor(question.d_outputs)).sum()
        return loss + sum((a * b).sum() for a, b in zip(finals, d_final, strict=True))


CASES = [
    Case(cell, activation, layers, direction, biases=layers != 2 or cell != "gru", pattern=pattern, dtype=dtype)
    for (cell, activation), layers, direction, pattern, dtype in product(
        [("rnn", "tanh"), ("rnn", "relu"), ("gru", "tanh"), ("lstm", "tanh")],
        (1, 2, 3),
        ("forward", "both"),
        ("full", "ragged"),
        ("float64", "float32"),
    )
    if (activation == "tanh" or layers == 2) and (dtype == "float64" or (layers != 2 and pattern == "ragged"))
]


@pytest.mark.parametrize("case", CASES, ids=[f"{c.cell}-{c.activation}-{c.layers}-{c.direction}-{c.pattern}-{c.dtype}" for c in CASES])
def test_every_time_step_is_what_a_loop_by_hand_finds(case: Case, tmp_path: Path) -> None:
    made = case.network()
    question = Question.of(case, made)
    exact = theirs(case, made, question, by_loop)
    model = Model(case, made, question)
    with gradviz.watch(model, tmp_path / "run") as run:
        loss = model()
        loss.backward()
        run.step(loss)
    replay = run.replays["rnn"]
    steps = int(case.lengths.max())
    for point in replay.points:
        agree(replay.values(point), exact[point][:steps], case, point)
        if point.endswith((".hidden", ".cell")):
            agree(replay.gradient(point), exact[f"d {point}"][:steps], case, f"d {point}")
    assert 0 < replay.mismatch.gradients < TOLERANCE[case.dtype]
    assert replay.mismatch.outputs < TOLERANCE[case.dtype]
    recorded = gradviz.load(tmp_path / "run")
    norms = recorded.timesteps.query("quantity == 'gradient_norm' and layer == 0 and direction == 'forward' and point == 'hidden'")
    each = np.linalg.norm(exact["d layers.0.forward.hidden"], axis=2)[:steps]
    mean = np.where(case.mask, each, 0).sum(axis=1) / case.mask.sum(axis=1)
    np.testing.assert_allclose(norms["mean"], mean, rtol=TOLERANCE[case.dtype])


def agree(found: np.ndarray, wanted: np.ndarray, case: Case, name: str) -> None:
    """Relative to the size of the array."""
    off = np.linalg.norm(found - wanted) / np.linalg.norm(wanted)
    assert off < TOLERANCE[case.dtype], (name, off)

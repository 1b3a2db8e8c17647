"""A training step of a PyTorch model: alone, watched but not recorded, and recorded; beside a loop by hand that keeps the same."""

import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import torch
import with_torch
from job import Size, job
from torch import nn

import gradviz

NEVER = 10**9


class Reader(nn.Module):
    """PyTorch's own layer and a readout of every step."""

    def __init__(self, cell: str, size: Size, outputs: int) -> None:
        super().__init__()
        self.rnn = getattr(nn, cell.upper())(size.inputs, size.units)
        self.readout = nn.Linear(size.units, outputs)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        return self.readout(self.rnn(inputs)[0])


def contenders(cell: str, size: Size, leave: ExitStack) -> dict[str, Callable[[], object]]:
    """Forward, loss, backward, clipping, Adam; and forward and backward of a loop with retain_grad, without the rest. leave: what ends
    the watching."""
    given = job(cell, size)
    inputs, targets = torch.tensor(given.batch.inputs), torch.tensor(given.d_outputs)
    folder = Path(tempfile.mkdtemp(prefix="gradviz-benchmark-"))

    def training(every: int) -> Callable[[], object]:
        torch.manual_seed(0)
        model = Reader(cell, size, targets.shape[2])
        optimizer = torch.optim.Adam(model.parameters(), lr=1e-4)
        run = leave.enter_context(gradviz.watch(model, folder / str(every), every)) if every else None

        def step() -> None:
            loss = nn.functional.mse_loss(model(inputs), targets)
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            if run is not None:
                run.step(loss)
            optimizer.zero_grad()

        return step

    return {
        "alone": training(0),
        "not recorded": training(NEVER),
        "recorded": training(1),
        "loop, retain_grad": with_torch.recorded(given),
    }

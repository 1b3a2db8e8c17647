"""Small PyTorch models, and trainings of them that are watched. Needs PyTorch."""

from pathlib import Path
from typing import Any

import pytest

import gradviz
from gradviz.frames import Run

torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install torch")
torch.set_num_threads(1)  # small products: two threads on busy cores are a hundred times slower
nn = torch.nn
INPUTS, UNITS, OUTPUTS, STEPS, SIZE = 3, 4, 2, 6, 5


class Small(nn.Module):
    """A recurrent module with a readout of every step."""

    def __init__(self, kind: str = "LSTM", **options: Any) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.rnn = getattr(nn, kind)(INPUTS, UNITS, **options)
        self.fc = nn.Linear(UNITS * (2 if options.get("bidirectional") else 1), OUTPUTS, dtype=options.get("dtype"))

    def forward(self, inputs: Any) -> Any:
        return self.fc(self.rnn(inputs)[0])


def batch(steps: int = STEPS, size: int = SIZE, seed: int = 0, dtype: Any = None) -> Any:
    return torch.randn(steps, size, INPUTS, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def train(
    model: Any, folder: Path, updates: int = 4, every: int = 2, clip: Any = None, rate: float = 0.1, **options: Any
) -> tuple[Run, Any]:
    """An ordinary loop, watched. clip: called between backward and update. Gives the run, and what watched it."""
    optimizer = torch.optim.SGD(model.parameters(), lr=rate)
    dtype = next(model.parameters()).dtype
    with gradviz.watch(model, folder, every, **options) as watched:
        for k in range(updates):
            loss = model(batch(seed=k, dtype=dtype)).square().mean()
            loss.backward()
            if clip is not None:
                clip(model)
            optimizer.step()
            watched.step(loss)
            optimizer.zero_grad()
    return gradviz.load(folder), watched


def hooks_on(model: Any) -> int:
    """How many hooks there are on a model's modules and parameters."""
    count = 0
    for module in model.modules():
        count += len(module._forward_hooks) + len(module._forward_pre_hooks) + len(module._backward_hooks)
    for parameter in model.parameters():
        count += len(parameter._backward_hooks or ()) + len(parameter._post_accumulate_grad_hooks or ())
    return count


class Pair(nn.Module):
    """An encoder that reads both ways packed sequences, and a decoder of another kind that reads what it says."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(1)
        self.encoder = nn.GRU(INPUTS, UNITS, bidirectional=True, batch_first=True)
        self.decoder = nn.LSTM(2 * UNITS, UNITS)
        self.fc = nn.Linear(UNITS, OUTPUTS)

    def forward(self, inputs: Any) -> Any:
        lengths = torch.tensor([len(inputs), *range(len(inputs) - inputs.shape[1] + 1, len(inputs))]).clamp(min=1)
        packed = nn.utils.rnn.pack_padded_sequence(inputs.swapaxes(0, 1), lengths, batch_first=True, enforce_sorted=False)
        out = nn.utils.rnn.pad_packed_sequence(self.encoder(packed)[0])[0]
        return self.fc(self.decoder(out)[0])


class Steps(nn.Module):
    """A cell, called once a time step, read out at the end."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(2)
        self.cell, self.fc = nn.LSTMCell(INPUTS, UNITS), nn.Linear(UNITS, OUTPUTS)

    def forward(self, inputs: Any) -> Any:
        state = None
        for x in inputs:
            state = self.cell(x, state)
        return self.fc(state[0])


def watched_runs(folder: Path) -> None:
    """Runs of models of every shape."""
    models = {"layers": Small(num_layers=2), "two modules": Pair(), "loop": Steps(), "plain": Small("RNN", bidirectional=True)}
    for name, model in models.items():
        optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
        with gradviz.watch(model, folder / name, every=2) as watched:
            for k in range(25 if name == "layers" else 5):
                inputs = batch(steps=20, size=SIZE, seed=k)
                loss = (model(inputs) - inputs.mean(dim=(0, 2))[:, None]).square().mean()
                loss.backward()
                nn.utils.clip_grad_norm_(model.parameters(), 0.1)
                optimizer.step()
                watched.step(loss)
                optimizer.zero_grad()
    with pytest.warns(UserWarning, match="only its parameters"):
        train(nn.Sequential(nn.Linear(INPUTS, 5), nn.Tanh(), nn.Linear(5, OUTPUTS)), folder / "parameters only")

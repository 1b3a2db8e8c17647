"""A whole training against PyTorch: same weights, batches, loss, clipping and Adam give the same losses, update for update."""

import numpy as np
import pytest

from gradviz.cells import CELLS
from gradviz.clipping.norm import Norm
from gradviz.config import Experiment, Model, Recording, Training
from gradviz.optimizers.adam import Adam
from gradviz.tasks.text import Text
from gradviz.trainer import Trainer

torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install torch")
torch.set_num_threads(1)  # small products: two threads on busy cores are a hundred times slower

UPDATES, LIMIT = 25, 0.5


class Nowhere:
    def append(self, table: str, row: dict[str, object]) -> None:
        """Recorded rows are not what is tested here."""


@pytest.mark.torch
@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
def test_a_training_equals_pytorchs(cell: str) -> None:
    model = Model(cell=CELLS[cell](), units=24)
    training = Training(updates=UPDATES, batch=8, optimizer=Adam(rate=0.01), clipping=Norm(limit=LIMIT), precision="float64")
    experiment = Experiment(Text(length=40), model, training, Recording(every=1000, reach_every=0, probe_every=0, held_out=2))
    data = experiment.task.open()
    ours, theirs = Trainer(experiment, data, Nowhere()), Trainer(experiment, data, Nowhere())
    weights = {name: torch.tensor(array, requires_grad=True) for name, array in theirs.network.parameters.items()}
    optimizer = torch.optim.Adam(weights.values(), lr=0.01)
    for step in range(UPDATES):
        row = ours.update(step)
        batch = data.batch(8, theirs.rng)
        loss = torch_loss(cell, model.cell.blocks, weights, batch.inputs, batch.targets)
        optimizer.zero_grad()
        loss.backward()
        norm = torch.sqrt(sum((w.grad**2).sum() for w in weights.values()))
        for weight in weights.values():
            weight.grad *= min(1.0, LIMIT / norm.item())
        optimizer.step()
        assert row["loss"] == pytest.approx(loss.item(), rel=1e-8)
        assert row["norm_before"] == pytest.approx(norm.item(), rel=1e-7)
        assert row["clipped"] == (norm.item() > LIMIT)


def torch_loss(cell: str, blocks: tuple[str, ...], weights, inputs: np.ndarray, targets: np.ndarray):  # type: ignore[no-untyped-def]
    """The network written out in PyTorch, from the equations."""
    part = "layers.0.forward."
    h = torch.zeros(inputs.shape[1], weights[part + "weight_hh"].shape[2], dtype=torch.float64)
    c, outputs = torch.zeros_like(h), []
    for tokens in inputs:
        there = torch.tensor(tokens >= 0)[:, None]  # no token is the zero vector
        read = {b: weights[part + "weight_ih"][k][torch.tensor(tokens.clip(0))] * there for k, b in enumerate(blocks)}
        x = {b: read[b] + weights[part + "bias"][k] for k, b in enumerate(blocks)}
        u = {b: h @ weights[part + "weight_hh"][k] for k, b in enumerate(blocks)}
        if cell == "rnn":
            h = torch.tanh(x["state"] + u["state"])
        elif cell == "gru":
            r, z = (torch.sigmoid(x[b] + u[b]) for b in ("reset", "update"))
            n = torch.tanh(x["candidate"] + r * (u["candidate"] + weights[part + "bias_hh"]))
            h = (1 - z) * n + z * h
        else:
            i, f, o = (torch.sigmoid(x[b] + u[b]) for b in ("input", "forget", "output"))
            c = f * c + i * torch.tanh(x["candidate"] + u["candidate"])
            h = o * torch.tanh(c)
        outputs.append(h @ weights["readout.weight"] + weights["readout.bias"])
    return torch.nn.functional.cross_entropy(torch.stack(outputs).flatten(0, 1), torch.tensor(targets).flatten())

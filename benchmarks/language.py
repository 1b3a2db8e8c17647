"""A character language model on the built-in text: its updates in gradviz and in PyTorch, from the same weights and on the same batches.

Embedding, one LSTM, readout, cross-entropy, clipping by norm, Adam. In PyTorch once with the fused nn.LSTM, which shows nothing inside, and
once as a loop that keeps what the recorder keeps.
"""

import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

import gradviz
from gradviz.batch import Batch
from gradviz.clipping.norm import Norm
from gradviz.config import Experiment, Model, Recording, Training
from gradviz.network import Network
from gradviz.optimizers.adam import Adam
from gradviz.recording.store import RunWriter
from gradviz.tasks import TASKS
from gradviz.trainer import Trainer

UNITS, EMBEDDING, LENGTH, BATCH, RATE, LIMIT = 128, 64, 100, 32, 0.005, 1.0
TOKENS = LENGTH * BATCH  # of one update


def experiment(updates: int, every: int = 10**9) -> Experiment:
    training = Training(updates=updates, batch=BATCH, optimizer=Adam(rate=RATE), clipping=Norm(limit=LIMIT, eps=1e-6))
    recording = Recording(every=every, reach_every=0, probe_every=0)
    return Experiment(TASKS["text"](length=LENGTH), Model(units=UNITS, embedding=EMBEDDING), training, recording)


class Peer(torch.nn.Module):
    """The same network with the names that `gradviz.to_torch` gives. looped: an explicit loop that keeps every gate and state."""

    def __init__(self, network: Network, *, looped: bool = False) -> None:
        super().__init__()
        tokens = network.signature.inputs
        self.looped = looped
        self.kept: list[Tensor] = []
        self.embedding = torch.nn.Embedding(tokens, EMBEDDING)
        self.rnn = torch.nn.LSTM(EMBEDDING, UNITS)
        self.fc = torch.nn.Linear(UNITS, tokens)
        self.load_state_dict({name: torch.tensor(array) for name, array in gradviz.to_torch(network).items()})
        self.rnn.bias_hh_l0.requires_grad_(False)  # zero: two biases that learn move twice as fast as one, and count twice in the norm

    def forward(self, inputs: Tensor) -> Tensor:
        there = (inputs >= 0)[..., None]  # no token: the zero vector
        read = self.embedding(inputs.clamp(min=0)) * there
        return self.fc(self._loop(read) if self.looped else self.rnn(read)[0])

    def _loop(self, read: Tensor) -> Tensor:
        rnn = self.rnn
        projected = (read @ rnn.weight_ih_l0.T + rnn.bias_ih_l0 + rnn.bias_hh_l0).unbind(0)
        h = c = torch.zeros(read.shape[1], UNITS)
        self.kept, hidden = [], []
        for x in projected:
            i, f, g, o = (x + h @ rnn.weight_hh_l0.T).chunk(4, 1)
            i, f, g, o = torch.sigmoid(i), torch.sigmoid(f), torch.tanh(g), torch.sigmoid(o)
            c = f * c + i * g
            h = o * torch.tanh(c)
            h.retain_grad()
            c.retain_grad()
            self.kept += [h, c, *(gate.detach() for gate in (i, f, g, o))]
            hidden.append(h)
        return torch.stack(hidden)


class PeerTraining:
    """What `gradviz.training.Trainer` is, in PyTorch."""

    def __init__(self, network: Network, *, looped: bool = False) -> None:
        self.module = Peer(network, looped=looped)
        self.learning = [parameter for parameter in self.module.parameters() if parameter.requires_grad]
        self.optimizer = torch.optim.Adam(self.learning, lr=RATE)

    def update(self, batch: Batch) -> float:
        loss = self.loss(batch)
        self.optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.learning, LIMIT)
        self.optimizer.step()
        return loss.item()

    def loss(self, batch: Batch) -> Tensor:
        outputs = self.module(torch.tensor(np.asarray(batch.inputs, np.int64)))
        return cross_entropy(outputs.flatten(0, 1), torch.tensor(np.asarray(batch.targets, np.int64)).flatten())


def contenders() -> dict[str, Callable[[], object]]:
    """One update each: bare, with everything recorded into a run folder, and PyTorch's."""
    given = experiment(10**9, every=2)
    data = given.task.open()
    folder = Path(tempfile.mkdtemp(prefix="gradviz-benchmark-")) / "run"
    trainer = Trainer(given, data, RunWriter.create(folder, {"name": "run", "status": "running"}))
    batch = data.batch(BATCH, np.random.default_rng(0))
    fused, looped = PeerTraining(trainer.network), PeerTraining(trainer.network, looped=True)
    return {
        "bare": lambda: trainer.update(1),
        "recorded": lambda: trainer.update(2),
        "nn.LSTM": lambda: fused.update(batch),
        "PyTorch loop": lambda: looped.update(batch),
    }


def quality(updates: int) -> dict[str, float]:
    """Bits per character on held-out text after so many updates from the same weights on the same batches."""
    given = experiment(updates)
    data = given.task.open()
    trainer = Trainer(given, data, Nowhere())
    peer, rng = PeerTraining(trainer.network), np.random.default_rng([given.training.seed, 1])
    for step in range(updates):
        trainer.update(step + 1)
        peer.update(data.batch(BATCH, rng))
    held_out = data.held_out(200)
    ours = trainer.network.loss(trainer.network.forward(held_out.inputs, held_out.lengths), held_out).mean
    with torch.no_grad():
        theirs = peer.loss(held_out).item()
    return {"gradviz": bits(ours), "PyTorch": bits(theirs), "letter trigrams": bits(data.facts["trigrams"])}


def bits(nats: float) -> float:
    return float(nats / np.log(2))


class Nowhere:
    """Takes rows and keeps none."""

    def append(self, table: str, row: dict[str, object]) -> None: ...

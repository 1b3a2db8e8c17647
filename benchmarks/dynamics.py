"""The exact instruments beside the same through PyTorch's `jacrev`: Lyapunov spectra and gradient matrices, in double precision.

In PyTorch a step is a function of the state (and of a nudge at every step, for the matrix); `vmap(jacrev(…))` takes the Jacobians of many
steps at once, the fastest form of it. Both give the same numbers, or the benchmark stops.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.func import jacrev, vmap

import gradviz
from gradviz.batch import Batch, Signature
from gradviz.cells import CELLS
from gradviz.config import Model
from gradviz.dynamics.jacobians import follow, in_pieces
from gradviz.dynamics.lyapunov import spectrum
from gradviz.dynamics.matrix import gradient_matrix
from gradviz.network import Network

FEATURES, CHUNK = 2, 64
Contenders = dict[str, Callable[[], object]]


@dataclass(frozen=True)
class Case:
    cell: str
    steps: int
    units: int

    def network(self) -> Network:
        return Network(Model(cell=CELLS[self.cell](), units=self.units), Signature(FEATURES, 1, False, "squared"), dtype="float64")

    def inputs(self) -> np.ndarray:
        return np.random.default_rng(0).standard_normal((self.steps, FEATURES))


class Peer:
    """One step of the same cell on the joint state, as PyTorch's own equations write it."""

    def __init__(self, case: Case, network: Network) -> None:
        given = {name: torch.tensor(array) for name, array in gradviz.to_torch(network).items()}
        self.cell = case.cell
        self.ih, self.hh = given["rnn.weight_ih_l0"], given["rnn.weight_hh_l0"]
        self.bias, self.bias_hh = given["rnn.bias_ih_l0"], given["rnn.bias_hh_l0"]
        self.readout, self.readout_bias = given["fc.weight"], given["fc.bias"]

    def step(self, state: Tensor, x: Tensor) -> Tensor:
        units = self.hh.shape[1]
        read, recurrent = x @ self.ih.T + self.bias, state[:units] @ self.hh.T + self.bias_hh
        if self.cell == "rnn":
            return torch.tanh(read + recurrent)
        if self.cell == "gru":
            (r, z, n), (hr, hz, hn) = read.chunk(3), recurrent.chunk(3)
            z = torch.sigmoid(z + hz)
            return (1 - z) * torch.tanh(n + torch.sigmoid(r + hr) * hn) + z * state
        i, f, g, o = (read + recurrent).chunk(4)
        c = torch.sigmoid(f) * state[units:] + torch.sigmoid(i) * torch.tanh(g)
        return torch.cat([torch.sigmoid(o) * torch.tanh(c), c])


def spectra(case: Case) -> Contenders:
    """The whole spectrum along a sequence."""
    network, inputs = case.network(), case.inputs()
    peer, x = Peer(case, network), torch.tensor(inputs)
    jacobians = vmap(jacrev(peer.step))

    def ours() -> np.ndarray:
        return spectrum(in_pieces(follow(network, inputs))).exponents

    def theirs() -> np.ndarray:
        with torch.no_grad():
            states = [torch.zeros(case.units * (2 if case.cell == "lstm" else 1), dtype=torch.float64)]
            for one in x:
                states.append(peer.step(states[-1], one))
        before = torch.stack(states[:-1])
        q, logs = torch.linalg.qr(torch.randn(len(states[0]), len(states[0]), dtype=torch.float64)).Q, []
        for start in range(0, case.steps, CHUNK):
            for jacobian in jacobians(before[start : start + CHUNK], x[start : start + CHUNK]).detach():
                q, r = torch.linalg.qr(jacobian @ q)
                logs.append(r.diagonal().abs().log())
        return np.sort(torch.stack(logs).mean(0).numpy())[::-1]

    np.testing.assert_allclose(ours()[:2], theirs()[:2], atol=0.2)  # the first Q is drawn: they begin in different directions
    return {"gradviz": ours, "jacrev": theirs}


def matrices(case: Case) -> Contenders:
    """‖∂L_t/∂h_k‖ for all t and k; and one pass forward and backward, as a measure."""
    network, inputs = case.network(), case.inputs()
    targets = np.random.default_rng(1).standard_normal((case.steps, 1, 1))
    batch, peer, x, y = Batch(inputs[:, None], targets), Peer(case, network), torch.tensor(inputs), torch.tensor(targets[:, 0])

    def ours() -> np.ndarray:
        return gradient_matrix(network, batch).norms

    def one_pass() -> None:
        run = network.forward(batch.inputs, reuse=True)
        network.backward(run, network.loss(run, batch).d_outputs, parameters=False)

    def losses(nudges: Tensor) -> Tensor:
        state, found = torch.zeros(case.units * (2 if case.cell == "lstm" else 1), dtype=torch.float64), []
        for nudge, one, target in zip(nudges, x, y, strict=True):
            state = peer.step(state, one)
            state = torch.cat([state[: case.units] + nudge, state[case.units :]])
            found.append(((state[: case.units] @ peer.readout.T + peer.readout_bias - target) ** 2).sum())
        return torch.stack(found)

    def theirs() -> np.ndarray:
        nudges = torch.zeros(case.steps, case.units, dtype=torch.float64)
        return jacrev(losses, chunk_size=CHUNK)(nudges).detach().norm(dim=2).numpy()

    np.testing.assert_allclose(ours(), theirs(), rtol=1e-8, atol=1e-12)
    return {"gradviz": ours, "jacrev": theirs, "one pass": one_pass}

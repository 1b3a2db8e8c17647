"""`gradviz.diagnose`: a model as it is, against PyTorch's own derivatives; files and networks; and nothing is changed."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gradviz
from gradviz.errors import GradvizError
from gradviz.tasks import TASKS
from tests.watching import SIZE, Pair, Small, Steps, batch, hooks_on, nn, torch

pytestmark = pytest.mark.torch
LONG = 12
HIDDEN = "layer == 0 and point == 'hidden' and direction == 'forward'"


def by_hand(model: Any, inputs: Any, loss: Any) -> np.ndarray:
    """log10 of the norm of ∂loss/∂h_t by lag, mean over sequences, from a loop over an LSTM's equations. loss: of all h."""
    module, states = model.rnn, []
    h = c = torch.zeros(inputs.shape[1], module.hidden_size, dtype=inputs.dtype)
    for x in inputs:
        gates = x @ module.weight_ih_l0.T + module.bias_ih_l0 + h @ module.weight_hh_l0.T + module.bias_hh_l0
        i, f, g, o = gates.chunk(4, 1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        h = torch.sigmoid(o) * torch.tanh(c)
        h.retain_grad()
        states.append(h)
    loss(states).backward()
    norms = np.stack([state.grad.norm(dim=1).numpy() for state in states])[::-1]
    model.zero_grad()
    return np.log10(norms).mean(axis=1)


@pytest.mark.parametrize("lossy", [False, True], ids=["a gradient of length 1", "a loss"])
def test_the_profile_is_that_of_autograd(lossy: bool) -> None:
    model, inputs = Small(dtype=torch.float64), batch(LONG, dtype=torch.float64)
    criterion = (lambda out: out[-1].square().sum()) if lossy else None
    found = gradviz.diagnose(model, inputs, loss=criterion)
    exact = by_hand(model, inputs, lambda states: model.fc(states[-1]).square().sum() if lossy else states[-1].sum() * 0.5)
    np.testing.assert_allclose(found.profile.query(HIDDEN).sort_values("lag")["mean"], exact, rtol=1e-9, atol=1e-12)
    below = np.flatnonzero(exact < exact[0] - 2)
    assert found.horizons["layers.0.forward.hidden"] == below[0]
    assert found.run.status == "finished"


def test_the_spectra_are_those_of_pytorch_s_jacobians() -> None:
    model, inputs = Small("GRU", dtype=torch.float64), batch(LONG, dtype=torch.float64)
    found = gradviz.diagnose(model, inputs)
    state, exact = torch.zeros(1, 1, 4, dtype=torch.float64), []
    for x in inputs[:, :1]:
        jacobian = torch.autograd.functional.jacobian(lambda h, x=x: model.rnn(x[None], h)[1].ravel(), state)
        exact.append(np.linalg.svd(jacobian.reshape(4, 4).numpy(), compute_uv=False))
        state = model.rnn(x[None], state)[1].detach()
    np.testing.assert_allclose(found.spectra, exact, rtol=1e-9)
    assert found.why == ""


def test_files_state_dicts_and_networks_say_the_same(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    model, inputs = Small(num_layers=2, dtype=torch.float64), batch(LONG, dtype=torch.float64)
    torch.save(model.state_dict(), tmp_path / "weights.pt")
    save_file(model.state_dict(), tmp_path / "weights.safetensors")
    exact = gradviz.diagnose(model, inputs)
    network = gradviz.load_weights(tmp_path / "weights.safetensors")
    for given in (tmp_path / "weights.pt", str(tmp_path / "weights.safetensors"), model.state_dict(), network):
        found = gradviz.diagnose(given, inputs)
        np.testing.assert_allclose(found.profile["mean"], exact.profile["mean"], rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(found.spectra, exact.spectra, rtol=1e-9)
        assert {verdict.code for verdict in found.verdicts} == {verdict.code for verdict in exact.verdicts}


def test_a_batch_brings_the_network_s_own_loss() -> None:
    data = TASKS["adding"](length=20).open(seed=0)
    network = gradviz.Network(gradviz.Model(units=6), data.signature)
    given = data.held_out(5)
    found = gradviz.diagnose(network, given, lag=10)
    run = network.forward(given.inputs)
    assert len(found.run.held_out) == 1
    np.testing.assert_allclose(found.run.held_out["loss"], network.loss(run, given).mean, rtol=1e-5)
    assert found.verdicts[0].code


def test_tokens_of_an_embedding_are_read(tmp_path: Path) -> None:
    class Speaker(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embed, self.rnn, self.fc = nn.Embedding(7, 3), nn.GRU(3, 4), nn.Linear(4, 7)

        def forward(self, tokens: Any) -> Any:
            return self.fc(self.rnn(self.embed(tokens))[0])

    model, tokens = Speaker().double(), torch.randint(0, 7, (LONG, SIZE))
    exact, found = gradviz.diagnose(model, tokens), gradviz.diagnose(model.state_dict(), tokens)
    np.testing.assert_allclose(found.profile["mean"], exact.profile["mean"], rtol=1e-9, atol=1e-12)


def test_cell_loops_and_several_modules() -> None:
    assert set(gradviz.diagnose(Steps(), batch(LONG)).horizons) == {"layers.0.forward.cell", "layers.0.forward.hidden"}
    pair = gradviz.diagnose(Pair(), batch(LONG))
    assert {name.rsplit(".", 1)[0] for name in pair.horizons} == {"layers.0.forward", "layers.0.backward", "layers.1.forward"}
    assert not len(pair.spectra)
    assert "reads in both directions" in pair.why


def test_the_model_is_left_as_it_was() -> None:
    model = Small(num_layers=2, dropout=0.3).eval()
    model.rnn.weight_hh_l0.requires_grad_(False)
    needs = {name: parameter.requires_grad for name, parameter in model.named_parameters()}
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    gradviz.diagnose(model, batch(), loss=lambda out: out.sum())
    assert all(parameter.grad is None for parameter in model.parameters())
    assert {name: parameter.requires_grad for name, parameter in model.named_parameters()} == needs
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
    assert hooks_on(model) == 0
    assert not model.training


def test_where_it_is_kept(tmp_path: Path) -> None:
    kept = gradviz.diagnose(Small(), batch(), tmp_path / "run")
    assert kept.run.path == tmp_path / "run"
    assert gradviz.chart("waterfall", kept.run).title
    passing = gradviz.diagnose(Small(), batch())
    path = passing.run.path
    assert path.exists()
    assert "How far back the gradient reaches" in str(gradviz.diagnose(Small(), batch(LONG)))
    del passing
    assert not path.exists()
    with pytest.raises(GradvizError, match="holds a run already"):
        gradviz.diagnose(Small(), batch(), tmp_path / "run")


def test_what_cannot_be_diagnosed(tmp_path: Path) -> None:
    torch.save([1, 2], tmp_path / "list.pt")
    (tmp_path / "text.pt").write_text("no weights")
    for model, message in (
        (nn.Linear(3, 3), "nothing to diagnose"),
        (Small(num_layers=2, dropout=0.3), r"model.eval\(\) first"),
        (42, "must be a torch.nn.Module, a state_dict, a file of weights, or a Network"),
        (tmp_path / "list.pt", "it must be a state_dict"),
        (tmp_path / "text.pt", "cannot be read as weights alone"),
        (tmp_path / "nowhere.safetensors", "cannot be read"),
    ):
        with pytest.raises(GradvizError, match=message):
            gradviz.diagnose(model, batch())
    with pytest.raises(GradvizError, match="this network takes"):
        gradviz.diagnose(Small().state_dict(), np.zeros((4, 4)))

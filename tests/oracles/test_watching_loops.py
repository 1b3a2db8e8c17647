"""A model's own loop over cells, watched: every state's gradient against retain_grad on the very states of that loop."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gradviz

torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install torch")
torch.set_num_threads(1)
nn = torch.nn
pytestmark = pytest.mark.torch
STEPS, SIZE, INPUTS, UNITS = 6, 3, 4, 5
KINDS = {"rnn": nn.RNNCell, "gru": nn.GRUCell, "lstm": nn.LSTMCell}


class Loop(nn.Module):
    """Two cells, one above the other, and a readout of every step. kept: the states of the latest pass, whose gradients are retained."""

    def __init__(self, kind: str, dtype: Any) -> None:
        super().__init__()
        self.low, self.high = KINDS[kind](INPUTS, UNITS, dtype=dtype), KINDS[kind](UNITS, UNITS, dtype=dtype)
        self.fc, self.kept = nn.Linear(UNITS, 2, dtype=dtype), {"low": [], "high": []}
        self.mask: Any = None

    def forward(self, inputs: Any, start: Any = None) -> Any:
        states, out = {"low": start, "high": None}, []
        self.kept = {"low": [], "high": []}
        for t, x in enumerate(inputs):
            for name in ("low", "high"):
                made = getattr(self, name)(x, states[name])
                if self.mask is not None and states[name] is not None:
                    made = tuple(torch.where(self.mask[t], new, old) for new, old in zip(made, states[name], strict=True))
                states[name] = made
                each = made if isinstance(made, tuple) else (made,)
                for state in each:
                    state.retain_grad()
                self.kept[name].append(each)
                x = each[0]
            out.append(self.fc(x))
        return torch.stack(out)

    def gradients(self, name: str, k: int) -> np.ndarray:
        """Zero where none arrives: nobody reads the last cell state."""
        each = [states[k] for states in self.kept[name]]
        return np.stack([np.zeros_like(state.detach()) if state.grad is None else state.grad.numpy() for state in each])


def watched(model: Loop, folder: Path, inputs: Any, start: Any = None) -> Any:
    with gradviz.watch(model, folder) as run:
        loss = model(inputs, start).square().sum()
        loss.backward()
        run.step(loss)
    return run


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-9), ("float32", 1e-5)])
def test_every_state_s_gradient_is_that_of_the_loop(kind: str, dtype: str, tolerance: float, tmp_path: Path) -> None:
    torch.manual_seed(1)
    model = Loop(kind, getattr(torch, dtype))
    inputs = torch.randn(STEPS, SIZE, INPUTS, dtype=getattr(torch, dtype))
    run = watched(model, tmp_path / "run", inputs)
    for name in ("low", "high"):
        replay = run.replays[name]
        hidden = replay.gradient("layers.0.forward.hidden")
        assert hidden.shape == (STEPS, SIZE, UNITS)
        exact = model.gradients(name, 0)
        assert np.linalg.norm(hidden - exact) < tolerance * np.linalg.norm(exact)
        made = np.stack([states[0].detach().numpy() for states in model.kept[name]])
        np.testing.assert_allclose(replay.values("layers.0.forward.hidden"), made, rtol=0, atol=tolerance)
        assert replay.mismatch.gradients < tolerance
        if kind == "lstm":
            exact = model.gradients(name, 1)
            assert np.linalg.norm(replay.gradient("layers.0.forward.cell") - exact) < tolerance * np.linalg.norm(exact)
    recorded = gradviz.load(tmp_path / "run")
    assert [recorded.layer_name(layer) for layer in range(2)] == ["layer 0 (low)", "layer 1 (high)"]
    assert set(recorded.timesteps["layer"]) == {0, 1}
    assert len(recorded.reach.query("layer == 1 and point == 'hidden'")) == STEPS


@pytest.mark.parametrize("kind", KINDS)
def test_the_reach_of_a_loop_is_that_of_its_last_step_alone(kind: str, tmp_path: Path) -> None:
    """∂L_T/∂h_t by autograd, with only the last step's loss."""
    torch.manual_seed(2)
    model = Loop(kind, torch.float64)
    inputs = torch.randn(STEPS, SIZE, INPUTS, dtype=torch.float64)
    watched(model, tmp_path / "run", inputs)
    found = gradviz.load(tmp_path / "run").reach.query("layer == 1 and point == 'hidden'").sort_values("lag")
    model.zero_grad()
    model(inputs)[-1].square().sum().backward()
    norms = np.linalg.norm(model.gradients("high", 0), axis=2)[::-1]
    np.testing.assert_allclose(found["mean"], np.log10(norms).mean(axis=1), rtol=1e-8)


def test_a_loop_that_changes_its_state_is_replayed_step_by_step_and_not_followed(tmp_path: Path) -> None:
    torch.manual_seed(3)
    model = Loop("lstm", torch.float64)
    model.mask = torch.arange(STEPS)[:, None, None] < torch.tensor([6, 4, 5])[:, None]
    inputs = torch.randn(STEPS, SIZE, INPUTS, dtype=torch.float64)
    with pytest.warns(UserWarning, match="the model's own loop changes the state between steps"):
        run = watched(model, tmp_path / "run", inputs)
    replay = run.replays["low"]
    assert replay.values("layers.0.forward.hidden").shape == (STEPS, SIZE, UNITS)
    assert replay.mismatch.gradients < 1e-9
    assert gradviz.load(tmp_path / "run").reach.empty


def test_a_detached_state_begins_a_sequence(tmp_path: Path) -> None:
    """Truncated backpropagation: two chunks in one step, the state handed on without its gradient."""
    torch.manual_seed(4)
    model = Loop("gru", torch.float64)
    inputs = torch.randn(2, STEPS, SIZE, INPUTS, dtype=torch.float64)
    exact = []
    with gradviz.watch(model, tmp_path / "run") as run:
        loss = model(inputs[0]).square().sum()
        loss.backward()
        exact.append(model.gradients("low", 0))
        state = model.kept["low"][-1][0].detach()
        second = model(inputs[1], state).square().sum()
        second.backward()
        exact.append(model.gradients("low", 0))
        run.step(loss + second)
    hidden = run.replays["low"].gradient("layers.0.forward.hidden")
    np.testing.assert_allclose(hidden, np.concatenate(exact, axis=1), rtol=1e-9, atol=1e-14)
    assert run.replays["low"].mismatch.gradients < 1e-9


def test_sequences_of_different_lengths_lie_side_by_side(tmp_path: Path) -> None:
    torch.manual_seed(5)
    model = Loop("rnn", torch.float64)
    inputs = torch.randn(STEPS, SIZE, INPUTS, dtype=torch.float64)
    with gradviz.watch(model, tmp_path / "run") as run:
        loss = model(inputs).square().sum() + model(inputs[:3]).square().sum()
        loss.backward()
        run.step(loss)
    hidden = run.replays["high"].gradient("layers.0.forward.hidden")
    assert hidden.shape == (STEPS, 2 * SIZE, UNITS)
    np.testing.assert_allclose(hidden[:3, SIZE:], model.gradients("high", 0), rtol=1e-9)
    assert not hidden[3:, SIZE:].any()
    np.testing.assert_array_equal(run.replays["high"].sequences.lengths, [6] * SIZE + [3] * SIZE)


def test_what_arrives_from_outside_is_told_from_what_comes_back_through_time(tmp_path: Path) -> None:
    """∂L/∂h_t by way of the readout alone."""
    torch.manual_seed(6)
    model = Loop("lstm", torch.float64)
    inputs = torch.randn(STEPS, SIZE, INPUTS, dtype=torch.float64)
    run = watched(model, tmp_path / "run", inputs)
    out = model(inputs).detach()
    direct = (2 * out @ model.fc.weight).detach().numpy()
    np.testing.assert_allclose(run.replays["high"].sequences.d_outputs, direct, rtol=1e-8, atol=1e-12)

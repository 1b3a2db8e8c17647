"""Watching leaves no trace, sees what counts and nothing else, and says plainly what it cannot do."""

import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gradviz
from gradviz.errors import GradvizError, RunError
from gradviz.findings import FINDINGS
from gradviz.recording.store import RunWriter
from tests.watching import INPUTS, OUTPUTS, SIZE, STEPS, UNITS, Small, batch, hooks_on, nn, torch, train

pytestmark = pytest.mark.torch
HIDDEN = "layers.0.forward.hidden"


def once(model: Any, folder: Path, loss_of: Any = None, **options: Any) -> Any:
    """One recorded step."""
    with gradviz.watch(model, folder, **options) as run:
        loss = model(batch(dtype=next(model.parameters()).dtype)).square().mean() if loss_of is None else loss_of(model)
        loss.backward()
        run.step(loss)
    return run


def parts_of_torch() -> list[Any]:
    """Functions that are wrapped while something is watched."""
    inner = nn.utils.clip_grad
    scaler = torch.amp.GradScaler
    found = [nn.utils.clip_grad_norm_, nn.utils.clip_grad_value_, inner.clip_grad_norm_, inner.clip_grad_value_]
    return [*found, getattr(inner, "_clip_grads_with_norm_", None), scaler.scale, scaler.unscale_, scaler.step]


# ---------------------------------------------------------------------- leaves no trace


def test_nothing_is_left_on_the_model(tmp_path: Path) -> None:
    model, functions = Small(), parts_of_torch()
    attributes = {name: set(vars(module)) for name, module in model.named_modules()}
    weights = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    with gradviz.watch(model, tmp_path / "run", every=2) as run:
        assert hooks_on(model) > 0
        assert parts_of_torch() != functions
        loss = model(batch()).square().mean()
        loss.backward()
        run.step(loss)
        assert hooks_on(model) == 0, "a step that is not recorded has no hooks at all"
    assert hooks_on(model) == 0
    assert parts_of_torch() == functions
    assert {name: set(vars(module)) for name, module in model.named_modules()} == attributes
    assert all(torch.equal(tensor, weights[name]) for name, tensor in model.state_dict().items())


@pytest.mark.parametrize("error", [ValueError("my own"), KeyboardInterrupt()])
@pytest.mark.parametrize("when", ["before a step", "in a step", "between steps"])
def test_an_exception_leaves_no_trace_either_and_the_run_says_so(when: str, error: BaseException, tmp_path: Path) -> None:
    model, functions = Small(), parts_of_torch()

    def training() -> None:
        with gradviz.watch(model, tmp_path / "run", every=2) as run:
            if when != "before a step":
                loss = model(batch()).square().mean()
                loss.backward()
            if when == "between steps":
                run.step(loss)
            raise error

    with pytest.raises(type(error)):
        training()
    assert hooks_on(model) == 0
    assert parts_of_torch() == functions
    found = gradviz.load(tmp_path / "run")
    assert found.status == ("interrupted" if isinstance(error, KeyboardInterrupt) else "failed")
    assert found.meta["error"] == ("" if isinstance(error, KeyboardInterrupt) else "my own")
    assert len(found.steps) == (1 if when == "between steps" else 0)
    train(model, tmp_path / "again")


def test_training_goes_on_to_the_same_numbers(tmp_path: Path) -> None:
    watched, alone = Small(num_layers=2, dropout=0.5), Small(num_layers=2, dropout=0.5)
    torch.manual_seed(1)
    train(watched, tmp_path / "run", updates=3, every=1)
    torch.manual_seed(1)
    optimizer = torch.optim.SGD(alone.parameters(), lr=0.1)
    for k in range(3):
        alone(batch(seed=k)).square().mean().backward()
        optimizer.step()
        optimizer.zero_grad()
    for one, other in zip(watched.parameters(), alone.parameters(), strict=True):
        assert torch.equal(one, other)


def test_several_at_once_that_leave_in_any_order(tmp_path: Path) -> None:
    first, second, functions = Small(), Small("GRU"), parts_of_torch()
    outer = gradviz.watch(first, tmp_path / "first", every=1)
    inner = gradviz.watch(second, tmp_path / "second", every=1)
    one, two = outer.__enter__(), inner.__enter__()
    for run, model, limit in ((one, first, 0.02), (two, second, 0.05)):
        loss = model(batch()).square().mean()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), limit)
        run.step(loss)
    outer.__exit__(None, None, None)
    assert hooks_on(first) == 0
    loss = second(batch(seed=1)).square().mean()
    loss.backward()
    nn.utils.clip_grad_norm_(second.parameters(), 0.05)
    two.step(loss)
    inner.__exit__(None, None, None)
    assert parts_of_torch() == functions
    found = {run.name: run for run in gradviz.load_runs(tmp_path)}
    assert list(found["first"].steps["threshold"]) == [0.02]
    assert list(found["second"].steps["threshold"]) == [0.05, 0.05]
    assert found["second"].family == "gru"


# ---------------------------------------------------------------------- what counts


def test_evaluation_and_no_grad_are_not_looked_at(tmp_path: Path) -> None:
    model = Small()
    with gradviz.watch(model, tmp_path / "run") as run:
        with torch.no_grad():
            model(batch(size=9))
        model.eval()
        model(batch(size=9)).sum().backward()
        model.zero_grad()
        model.train()
        model(batch(size=9))  # nobody learns from it
        loss = model(batch()).square().mean()
        loss.backward()
        run.step(loss)
    assert run.replays["rnn"].values(HIDDEN).shape == (STEPS, SIZE, UNITS)
    assert np.isnan(run.replays["rnn"].mismatch.gradients), "evaluation gave the parameters a gradient too"


def test_a_hook_that_clips_is_before_what_is_seen(tmp_path: Path) -> None:
    model = Small(dtype=torch.float64)

    def loss_of(model: Any) -> Any:
        out = model.rnn(batch(dtype=torch.float64))[0]
        out.register_hook(lambda gradient: gradient.clamp(-1e-3, 1e-3))
        return model.fc(out).square().mean()

    run = once(model, tmp_path / "run", loss_of)
    assert np.abs(run.replays["rnn"].sequences.d_outputs).max() == 1e-3
    assert 0 < run.replays["rnn"].mismatch.gradients < 1e-12


def test_a_step_without_any_gradient_is_said(tmp_path: Path) -> None:
    model = Small()
    with gradviz.watch(model, tmp_path / "run") as run, pytest.warns(UserWarning, match="no gradient had arrived"):
        run.step(model(batch()).square().mean())
    assert gradviz.load(tmp_path / "run").steps.empty
    assert hooks_on(model) == 0


def test_a_module_that_is_called_several_times_a_step(tmp_path: Path) -> None:
    """Two calls of different lengths: one batch, the shorter one padded, and the states of each call handed on to the next."""
    model = Small(dtype=torch.float64)

    def loss_of(model: Any) -> Any:
        first, state = model.rnn(batch(steps=4, dtype=torch.float64))
        second, _ = model.rnn(batch(steps=6, seed=1, dtype=torch.float64), state)
        return model.fc(torch.cat([first, second])).square().sum()

    run = once(model, tmp_path / "run", loss_of)
    replay = run.replays["rnn"]
    assert replay.values(HIDDEN).shape == (6, 2 * SIZE, UNITS)
    np.testing.assert_array_equal(replay.sequences.lengths, [4] * SIZE + [6] * SIZE)
    assert not replay.gradient(HIDDEN)[4:, :SIZE].any()
    assert 0 < replay.mismatch.gradients < 1e-12


def test_the_batch_may_come_first(tmp_path: Path) -> None:
    found = []
    for first in (False, True):
        model = Small(bidirectional=True, batch_first=first)
        inputs = batch().swapaxes(0, 1) if first else batch()
        with gradviz.watch(model, tmp_path / str(first)) as run:
            made = model(inputs)
            early = made[:, 0] if first else made[0]
            loss = made.square().mean() + early.sum()
            loss.backward()
            run.step(loss)
        found.append(run.replays["rnn"])
    assert found[1].mismatch.gradients < found[1].mismatch.limit
    for point in found[0].points:
        np.testing.assert_allclose(found[1].values(point), found[0].values(point), rtol=1e-5, atol=1e-7)
        np.testing.assert_allclose(found[1].gradient(point), found[0].gradient(point), rtol=1e-4, atol=1e-7)


def test_shapes_may_change_from_step_to_step(tmp_path: Path) -> None:
    model = Small("GRU")
    with gradviz.watch(model, tmp_path / "run", every=1) as run:
        for steps, size in ((3, 2), (8, 1), (5, 7)):
            loss = model(batch(steps, size)).square().mean()
            loss.backward()
            run.step(loss)
            model.zero_grad()
    rows = gradviz.load(tmp_path / "run").timesteps.query("quantity == 'gradient_norm'")
    assert list(rows.groupby("step")["time"].max()) == [2, 7, 4]


@pytest.mark.parametrize("kind", ["RNN", "GRU", "LSTM"])
def test_one_sequence_without_a_batch(kind: str, tmp_path: Path) -> None:
    model = Small(kind, num_layers=2, bidirectional=True, dtype=torch.float64)
    run = once(model, tmp_path / "run", lambda model: model(batch(dtype=torch.float64)[:, 0]).square().sum())
    assert run.replays["rnn"].values("layers.1.backward.hidden").shape == (STEPS, 1, UNITS)
    assert 0 < run.replays["rnn"].mismatch.gradients < 1e-12


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("kind", ["RNN", "GRU", "LSTM"])
def test_what_was_dropped_between_layers_is_drawn_again(kind: str, packed: bool, tmp_path: Path) -> None:
    model = Small(kind, num_layers=3, bidirectional=True, dropout=0.4, dtype=torch.float64)

    def loss_of(model: Any) -> Any:
        inputs = batch(dtype=torch.float64)
        if not packed:
            return model(inputs).square().sum()
        lengths = torch.tensor([2, 6, 1, 5, 3])
        out, _ = model.rnn(nn.utils.rnn.pack_padded_sequence(inputs, lengths, enforce_sorted=False))
        return model.fc(nn.utils.rnn.pad_packed_sequence(out)[0]).square().sum()

    run = once(model, tmp_path / "run", loss_of)
    assert 0 < run.replays["rnn"].mismatch.outputs < 1e-12
    assert 0 < run.replays["rnn"].mismatch.gradients < 1e-12


class Drawing(nn.LSTM):
    """Draws a number of its own before its layers do."""

    def forward(self, *args: Any) -> Any:
        torch.rand(1)
        return super().forward(*args)


def test_dropout_that_cannot_be_drawn_again_is_not_replayed(tmp_path: Path) -> None:
    model = Small()
    model.rnn = Drawing(INPUTS, UNITS, num_layers=2, dropout=0.5)
    with pytest.warns(UserWarning, match="what its dropout dropped cannot be drawn again"):
        run = once(model, tmp_path / "run")
    assert not run.replays
    found = gradviz.load(tmp_path / "run")
    assert len(found.steps) == 1
    assert len(found.parameters) == 2 * 4 * 4 + 2
    assert FINDINGS["replay"]().check(found).word == "not replayed"


def test_half_precision(tmp_path: Path) -> None:
    model = Small("GRU")

    def loss_of(model: Any) -> Any:
        with torch.autocast("cpu", torch.bfloat16):
            return model(batch()).float().square().mean()

    run = once(model, tmp_path / "run", loss_of)
    found = run.replays["rnn"].mismatch
    assert not found.bad
    assert found.outputs < 0.02


# ---------------------------------------------------------------------- numbers that went wrong


def test_gradients_that_are_not_finite_are_recorded_and_located(tmp_path: Path) -> None:
    model = Small("RNN", num_layers=2)

    def loss_of(model: Any) -> Any:
        out = model.rnn(batch())[0]
        out.register_hook(lambda gradient: gradient.index_put((torch.tensor(3), torch.tensor(1)), torch.tensor(float("inf"))))
        return model.fc(out).square().mean()

    once(model, tmp_path / "run", loss_of)
    found = gradviz.load(tmp_path / "run")
    assert not np.isfinite(found.steps["norm_before"]).any()
    trouble = found.trouble.iloc[0]
    assert (trouble["gradient"], trouble["time"], trouble["example"], trouble["point"]) == (True, 3, 1, "hidden")
    assert trouble["layer"] == 1, "the layer below got it from there"
    assert FINDINGS["non_finite"]().check(found).severity == "critical"


def test_states_that_are_not_finite_are_located(tmp_path: Path) -> None:
    model = Small("LSTM", num_layers=2)
    with torch.no_grad():
        model.rnn.weight_hh_l1[0, 0] = float("nan")
    once(model, tmp_path / "run")
    trouble = gradviz.load(tmp_path / "run").trouble.iloc[0]
    assert (trouble["layer"], trouble["gradient"], trouble["time"], trouble["value"]) == (1, False, 0, "nan")


def test_inputs_that_are_not_finite_are_said(tmp_path: Path) -> None:
    model = Small()
    with pytest.warns(UserWarning, match="the inputs hold NaN or infinity, first at time step 2 of example 4"):
        once(
            model, tmp_path / "run", lambda model: model(batch().index_put((torch.tensor(2), torch.tensor(4)), torch.tensor(np.nan))).sum()
        )
    assert len(gradviz.load(tmp_path / "run").steps) == 1


# ---------------------------------------------------------------------- a replay that is not PyTorch's


def test_a_second_way_into_the_loss_is_a_mismatch_of_gradients(tmp_path: Path) -> None:
    model = Small()
    with pytest.warns(UserWarning, match="differs from PyTorch"):
        run = once(model, tmp_path / "run", lambda model: model(batch()).square().mean() + model.rnn.weight_hh_l0.square().sum())
    found = run.replays["rnn"].mismatch
    assert found.bad
    assert found.outputs < 1e-6 < 0.5 < found.gradients
    verdict = FINDINGS["replay"]().check(gradviz.load(tmp_path / "run"))
    assert (verdict.severity, verdict.word) == ("critical", "differs")
    assert verdict.numbers["gradients rnn"] == found.gradients


class Louder(nn.GRU):
    def forward(self, *args: Any) -> Any:
        out, final = super().forward(*args)
        return 1.1 * out, final


def test_a_module_that_does_something_else_is_a_mismatch_of_outputs(tmp_path: Path) -> None:
    model = Small()
    model.rnn = Louder(INPUTS, UNITS)
    with pytest.warns(UserWarning, match="differs from PyTorch"):
        run = once(model, tmp_path / "run")
    np.testing.assert_allclose(run.replays["rnn"].mismatch.outputs, 0.1 / 1.1, rtol=1e-4)


def test_a_replay_that_agrees_is_found_to(tmp_path: Path) -> None:
    run, _ = train(Small("GRU"), tmp_path / "run")
    verdict = FINDINGS["replay"]().check(run)
    assert (verdict.severity, verdict.word) == ("good", "agrees")
    assert 0 < verdict.numbers["gradients rnn"] < 1e-5


# ---------------------------------------------------------------------- what cannot be watched


def test_a_model_without_a_recurrent_part_gives_its_parameters(tmp_path: Path) -> None:
    model = nn.Sequential(nn.Linear(INPUTS, 5), nn.Tanh(), nn.Linear(5, OUTPUTS))
    with pytest.warns(UserWarning, match="has no nn.RNN, GRU or LSTM and no cell of theirs"):
        run, _ = train(model, tmp_path / "run")
    assert set(run.parameters["parameter"]) == {"0.weight", "0.bias", "2.weight", "2.bias"}
    assert run.timesteps.empty
    assert len(run.steps) == 4


def refused(kind: str) -> Any:
    model = Small("LSTM", **({"proj_size": 2} if kind == "projection" else {}))
    if kind == "projection":
        model.fc = nn.Linear(2, OUTPUTS)
    if kind == "weight norm":
        nn.utils.parametrizations.weight_norm(model.rnn, "weight_hh_l0")
    return model


@pytest.mark.parametrize(("kind", "reason"), [("projection", "it has proj_size=2"), ("weight norm", "computed from other parameters")])
def test_a_module_that_cannot_be_replayed_is_named_with_the_reason(kind: str, reason: str, tmp_path: Path) -> None:
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        run, watched = train(refused(kind), tmp_path / "run")
    assert any(reason in str(each.message) for each in said)
    assert not watched.replays
    assert any(reason in text for text in run.remarks)
    assert len(run.parameters)


def test_compiled_models_are_refused(tmp_path: Path) -> None:
    inside = Small()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch's own
        inside.fc.compile(backend="eager")
        whole = torch.compile(Small(), backend="eager")
    for model in (whole, inside):
        with pytest.raises(GradvizError, match="Watch the model before it is compiled"), gradviz.watch(model, tmp_path / "run"):
            pass
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("model", "message"),
    [("a string", "must be a torch.nn.Module"), (nn.Linear(1, 1).requires_grad_(False), "no parameter that is trained")],
)
def test_what_is_no_model_is_refused(model: Any, message: str, tmp_path: Path) -> None:
    with pytest.raises(GradvizError, match=message), gradviz.watch(model, tmp_path / "run"):
        pass


def test_a_folder_that_is_taken(tmp_path: Path) -> None:
    train(Small(), tmp_path / "run")
    with pytest.raises(RunError, match="holds a run already"), gradviz.watch(Small(), tmp_path / "run"):
        pass
    run, _ = train(Small("GRU"), tmp_path / "run", force=True)
    assert run.family == "gru"


def test_a_folder_that_another_writer_holds(tmp_path: Path) -> None:
    model, functions = Small(), parts_of_torch()
    with RunWriter.create(tmp_path / "run", {}):
        busy = gradviz.watch(model, tmp_path / "run", force=True)
        with pytest.raises(RunError, match="is being written by another process"), busy:
            pass
    assert hooks_on(model) == 0
    assert parts_of_torch() == functions


def test_every_must_be_at_least_one(tmp_path: Path) -> None:
    with pytest.raises(GradvizError, match="every is 0"), gradviz.watch(Small(), tmp_path / "run", every=0):
        pass


# ---------------------------------------------------------------------- the run


def test_a_frozen_recurrent_module_is_replayed_without_comparing(tmp_path: Path) -> None:
    model = Small()
    model.rnn.requires_grad_(False)

    def loss_of(model: Any) -> Any:
        return model(batch().requires_grad_()).square().mean()

    run = once(model, tmp_path / "run", loss_of)
    assert np.isnan(run.replays["rnn"].mismatch.gradients)
    assert run.replays["rnn"].mismatch.outputs < 1e-6
    assert set(gradviz.load(tmp_path / "run").parameters["parameter"]) == {"fc.weight", "fc.bias"}


def test_the_run_says_what_it_is(tmp_path: Path) -> None:
    run, _ = train(Small("RNN", nonlinearity="relu", num_layers=2), tmp_path / "run", name="mine", lag=5)
    assert (run.name, run.family, run.layers, run.meta["lag"]) == ("mine", "rnn", 2, 5)
    assert run.setting("model", "cell", "activation") == "relu"
    assert run.setting("task", "name") == "watched"
    assert (run.status, run.meta["updates_done"], run.setting("training", "updates")) == ("finished", 4, "4")
    with pytest.raises(GradvizError, match="your own script trains it"):
        gradviz.resume(run.path)


def test_words_stand_under_the_steps(tmp_path: Path) -> None:
    with gradviz.watch(Small(), tmp_path / "run") as run:
        model = run.model
        loss = model(batch()).square().mean()
        loss.backward()
        run.step(loss, words=[list("abcdef")])
    found = gradviz.load(tmp_path / "run")
    assert found.words(0) == list("abcdef")
    assert found.words(1) is None


def test_its_network_can_be_taken_up_again(tmp_path: Path) -> None:
    """The weights of the last recorded step, and what the real loss felt there."""
    _, watched = train(Small("GRU", dtype=torch.float64), tmp_path / "run", updates=3, every=2)
    again = gradviz.reopen(tmp_path / "run")
    given = again.known.held_out(64)
    run = again.network.forward(given.inputs, given.lengths)
    d_outputs = again.network.loss(run, given, reduction="sum").d_outputs
    found = again.network.backward(run, d_outputs)
    exact = watched.replays["rnn"]
    ratio = d_outputs / exact.sequences.d_outputs
    np.testing.assert_allclose(ratio, ratio[0, 0, 0], rtol=1e-6)
    np.testing.assert_allclose(run.tapes["layers.0.forward"].gradients("hidden"), ratio[0, 0, 0] * exact.gradient(HIDDEN), rtol=1e-6)
    assert found.inputs is not None
    start = gradviz.reopen(tmp_path / "run", "start").network.parameters["layers.0.forward.weight_hh"]
    assert not np.array_equal(start, again.network.parameters["layers.0.forward.weight_hh"])


def test_gradviz_never_loads_pytorch_by_itself() -> None:
    code = """
import sys, gradviz
for name in gradviz.__all__:
    getattr(gradviz, name)
import gradviz.extend, gradviz.charts, gradviz.findings, gradviz.cli, gradviz.watching, gradviz.reports, gradviz.dashboards
sys.exit("torch" in sys.modules)
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_without_pytorch_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("gradviz.watching.find_spec", lambda name: None)
    with pytest.raises(GradvizError, match=r'pip install "gradviz-rnn\[torch\]"'), gradviz.watch(Small(), tmp_path / "run"):
        pass
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert not (tmp_path / "run").exists()

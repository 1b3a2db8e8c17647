"""Norms of a watched training: before and after clipping, updates, accumulated and scaled gradients, each taken again by hand."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gradviz
from tests.watching import SIZE, Small, batch, nn, torch, train

pytestmark = pytest.mark.torch
early = nn.utils.clip_grad_norm_  # bound before anything is watched, as by `from torch.nn.utils import clip_grad_norm_`


def total(model: Any) -> float:
    return float(np.sqrt(sum((parameter.grad.double() ** 2).sum().item() for parameter in model.parameters())))


class Ledger:
    """Clips, and writes down what it did."""

    def __init__(self, way: Any) -> None:
        self.way, self.before, self.after = way, [], []

    def __call__(self, model: Any) -> None:
        self.before.append(total(model))
        self.way(model)
        self.after.append(total(model))


WAYS = {
    "norm": (lambda model: nn.utils.clip_grad_norm_(model.parameters(), 0.02), "norm", 0.02),
    "imported before": (lambda model: early(model.parameters(), max_norm=0.02), "norm", 0.02),
    "infinity": (lambda model: nn.utils.clip_grad_norm_(model.parameters(), 0.01, norm_type=float("inf")), "norm", 0.01),
    "value": (lambda model: nn.utils.clip_grad_value_(model.parameters(), 0.003), "value", 0.003),
}


@pytest.mark.parametrize("name", WAYS)
def test_both_norms_of_every_step(name: str, tmp_path: Path) -> None:
    way, rule, limit = WAYS[name]
    ledger = Ledger(way)
    run, _ = train(Small(), tmp_path / "run", updates=5, clip=ledger)
    steps = run.steps
    assert list(steps["step"]) == [0, 1, 2, 3, 4]
    np.testing.assert_allclose(steps["norm_before"], ledger.before, rtol=1e-6)
    np.testing.assert_allclose(steps["norm_after"], ledger.after, rtol=1e-6)
    assert steps["clipped"].all()
    assert (steps["threshold"] == limit).all()
    assert run.setting("training", "clipping", "name") == rule
    assert run.clipped
    recorded = steps["step"] % 2 == 0
    np.testing.assert_allclose(steps["cosine"][recorded & (rule == "norm")], 1, atol=1e-6)
    if rule == "value":
        assert (steps["cosine"][recorded] < 0.9999).all()
        assert steps["cosine"][~recorded].isna().all()


def test_a_threshold_that_is_not_reached_clips_nothing(tmp_path: Path) -> None:
    run, _ = train(Small(), tmp_path / "run", clip=lambda model: nn.utils.clip_grad_norm_(model.parameters(), 100.0))
    assert not run.steps["clipped"].any()
    np.testing.assert_array_equal(run.steps["norm_before"], run.steps["norm_after"])


def test_the_run_clips_too(tmp_path: Path) -> None:
    model = Small()
    with gradviz.watch(model, tmp_path / "run") as run:
        for rule in (lambda: run.clip_grad_norm_(0.02), lambda: run.clip_grad_value_(0.001)):
            loss = model(batch()).square().mean()
            loss.backward()
            rule()
            run.step(loss)
            model.zero_grad()
    steps = gradviz.load(tmp_path / "run").steps
    np.testing.assert_allclose(steps["norm_after"].iloc[0], 0.02, rtol=1e-4)
    assert steps["clipped"].all()


def test_what_clips_without_telling_is_seen_at_recorded_steps(tmp_path: Path) -> None:
    """Then the norm before is not known at the others, and no row pretends that it is."""

    def halve(model: Any) -> None:
        for parameter in model.parameters():
            parameter.grad *= 0.5

    ledger = Ledger(halve)
    with pytest.warns(UserWarning, match="something other than PyTorch's"):
        run, _ = train(Small(), tmp_path / "run", clip=ledger)
    assert list(run.steps["step"]) == [0, 2]
    np.testing.assert_allclose(run.steps["norm_before"], ledger.before[::2], rtol=1e-6)
    np.testing.assert_allclose(run.steps["norm_after"], ledger.after[::2], rtol=1e-6)
    assert run.setting("training", "clipping", "name") == "unknown"
    assert any("something other" in text for text in run.remarks)


@pytest.mark.parametrize("early_step", [False, True], ids=["step after the update", "step before the update"])
def test_every_parameter_gate_by_gate(early_step: bool, tmp_path: Path) -> None:
    model = Small()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    begun = {name: parameter.detach().clone().double() for name, parameter in model.named_parameters()}
    with gradviz.watch(model, tmp_path / "run", every=3) as run:
        for k in range(4):
            loss = model(batch(seed=k)).square().mean()
            loss.backward()
            before = {name: parameter.grad.clone().double() for name, parameter in model.named_parameters()}
            nn.utils.clip_grad_norm_(model.parameters(), 0.05)
            after = {name: parameter.grad.clone().double() for name, parameter in model.named_parameters()}
            old = {name: parameter.detach().clone().double() for name, parameter in model.named_parameters()}
            if early_step:
                run.step(loss)
            optimizer.step()
            if not early_step:
                run.step(loss)
            new = {name: parameter.detach().clone().double() for name, parameter in model.named_parameters()}
            optimizer.zero_grad()
    rows = gradviz.load(tmp_path / "run").parameters
    assert sorted(set(rows["step"])) == [0, 3]
    last = rows[rows["step"] == 3].set_index(["parameter", "gate"])
    assert len(last) == 4 * 4 + 2
    for gate, part in zip(("input", "forget", "candidate", "output"), range(4), strict=True):
        found = last.loc[("layers.0.forward.weight_hh", gate)].drop("step")
        pieces = [each["rnn.weight_hh_l0"].chunk(4)[part] for each in (old, before, after, new, begun)]
        weight, first, second = (float(piece.norm()) for piece in pieces[:3])
        update, distance = float((pieces[3] - pieces[0]).norm()), float((pieces[3] - pieces[4]).norm())
        wanted = [weight, first, second, update, update / weight, distance]
        np.testing.assert_allclose(found.to_numpy(float), wanted, rtol=1e-4)
    np.testing.assert_allclose(last.loc[("fc.weight", "")]["update"], 0.1 * float(after["fc.weight"].norm()), rtol=1e-4)
    roles = gradviz.load(tmp_path / "run").meta["watched"]["roles"]
    assert roles["layers.0.forward.weight_hh"] == "recurrent weights of rnn, layer 0"
    assert roles["fc.weight"] == "weight of fc (Linear)"


def test_gradients_that_are_gathered_over_several_backward_passes(tmp_path: Path) -> None:
    """The replay is of both halves of the batch, and the norms are of the sum."""
    model = Small(dtype=torch.float64)
    whole = batch(dtype=torch.float64)
    with gradviz.watch(model, tmp_path / "run") as run:
        for part in (whole[:, :2], whole[:, 2:]):
            loss = model(part).square().sum()
            loss.backward()
        run.step(loss)
    summed = total(model)
    replay = run.replays["rnn"]
    assert replay.values("layers.0.forward.hidden").shape[1] == SIZE
    assert 0 < replay.mismatch.gradients < 1e-12
    np.testing.assert_allclose(gradviz.load(tmp_path / "run").steps["norm_before"], summed, rtol=1e-12)


def test_gradients_left_from_before_are_in_the_norms_and_not_in_the_comparison(tmp_path: Path) -> None:
    model = Small(dtype=torch.float64)
    model(batch(seed=7, dtype=torch.float64)).square().sum().backward()
    with gradviz.watch(model, tmp_path / "run") as run:
        loss = model(batch(dtype=torch.float64)).square().sum()
        loss.backward()
        run.step(loss)
    assert run.replays["rnn"].mismatch.gradients < 1e-12
    np.testing.assert_allclose(gradviz.load(tmp_path / "run").steps["norm_before"], total(model), rtol=1e-12)


@pytest.mark.parametrize(
    ("unscale", "fused"), [(False, False), (True, False), (False, True)], ids=["left to the scaler", "unscaled before clipping", "fused"]
)
def test_norms_under_a_grad_scaler_are_without_its_scale(unscale: bool, fused: bool, tmp_path: Path) -> None:
    """A fused optimizer divides by the scale itself."""
    plain, scaled = Small(), Small()
    clip = (lambda model: nn.utils.clip_grad_norm_(model.parameters(), 0.02)) if unscale else None
    wanted, exact = train(plain, tmp_path / "plain", clip=clip)
    optimizer, scaler = torch.optim.SGD(scaled.parameters(), lr=0.1, fused=fused), torch.amp.GradScaler("cpu", init_scale=2.0**12)
    with gradviz.watch(scaled, tmp_path / "scaled", every=2) as run:
        for k in range(4):
            loss = scaled(batch(seed=k)).square().mean()
            scaler.scale(loss).backward()
            if unscale:
                scaler.unscale_(optimizer)
                nn.utils.clip_grad_norm_(scaled.parameters(), 0.02)
            scaler.step(optimizer)
            scaler.update()
            run.step(loss)
            optimizer.zero_grad()
    found = gradviz.load(tmp_path / "scaled")
    for name in ("norm_before", "norm_after", "loss"):
        np.testing.assert_allclose(found.steps[name], wanted.steps[name], rtol=1e-5)
    numbers = ["weight", "gradient_before", "gradient_after", "update", "ratio", "distance"]
    np.testing.assert_allclose(found.parameters[numbers], wanted.parameters[numbers], rtol=1e-4)
    point = "layers.0.forward.hidden"
    np.testing.assert_allclose(run.replays["rnn"].gradient(point), exact.replays["rnn"].gradient(point), rtol=1e-4, atol=1e-9)


def test_norms_that_single_precision_cannot_square(tmp_path: Path) -> None:
    model = Small()
    with gradviz.watch(model, tmp_path / "run", every=2) as run:
        for _ in range(2):
            loss = model(batch()).square().mean() * 1e-24
            loss.backward()
            run.step(loss)
            model.zero_grad()
    norms = gradviz.load(tmp_path / "run").steps["norm_before"]
    assert 0 < norms[0] < 1e-23
    np.testing.assert_allclose(norms[1], norms[0], rtol=1e-6)

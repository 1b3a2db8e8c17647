"""Losses and their gradients against closed forms, complex steps and PyTorch."""

import math

import numpy as np
import pytest

from gradviz.errors import GradvizError, ShapeError
from gradviz.losses import LOSSES, logistic, softmax, squared

RNG = np.random.default_rng(0)
WEIGHTS = np.array([[1.0, 0.25, 0.0], [0.5, 2.0, 1.0]])
OUTPUTS = RNG.standard_normal((2, 3, 5)) * 3
TARGETS = {
    "softmax": RNG.integers(0, 5, (2, 3)),
    "squared": RNG.standard_normal((2, 3, 5)),
    "logistic": RNG.integers(0, 2, (2, 3, 5)).astype(float),
}


def test_every_loss_is_tested_here():
    assert set(TARGETS) == set(LOSSES)


@pytest.mark.parametrize("name", LOSSES)
def test_gradient_by_complex_step(name):
    """d/dx f = Im f(x + ih)/h, exact to rounding; and the losses of a complex call agree with those of a real one."""
    loss, targets = LOSSES[name], TARGETS[name]
    losses, d_outputs = loss(OUTPUTS, targets, WEIGHTS)
    for place in np.ndindex(OUTPUTS.shape):
        moved = OUTPUTS.astype(complex)
        moved[place] += 1e-30j
        there, _ = loss(moved, targets, WEIGHTS)
        np.testing.assert_allclose(there.real, losses, rtol=1e-14)
        assert (WEIGHTS * there).sum().imag / 1e-30 == pytest.approx(d_outputs[place], rel=1e-13, abs=1e-14)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", LOSSES)
def test_arguments_are_left_alone_and_precision_is_kept(name, dtype):
    outputs, weights = OUTPUTS.astype(dtype), WEIGHTS.copy()
    before, targets = outputs.copy(), TARGETS[name].copy()
    losses, d_outputs = LOSSES[name](outputs, targets, weights)
    assert (losses.dtype, d_outputs.dtype, losses.shape, d_outputs.shape) == (dtype, dtype, (2, 3), (2, 3, 5))
    np.testing.assert_array_equal(outputs, before)
    np.testing.assert_array_equal(targets, TARGETS[name])
    np.testing.assert_array_equal(weights, WEIGHTS)


@pytest.mark.parametrize("odd", [math.nan, math.inf, -math.inf, 1e300])
@pytest.mark.parametrize("name", LOSSES)
def test_a_step_without_weight_has_no_loss_and_no_gradient(name, odd):
    outputs, targets = OUTPUTS.copy(), TARGETS[name].copy()
    expected = LOSSES[name](outputs, targets, WEIGHTS)
    outputs[0, 2] = odd
    targets[0, 2] = -7 if name == "softmax" else odd
    losses, d_outputs = LOSSES[name](outputs, targets, WEIGHTS)
    assert losses[0, 2] == 0
    assert (d_outputs[0, 2] == 0).all()
    np.testing.assert_array_equal(losses, expected[0])
    np.testing.assert_array_equal(d_outputs, expected[1])


@pytest.mark.parametrize("name", LOSSES)
def test_what_is_not_finite_stays_in_its_step(name):
    outputs = OUTPUTS.copy()
    outputs[1, 1, 0], outputs[0, 0, 0] = math.nan, math.inf
    losses, d_outputs = LOSSES[name](outputs, TARGETS[name], WEIGHTS)
    finite = np.array([[False, True, True], [True, False, True]])
    np.testing.assert_array_equal(np.isfinite(losses), finite)
    finite[0, 0] = name == "logistic"  # where an infinite output is quite sure: its gradient is 1 - y
    np.testing.assert_array_equal(np.isfinite(d_outputs).all(axis=2), finite)


def one(logits, target, dtype=np.float64):
    losses, d_outputs = softmax(np.array(logits, dtype)[None, None], np.array([[target]]), np.ones((1, 1), dtype))
    return float(losses[0, 0]), d_outputs[0, 0]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_softmax_in_closed_form(dtype):
    loss, d_outputs = one([0, 0, 0, 0], 2, dtype)
    assert loss == pytest.approx(math.log(4))
    np.testing.assert_allclose(d_outputs, [0.25, 0.25, -0.75, 0.25])
    assert one([0, math.log(3)], 0, dtype)[0] == pytest.approx(math.log(4))
    shifted = one([1000, 1000 + math.log(3)], 0)
    assert shifted[0] == pytest.approx(math.log(4))


@pytest.mark.parametrize(("dtype", "size"), [(np.float32, 1e30), (np.float32, 3e38), (np.float64, 1e300)])
def test_huge_logits(dtype, size):
    loss, d_outputs = one([size, 0, -size], 0, dtype)
    assert loss == 0
    np.testing.assert_array_equal(d_outputs, 0)
    loss, d_outputs = one([size, 0, 0], 1, dtype)
    assert loss == pytest.approx(size)
    np.testing.assert_array_equal(d_outputs, [1, -1, 0])


def test_squared_by_hand():
    losses, d_outputs = squared(np.array([[[3.0, 1.0]]]), np.array([[[1.0, 2.0]]]), np.array([[0.5]]))
    assert losses[0, 0] == 5.0  # 2² + 1², not weighted
    np.testing.assert_array_equal(d_outputs[0, 0], [2.0, -1.0])  # 0.5 · 2 · (2, -1)


def test_logistic_in_closed_form():
    losses, d_outputs = logistic(np.array([[[0.0, math.log(3), 1e308]]]), np.array([[[0.0, 1.0, 1.0]]]), np.array([[2.0]]))
    assert losses[0, 0] == pytest.approx(math.log(2) + math.log(4 / 3))
    np.testing.assert_allclose(d_outputs[0, 0], [2 * 0.5, 2 * (0.75 - 1), 0])
    assert logistic(np.array([[[-1000.0]]]), np.array([[[1.0]]]), np.ones((1, 1)))[0][0, 0] == 1000


@pytest.mark.torch
def test_logistic_as_in_pytorch():
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    outputs, targets = RNG.standard_normal((20, 8, 3)) * 20, RNG.random((20, 8, 3))
    losses, d_outputs = logistic(outputs, targets, np.ones((20, 8)))
    theirs = torch.tensor(outputs, requires_grad=True)
    reference = torch.nn.functional.binary_cross_entropy_with_logits(theirs, torch.tensor(targets), reduction="none").sum(-1)
    reference.sum().backward()
    np.testing.assert_allclose(losses, reference.detach().numpy(), rtol=1e-12)
    np.testing.assert_allclose(d_outputs, theirs.grad.numpy(), rtol=1e-9, atol=1e-15)


@pytest.mark.torch
def test_softmax_as_in_pytorch_in_float32():
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    outputs, targets = (RNG.standard_normal((20, 8, 103)) * 5).astype(np.float32), RNG.integers(0, 103, (20, 8))
    losses, d_outputs = softmax(outputs, targets, np.ones((20, 8), np.float32))
    theirs = torch.tensor(outputs.astype(np.float64), requires_grad=True)
    reference = torch.nn.functional.cross_entropy(theirs.reshape(-1, 103), torch.tensor(targets).reshape(-1), reduction="none")
    reference.sum().backward()
    np.testing.assert_allclose(losses.ravel(), reference.detach().numpy(), rtol=2e-6, atol=2e-6)
    np.testing.assert_allclose(d_outputs, theirs.grad.numpy(), rtol=1e-5, atol=1e-7)


def test_errors_say_where():
    wrong = TARGETS["softmax"].copy()
    wrong[1, 2] = 5
    with pytest.raises(GradvizError, match="time step 1 of example 2 is 5; classes go from 0 to 4"):
        softmax(OUTPUTS, wrong, WEIGHTS)
    with pytest.raises(ShapeError, match="targets are float64; classes must be integers"):
        softmax(OUTPUTS, TARGETS["softmax"] * 1.0, WEIGHTS)
    with pytest.raises(ShapeError, match=r"targets have shape \(2,\)"):
        softmax(OUTPUTS, wrong[:, 0], WEIGHTS)
    with pytest.raises(ShapeError, match=r"targets of shape \(2, 3, 5\)"):
        squared(OUTPUTS, TARGETS["squared"][..., :1], WEIGHTS)
    with pytest.raises(ShapeError, match=r"weights have shape \(1, 3\)"):
        squared(OUTPUTS, TARGETS["squared"], WEIGHTS[:1])
    with pytest.raises(GradvizError, match=r"time step 0 of example 1 is 1\.5; yes or no is 1 or 0"):
        logistic(OUTPUTS, np.where(np.arange(3)[:, None] == 1, 1.5, TARGETS["logistic"]), WEIGHTS)

"""Optimizers against PyTorch over many steps, and against hand computation."""

import math

import numpy as np
import pytest

from gradviz.errors import GradvizError
from gradviz.optimizers.adam import Adam
from gradviz.optimizers.rmsprop import RMSprop
from gradviz.optimizers.sgd import SGD

PAIRS = [
    (SGD(rate=0.1), "SGD", {"lr": 0.1}),
    (SGD(rate=0.1, weight_decay=0.02), "SGD", {"lr": 0.1, "weight_decay": 0.02}),
    (SGD(rate=0.1, momentum=0.9), "SGD", {"lr": 0.1, "momentum": 0.9}),
    (SGD(0.1, 0.9, True, 0.02), "SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.02}),
    (RMSprop(rate=0.01), "RMSprop", {"lr": 0.01}),
    (RMSprop(0.01, 0.9, 1e-6, 0.5), "RMSprop", {"lr": 0.01, "alpha": 0.9, "eps": 1e-6, "momentum": 0.5}),
    (RMSprop(rate=0.01, centered=True, momentum=0.5), "RMSprop", {"lr": 0.01, "centered": True, "momentum": 0.5}),
    (Adam(rate=0.01), "Adam", {"lr": 0.01}),
    (Adam(0.02, 0.5, 0.9, 1e-3), "Adam", {"lr": 0.02, "betas": (0.5, 0.9), "eps": 1e-3}),
]


def gradients(count):
    """Sizes from 1e-12 to 1e3, and zeros: where eps matters and where it does not."""
    rng = np.random.default_rng(0)
    for _ in range(count):
        yield rng.standard_normal((3, 4)) * 10.0 ** rng.integers(-12, 4, (3, 4)) * rng.integers(0, 2, (3, 4))


@pytest.mark.torch
@pytest.mark.parametrize(("ours", "name", "options"), PAIRS, ids=lambda value: value if isinstance(value, str) else "")
def test_a_thousand_steps_as_in_pytorch(ours, name, options):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    parameters = {"w": np.random.default_rng(1).standard_normal((3, 4))}
    theirs = torch.tensor(parameters["w"].copy(), requires_grad=True)
    optimizer, state = getattr(torch.optim, name)([theirs], **options), ours.start(parameters)
    for step, gradient in enumerate(gradients(1000)):
        rate = options["lr"] / (1 + step / 500)  # a schedule
        optimizer.param_groups[0]["lr"] = rate
        theirs.grad = torch.tensor(gradient)
        optimizer.step()
        ours.step(parameters, {"w": gradient}, state, rate)
    np.testing.assert_allclose(parameters["w"], theirs.detach().numpy(), rtol=1e-10, atol=1e-10)


def test_momentum_by_hand():
    parameters, optimizer = {"w": np.array([1.0])}, SGD(rate=0.1, momentum=0.5)
    state = optimizer.start(parameters)
    for expected in (0.8, 0.5, 0.15):  # velocities 2, 3, 3.5
        optimizer.step(parameters, {"w": np.array([2.0])}, state, 0.1)
        assert parameters["w"] == pytest.approx(expected)


@pytest.mark.parametrize("gradient", [1e-3, 1.0, 1e6, -1e150])
def test_adams_first_step_is_as_long_as_the_rate(gradient):
    parameters, optimizer = {"w": np.array([0.0])}, Adam(rate=0.01)
    optimizer.step(parameters, {"w": np.array([gradient])}, optimizer.start(parameters), 0.01)
    assert parameters["w"] == pytest.approx(-0.01 * math.copysign(1, gradient), rel=2e-5)


def test_a_constant_gradient_does_not_break_centered_rmsprop():
    """The variance goes to 0, in some of the weights by rounding even below it: no NaN."""
    gradient, optimizer = np.random.default_rng(0).standard_normal(50).astype(np.float32), RMSprop(centered=True, alpha=0.5)
    parameters = {"w": np.zeros(50, np.float32)}
    state = optimizer.start(parameters)
    for _ in range(200):
        optimizer.step(parameters, {"w": gradient}, state, 1e-9)
    assert (state["square"]["w"] < state["mean"]["w"] ** 2).any()
    assert np.isfinite(parameters["w"]).all()


def test_a_square_that_overflows_stops_the_weight():
    for optimizer in (Adam(), RMSprop()):
        parameters = {"w": np.array([1.0], np.float32)}
        optimizer.step(parameters, {"w": np.array([1e30], np.float32)}, optimizer.start(parameters), 0.01)
        assert parameters["w"] == 1.0


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: SGD(rate=-0.1), "SGD.rate is -0.1; it must be at least 0"),
        (lambda: SGD(momentum=1.5), "SGD.momentum is 1.5; it must be between 0 and 1"),
        (lambda: SGD(nesterov=True), "nesterov needs a momentum above 0"),
        (lambda: Adam(beta1=1.0), "Adam.beta1"),
        (lambda: Adam(beta2=-0.1), "Adam.beta2"),
        (lambda: Adam(eps=0.0), "Adam.eps"),
        (lambda: RMSprop(alpha=1.1), "RMSprop.alpha"),
        (lambda: RMSprop(rate=math.nan), "RMSprop.rate"),
    ],
)
def test_limits_of_options(make, message):
    with pytest.raises(GradvizError, match=message):
        make()

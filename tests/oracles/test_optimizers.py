"""Optimizers against PyTorch over many steps, and against hand computation."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradviz.errors import GradvizError
from gradviz.optimizers.adam import Adam
from gradviz.optimizers.adamw import AdamW
from gradviz.optimizers.rmsprop import RMSprop
from gradviz.optimizers.sgd import SGD
from gradviz.options import to_dict

OURS = [
    SGD(rate=0.1),
    SGD(rate=0.1, weight_decay=0.02),
    SGD(rate=0.1, momentum=0.9),
    SGD(rate=0.1, momentum=0.9, dampening=0.4),
    SGD(rate=0.1, momentum=0.9, nesterov=True, weight_decay=0.02),
    RMSprop(rate=0.01),
    RMSprop(rate=0.01, alpha=0.9, eps=1e-6, momentum=0.5),
    RMSprop(rate=0.01, centered=True, momentum=0.5),
    RMSprop(rate=0.01, weight_decay=0.02),
    RMSprop(rate=0.01, alpha=0.9, eps=1e-3, momentum=0.5, centered=True, weight_decay=0.02),
    Adam(rate=0.01),
    Adam(rate=0.02, beta1=0.5, beta2=0.9, eps=1e-3),
    Adam(rate=0.01, weight_decay=0.02),
    Adam(rate=0.01, amsgrad=True),
    Adam(rate=0.01, beta2=0.9, amsgrad=True, weight_decay=0.02),
    AdamW(rate=0.01),
    AdamW(rate=0.01, weight_decay=0.5, amsgrad=True),
    AdamW(rate=0.01, weight_decay=0.0),
]
SIZES = np.array([0.0, 1e-300, 1e-160, 1e-12, 1e-3, 1.0, 1e3, 1e100, 1e150])


def pytorchs(ours, weights):
    """The same optimizer there, and its weights: names and options are PyTorch's but for the rate and the betas."""
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    options, theirs = to_dict(ours), torch.tensor(weights, requires_grad=True)
    if "beta1" in options:
        options["betas"] = (options.pop("beta1"), options.pop("beta2"))
    return getattr(torch.optim, type(ours).__name__)([theirs], lr=options.pop("rate"), **options), theirs


def gradients(seed):
    """Four weights of each size, two of them always of that size, two of another size at each step; some are zero, some start at zero."""
    rng = np.random.default_rng(seed)
    own = np.repeat(SIZES, 4).reshape(-1, 4)
    while True:
        sizes = np.where([True, True, False, False], own, rng.choice(SIZES, own.shape))
        yield rng.standard_normal(own.shape) * sizes * rng.choice([0, 1, 1, 1], own.shape)


def follow(ours, seed, rates):
    """Both optimizers through the same gradients. Every weight agrees at every step, to 1e-10 of the largest it has been."""
    weights = np.random.default_rng(seed).standard_normal((len(SIZES), 4)) * [0, 1, 0, 1]
    parameters, largest = {"w": weights.copy()}, np.abs(weights)
    (optimizer, theirs), state = pytorchs(ours, weights), ours.start(parameters)
    for rate, gradient in zip(rates, gradients(seed), strict=False):
        optimizer.param_groups[0]["lr"] = rate
        theirs.grad = theirs.new_tensor(gradient)
        optimizer.step()
        ours.step(parameters, {"w": gradient}, state, rate)
        expected = theirs.detach().numpy()
        largest = np.maximum(largest, np.abs(expected))
        assert np.isfinite(expected).all()
        assert (np.abs(parameters["w"] - expected) <= 1e-10 * largest).all()


@pytest.mark.torch
@pytest.mark.parametrize("ours", OURS, ids=str)
def test_a_thousand_steps_as_in_pytorch(ours):
    follow(ours, 0, [ours.rate / (1 + step / 500) for step in range(1000)])


# Not tried beside weight decay: a short memory, or centering, with a tiny eps. Where the loss has no gradient such steps turn with the
# sign of the weight, or divide by a variance that is all rounding: one last digit makes another course.
decays, some_eps = st.sampled_from([0.0, 0.02, 0.5]), st.sampled_from([1e-8, 1e-6, 1e-3])
momenta = st.sampled_from([0.0, 0.5, 0.9, 0.99])
adams = {
    "beta1": momenta, "beta2": st.sampled_from([0.9, 0.99, 0.999, 0.999999]), "eps": some_eps,
    "amsgrad": st.booleans(), "weight_decay": decays,
}  # fmt: skip
any_optimizer = st.one_of(
    st.builds(SGD, momentum=momenta, weight_decay=decays, dampening=st.sampled_from([0.0, 0.3, 1.0])),
    st.builds(SGD, momentum=st.sampled_from([0.5, 0.9, 1.0]), nesterov=st.just(True), weight_decay=decays),
    st.builds(RMSprop, alpha=st.sampled_from([0.9, 0.99]), eps=some_eps, momentum=momenta, weight_decay=decays),
    st.builds(RMSprop, alpha=st.sampled_from([0.9, 0.99]), eps=some_eps, momentum=momenta, centered=st.just(True)),
    st.builds(RMSprop, eps=st.just(1e-3), momentum=momenta, centered=st.just(True), weight_decay=decays),
    st.builds(Adam, **adams),
    st.builds(AdamW, **adams),
)


@pytest.mark.torch
@settings(deadline=None)
@given(ours=any_optimizer, seed=st.integers(0, 2**32), rates=st.lists(st.floats(1e-4, 0.05), min_size=1, max_size=40))
def test_any_options_and_rates_as_in_pytorch(ours, seed, rates):
    follow(ours, seed, rates)


@pytest.mark.torch
@pytest.mark.parametrize("ours", [RMSprop(), Adam(), Adam(amsgrad=True), AdamW(), SGD(momentum=0.9)], ids=str)
def test_where_pytorch_overflows_so_do_we(ours):
    """The square of 1e200 is infinite: that weight stands still from then on, but for AdamW's decay. SGD takes no square.

    Centered RMSprop is not compared: whether PyTorch's m² overflows as well, and turns the weight into NaN, is the processor's choice.
    """
    parameters, gradient = {"w": np.ones(3)}, np.array([1e200, -1e300, 1.0])
    (optimizer, theirs), state = pytorchs(ours, parameters["w"].copy()), ours.start(parameters)
    for step in range(3):
        theirs.grad = theirs.new_tensor(gradient / 10**step)
        optimizer.step()
        ours.step(parameters, {"w": gradient / 10**step}, state, ours.rate)
        np.testing.assert_allclose(parameters["w"], theirs.detach().numpy(), rtol=1e-10)
    if not isinstance(ours, SGD):
        still = (1 - ours.rate * ours.weight_decay) ** 3
        assert parameters["w"][:2] == pytest.approx([still, still], rel=1e-12)
        assert parameters["w"][2] < still


@pytest.mark.torch
def test_a_variance_below_zero_is_nan_in_pytorch_and_zero_here():
    ours, gradient = RMSprop(centered=True, alpha=0.5), np.random.default_rng(0).standard_normal(50)
    parameters = {"w": np.zeros(50)}
    (optimizer, theirs), state = pytorchs(ours, np.zeros(50)), ours.start(parameters)
    for _ in range(200):
        theirs.grad = theirs.new_tensor(gradient)
        optimizer.step()
        ours.step(parameters, {"w": gradient}, state, ours.rate)
    assert np.isnan(theirs.detach().numpy()).any()
    assert np.isfinite(parameters["w"]).all()


def test_momentum_by_hand():
    parameters, optimizer = {"w": np.array([1.0])}, SGD(rate=0.1, momentum=0.5)
    state = optimizer.start(parameters)
    for expected in (0.8, 0.5, 0.15):  # velocities 2, 3, 3.5
        optimizer.step(parameters, {"w": np.array([2.0])}, state, 0.1)
        assert parameters["w"] == pytest.approx(expected)


def walk(optimizer, weight, *gradients, rate):
    """The weight after each gradient."""
    parameters, seen = {"w": np.array([weight])}, []
    state = optimizer.start(parameters)
    for gradient in gradients:
        optimizer.step(parameters, {"w": np.array([gradient])}, state, rate)
        seen.append(float(parameters["w"][0]))
    return seen


def test_nesterov_and_dampening_by_hand():
    assert walk(SGD(momentum=0.5, nesterov=True), 1.0, 2.0, 2.0, rate=0.1) == pytest.approx([0.7, 0.35])  # 2 + 0.5·2, 2 + 0.5·3
    assert walk(SGD(momentum=0.5, dampening=0.75), 1.0, 2.0, 2.0, rate=0.1) == pytest.approx([0.8, 0.65])  # velocities 2, 0.5·2 + 0.25·2


def test_weight_decay_by_hand():
    """A weight of 1, a rate of 0.1, a decay of 0.5, and a gradient of 2. A first step divided by its own size forgets the penalty."""
    assert walk(SGD(weight_decay=0.5), 1.0, 2.0, rate=0.1) == pytest.approx([1 - 0.1 * 2.5])
    assert walk(RMSprop(alpha=0.75, weight_decay=0.5), 1.0, 2.0, rate=0.1) == pytest.approx([1 - 0.1 * 2.5 / 1.25])
    assert walk(Adam(weight_decay=0.5), 1.0, 2.0, rate=0.1) == pytest.approx([1 - 0.1])
    assert walk(AdamW(weight_decay=0.5), 1.0, 2.0, rate=0.1) == pytest.approx([1 - 0.1 * 0.5 - 0.1])


def test_amsgrad_by_hand():
    """Without a memory every step is as long as the rate; AMSGrad divides 1 by the 4 it saw before."""
    assert walk(Adam(beta1=0.0, beta2=0.0), 0.0, 4.0, 1.0, rate=1.0) == pytest.approx([-1.0, -2.0])
    assert walk(Adam(beta1=0.0, beta2=0.0, amsgrad=True), 0.0, 4.0, 1.0, rate=1.0) == pytest.approx([-1.0, -1.25])


@pytest.mark.parametrize("gradient", [1e-3, 1.0, 1e6, -1e155])  # the square of the last exists only after its factor, as in PyTorch
def test_rmsprops_first_step_is_ten_times_the_rate(gradient):
    assert walk(RMSprop(), 0.0, gradient, rate=0.01) == pytest.approx([-0.1 * math.copysign(1, gradient)], rel=1e-3)


@pytest.mark.parametrize("gradient", [1e-3, 1.0, 1e6, -1e155])
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
    assert (np.sqrt(state["square"]["w"]) < np.abs(state["mean"]["w"])).any()
    assert np.isfinite(parameters["w"]).all()


def test_a_square_that_overflows_stops_the_weight():
    for optimizer in (Adam(), Adam(amsgrad=True), AdamW(weight_decay=0.0), RMSprop(), RMSprop(centered=True)):
        parameters = {"w": np.array([1.0], np.float32)}
        optimizer.step(parameters, {"w": np.array([1e30], np.float32)}, optimizer.start(parameters), 0.01)
        assert parameters["w"] == 1.0


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: SGD(rate=-0.1), "SGD.rate is -0.1; it must be at least 0"),
        (lambda: SGD(momentum=1.5), "SGD.momentum is 1.5; it must be between 0 and 1"),
        (lambda: SGD(nesterov=True), "nesterov needs a momentum above 0"),
        (lambda: SGD(dampening=1.5), "SGD.dampening"),
        (lambda: SGD(momentum=0.9, nesterov=True, dampening=0.1), "nesterov does not go with dampening"),
        (lambda: Adam(beta1=1.0), "Adam.beta1"),
        (lambda: Adam(beta2=-0.1), "Adam.beta2"),
        (lambda: Adam(eps=0.0), "Adam.eps"),
        (lambda: Adam(weight_decay=-1.0), "Adam.weight_decay"),
        (lambda: AdamW(weight_decay=-1.0), "AdamW.weight_decay"),
        (lambda: AdamW(eps=0.0), "AdamW.eps"),
        (lambda: RMSprop(alpha=1.1), "RMSprop.alpha"),
        (lambda: RMSprop(weight_decay=-1.0), "RMSprop.weight_decay"),
        (lambda: RMSprop(rate=math.nan), "RMSprop.rate"),
    ],
)
def test_limits_of_options(make, message):
    with pytest.raises(GradvizError, match=message):
        make()

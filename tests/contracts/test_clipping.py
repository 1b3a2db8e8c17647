"""Every clipping rule keeps the promises of its base, whatever the gradient."""

import json
import math

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from gradviz.clipping import CLIPPING

SHAPES = {
    "layers.0.forward.weight_ih": (2, 3, 4),
    "layers.0.forward.weight_hh": (2, 4, 4),
    "layers.0.forward.bias": (2, 4),
    "layers.0.forward.bias_hh": (4,),
    "readout.weight": (4, 3),
    "readout.bias": (3,),
}
DTYPES = [np.float32, np.float64]
unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # a busy machine is no bug


def some(dtype, scale=1.0, seed=0):
    rng = np.random.default_rng(seed)
    return {name: (rng.standard_normal(shape) * scale).astype(dtype) for name, shape in SHAPES.items()}


def flat(gradients):
    return np.concatenate([array.ravel() for array in gradients.values()]).astype(np.longdouble)


def length(gradients):
    return math.hypot(*(float(value) for value in flat(gradients)))  # math.hypot scales by itself


@st.composite
def gradients(draw):
    """Entries of any size that float32 or float64 can hold, zero, infinity and NaN among them."""
    dtype = draw(st.sampled_from(DTYPES))
    exponent = draw(st.integers(-38, 37) if dtype == np.float32 else st.integers(-300, 300))
    odd = draw(st.booleans())
    entries = st.sampled_from([0.0, -1.0, 1.0, 0.37, -2.5] + ([math.inf, -math.inf, math.nan] if odd else []))
    sizes = [math.prod(shape) for shape in SHAPES.values()]
    drawn = draw(arrays(dtype, sum(sizes), elements=entries, fill=st.just(0.5))) * dtype(
        10.0**exponent
    )  # at once: six cost six times as much
    parts = np.split(drawn, np.cumsum(sizes)[:-1])
    return {name: part.reshape(shape).copy() for (name, shape), part in zip(SHAPES.items(), parts, strict=True)}


@pytest.mark.parametrize("name", CLIPPING.names())
@unhurried
@given(gradient=gradients())
def test_a_rule_neither_writes_nor_changes_shape_or_precision(name, gradient):
    rule, parameters = CLIPPING[name](), some(np.float64, seed=1)
    before, weights = {key: array.copy() for key, array in gradient.items()}, {key: array.copy() for key, array in parameters.items()}
    clipped = rule.clip(gradient, parameters, rule.start())
    assert list(clipped.gradients) == list(SHAPES)
    for key, array in clipped.gradients.items():
        np.testing.assert_array_equal(gradient[key], before[key])
        np.testing.assert_array_equal(parameters[key], weights[key])
        assert (array.shape, array.dtype) == (before[key].shape, before[key].dtype)


@pytest.mark.parametrize("name", CLIPPING.names())
@unhurried
@given(gradient=gradients())
def test_what_is_measured_is_what_happened(name, gradient):
    rule = CLIPPING[name]()
    state = rule.start()
    rule.clip(some(np.float64, 1e-3), some(np.float64, seed=1), state)
    clipped = rule.clip(gradient, some(np.float64, seed=1), state)
    assert clipped.acted == (clipped.gradients is not gradient)
    if clipped.acted:
        assert any(clipped.gradients[key].tobytes() != gradient[key].tobytes() for key in SHAPES)
    if not np.isfinite(flat(gradient)).all():
        assert not math.isfinite(clipped.before)
        return
    assert clipped.before == pytest.approx(length(gradient), rel=1e-6)
    assert clipped.after == pytest.approx(length(clipped.gradients), rel=1e-6)
    assert clipped.after <= clipped.before * (1 + 1e-6)
    if clipped.before > 0 and clipped.after > 0:
        one, other = flat(gradient) / clipped.before, flat(clipped.gradients) / clipped.after
        assert clipped.cosine == pytest.approx(float(one @ other), abs=1e-6)
    if clipped.acted and clipped.after == 0:
        assert math.isnan(clipped.cosine)


@pytest.mark.parametrize("name", CLIPPING.names())
@unhurried
@given(gradient=gradients())
def test_no_sign_turns_and_no_number_is_lost(name, gradient):
    rule = CLIPPING[name]()
    clipped = rule.clip(gradient, some(np.float64, seed=1), rule.start()).gradients
    for key, array in clipped.items():
        assert np.isnan(array).sum() == np.isnan(gradient[key]).sum()
        sign = np.sign(np.nan_to_num(gradient[key])) * np.sign(np.nan_to_num(array))
        assert (sign >= 0).all()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", CLIPPING.names())
def test_a_gradient_of_zero_is_left_alone(name, dtype):
    rule, zero = CLIPPING[name](), {key: np.zeros(shape, dtype) for key, shape in SHAPES.items()}
    clipped = rule.clip(zero, some(dtype), rule.start())
    assert clipped.gradients is zero
    assert (clipped.acted, clipped.before, clipped.after) == (False, 0.0, 0.0)


@pytest.mark.parametrize("name", CLIPPING.names())
def test_the_state_can_be_stored_and_continued(name):
    rule, parameters = CLIPPING[name](), some(np.float64, seed=1)
    state = rule.start()
    for seed in range(5):
        rule.clip(some(np.float64, 10.0 ** (seed % 3), seed), parameters, state)
    stored = json.loads(json.dumps(state))
    here, there = (rule.clip(some(np.float64, 3.0, 9), parameters, each) for each in (state, stored))
    for key in SHAPES:
        np.testing.assert_array_equal(here.gradients[key], there.gradients[key])
    assert here.threshold == pytest.approx(there.threshold, nan_ok=True)


@pytest.mark.parametrize("name", CLIPPING.names())
def test_a_rule_with_one_threshold_acts_just_above_it(name):
    rule, parameters = CLIPPING[name](), some(np.float64, seed=1)
    state = rule.start()
    seen = [rule.clip(some(np.float64, scale, seed), parameters, state) for seed, scale in enumerate([1.0, 0.01, 30.0, 1e-6, 2.0])]
    for clipped in seen:
        if not math.isnan(clipped.threshold):
            assert clipped.acted == (clipped.before > clipped.threshold)
            assert clipped.after == pytest.approx(min(clipped.before, clipped.threshold))

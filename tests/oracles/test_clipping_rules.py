"""Clipping rules against hand computation, their papers' formulas, and PyTorch."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from gradviz.clipping.adaptive import Adaptive
from gradviz.clipping.norm import Norm, norm_of_order
from gradviz.clipping.per_parameter import PerParameter
from gradviz.clipping.percentile import Percentile
from gradviz.clipping.value import Value
from gradviz.config import Experiment
from gradviz.errors import GradvizError
from gradviz.flags import all_flags, build
from gradviz.recording.reading import read_meta
from gradviz.recording.store import RunWriter

HH = "layers.0.forward.weight_hh"


def once(rule, gradients, parameters=None):
    return rule.clip(gradients, parameters if parameters is not None else gradients, rule.start())


def test_three_four_five():
    gradient = {"a": np.array([3.0]), "b": np.array([4.0])}
    by_norm, by_value, by_parameter = once(Norm(1.0), gradient), once(Value(1.0), gradient), once(PerParameter(2.0), gradient)
    assert by_norm.gradients["a"] == pytest.approx(0.6)
    assert by_norm.gradients["b"] == pytest.approx(0.8)
    assert by_norm.cosine == pytest.approx(1.0)
    assert (by_value.gradients["a"], by_value.gradients["b"]) == (1.0, 1.0)
    assert by_value.cosine == pytest.approx(7 / (5 * math.sqrt(2)))
    assert (by_parameter.gradients["a"], by_parameter.gradients["b"]) == (2.0, 2.0)


@pytest.mark.parametrize(
    ("order", "length"), [(0.5, (3**0.5 + 2) ** 2), (1.0, 7.0), (2.0, 5.0), (3.0, 91 ** (1 / 3)), (400.0, 4.0), (math.inf, 4.0)]
)
def test_three_and_four_in_every_order(order, length):
    gradient = {"a": np.array([3.0]), "b": np.array([[0.0, -4.0]])}
    after = once(Norm(1.0, order), gradient)
    np.testing.assert_allclose(after.gradients["a"], [3 / length], rtol=1e-14)
    np.testing.assert_allclose(after.gradients["b"], [[0, -4 / length]], rtol=1e-14)
    assert once(Norm(length * (1 + 1e-14), order), gradient).gradients is gradient
    assert (after.before, after.after) == pytest.approx((5.0, 5 / length))  # 2-norms are measured, whatever the order
    assert after.cosine == pytest.approx(1.0)


@pytest.mark.parametrize("rule", [Norm(50.0), Norm(70.0, 1.0), Norm(40.0, math.inf), Value(40.0), PerParameter(50.0)])
def test_at_the_limit_nothing_happens(rule):
    gradient = {"a": np.array([30.0, 40.0])}
    assert once(rule, gradient).gradients is gradient


@pytest.mark.parametrize("rule", [Norm(0.0), Norm(0.0, 1.0, 1e-6), Norm(0.0, math.inf), Value(0.0), PerParameter(0.0), Adaptive(share=0.0)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_limit_of_zero_leaves_nothing(rule, dtype):
    after = once(rule, {"layers.0.forward.weight_ih": np.full((1, 2, 3), 1e-30, dtype)})
    assert (after.acted, after.after) == (True, 0.0)
    assert math.isnan(after.cosine)


@pytest.mark.parametrize(
    "rule",
    [Norm(math.inf), Norm(math.inf, 1.0, 1e-6), Value(math.inf), PerParameter(math.inf), Adaptive(share=math.inf), Percentile(100.0)],
)
def test_a_limit_of_infinity_never_acts(rule):
    gradient = {"a": np.array([1e300, -1e200])}
    assert not once(rule, gradient).acted


@pytest.mark.parametrize(("dtype", "size"), [(np.float64, 1e200), (np.float32, 1e30), (np.float64, 1e-200), (np.float32, 1e-30)])
def test_sizes_whose_squares_do_not_exist(dtype, size):
    limit = size / 10
    gradient = {"a": np.array([3, 4], dtype) * dtype(size), "b": np.array([12], dtype) * dtype(size)}
    by_norm, by_parameter = once(Norm(limit), gradient), once(PerParameter(limit), gradient)
    assert by_norm.before == pytest.approx(13 * size)
    assert by_norm.after == pytest.approx(limit)
    assert by_parameter.after == pytest.approx(limit * math.sqrt(2))
    np.testing.assert_allclose(by_norm.gradients["a"] / limit, [3 / 13, 4 / 13], rtol=1e-6)


@pytest.mark.parametrize(("dtype", "size"), [(np.float64, 1e300), (np.float32, 1e37), (np.float64, 1e-300), (np.float32, 1e-37)])
@pytest.mark.parametrize("order", [0.5, 1.0, 2.5, 100.0, 1e5, math.inf])
def test_powers_that_do_not_exist(order, dtype, size):
    """A norm grows with its gradient, in every order."""
    gradient = {"a": np.array([3, -4], dtype) * dtype(size), "b": np.array([0, 2], dtype) * dtype(size)}
    length = np.linalg.norm([0.75, 1, 0.5], order) * 4
    assert norm_of_order(order, gradient.values()) == pytest.approx(length * size, rel=1e-6)
    after = once(Norm(size / 10, order), gradient).gradients
    np.testing.assert_allclose(after["a"] / dtype(size), np.array([0.3, -0.4]) / length, rtol=1e-6)


def test_a_norm_larger_than_a_float_is_not_finite_and_left():
    gradient = {"a": np.full(100, 1e307)}
    assert norm_of_order(1.0, gradient.values()) == math.inf
    assert once(Norm(1.0, 1.0), gradient).gradients is gradient
    assert once(Norm(1.0), gradient).after == pytest.approx(1.0)


@pytest.mark.parametrize("rule", [Norm(1e-9, eps=1e-6), Norm(0.0), Norm(0.0, 1.0, 1.0), Norm(0.0, math.inf)])
def test_nothing_is_done_to_a_gradient_of_zero(rule):
    zero = {"a": np.zeros(3)}
    assert once(rule, zero).gradients is zero


def test_eps_lowers_the_threshold_and_another_order_has_none():
    state = {}
    assert (Norm(1.0).threshold(state), Norm(1.0, eps=0.25).threshold(state), Norm(0.1, eps=0.25).threshold(state)) == (1.0, 0.75, 0.0)
    assert math.isnan(Norm(1.0, 1.0).threshold(state))
    assert math.isnan(once(Norm(1.0, math.inf), {"a": np.array([3.0])}).threshold)
    assert not once(Norm(1.0, eps=0.25), {"a": np.array([0.75])}).acted
    assert once(Norm(1.0, eps=0.25), {"a": np.array([0.875])}).after == pytest.approx(0.875 / 1.125)


def test_an_infinite_order_survives_the_command_line_and_a_run_file(tmp_path):
    experiment = build(all_flags(), {"clipping": "norm", "clipping.order": "inf", "clipping.eps": "1e-6"})
    assert experiment.training.clipping == Norm(1.0, math.inf, 1e-6)
    RunWriter.create(tmp_path / "run", {"experiment": experiment.to_dict()}).finish()
    assert Experiment.from_dict(read_meta(tmp_path / "run")["experiment"]) == experiment


def test_a_factor_too_small_for_float32_loses_no_digits():
    gradient = {"a": np.full(10_000, 1e38, np.float32)}  # norm 1e40: the factor 1e-42 has three digits in float32, the norm none
    assert once(Norm(0.01), gradient).after == pytest.approx(0.01, rel=1e-6)
    assert once(PerParameter(0.01), gradient).after == pytest.approx(0.01, rel=1e-6)


@pytest.mark.parametrize("odd", [math.inf, math.nan])
def test_a_norm_that_is_not_finite_is_left_where_it_is(odd):
    gradient = {"a": np.array([odd, 5.0]), "b": np.array([3.0, 4.0])}
    for order in (0.5, 1.0, 2.0, 3.0, math.inf):
        assert once(Norm(1.0, order, 1e-6), gradient).gradients is gradient
        np.testing.assert_equal(norm_of_order(order, gradient.values()), odd)
    assert once(Percentile(), gradient).gradients is gradient
    by_parameter = once(PerParameter(1.0), gradient).gradients
    assert by_parameter["a"] is gradient["a"]
    np.testing.assert_allclose(by_parameter["b"], [0.6, 0.8])


def test_by_value_infinity_becomes_the_limit_and_nan_stays():
    for dtype in (np.float32, np.float64):
        after = once(Value(1e300), {"a": np.array([np.inf, -np.inf, np.nan, 2], dtype)}).gradients["a"]
        limit = min(1e300, float(np.finfo(dtype).max))
        np.testing.assert_array_equal(after, np.array([limit, -limit, np.nan, 2], dtype))


# ------------------------------------------------------------------ AGC


def agc_reference(weights, gradient, share, eps):
    """Brock et al. 2021, eq. 3, unit by unit in plain loops; a unit is a column."""
    clipped = gradient.copy()
    for gate in range(gradient.shape[0]):
        for unit in range(gradient.shape[2]):
            limit = share * max(math.hypot(*weights[gate, :, unit]), eps)
            norm = math.hypot(*gradient[gate, :, unit])
            if norm > limit:
                clipped[gate, :, unit] = gradient[gate, :, unit] * (limit / norm)
    return clipped


def test_agc_by_units_of_each_gate():
    rng = np.random.default_rng(0)
    weights, gradient = rng.standard_normal((3, 5, 5)), rng.standard_normal((3, 5, 5)) * rng.choice([1e-3, 1.0], (3, 1, 5))
    after = once(Adaptive(0.01), {HH: gradient}, {HH: weights}).gradients[HH]
    np.testing.assert_allclose(after, agc_reference(weights, gradient, 0.01, 1e-3), rtol=1e-12)
    changed = (after != gradient).any(axis=1)
    assert 0 < changed.sum() < changed.size
    assert np.all((after == gradient).all(axis=1) | changed)


def test_agc_units_of_matrices_biases_and_the_readout():
    shapes = {"embedding.weight": (5, 3), "layers.0.forward.bias": (2, 3), "layers.0.forward.bias_hh": (3,), "readout.weight": (3, 2)}
    ones = {name: np.ones(shape) for name, shape in shapes.items()}
    after = once(Adaptive(0.5), ones, ones)
    for name in list(shapes)[:3]:
        np.testing.assert_allclose(after.gradients[name], 0.5)  # each unit's gradient is as long as its weights: halved
    assert after.gradients["readout.weight"] is ones["readout.weight"]
    only_one_gate = {"layers.0.forward.bias": np.array([[1.0, 1, 1], [0.1, 0.1, 0.1]])}
    np.testing.assert_allclose(
        once(Adaptive(0.5), only_one_gate, {"layers.0.forward.bias": np.ones((2, 3))}).gradients["layers.0.forward.bias"],
        [[0.5] * 3, [0.1] * 3],
    )


def test_agc_lets_units_at_zero_go_by_lambda_times_eps():
    gradient = {HH: np.full((1, 4, 2), 3.0)}
    after = once(Adaptive(), gradient, {HH: np.zeros((1, 4, 2))}).gradients[HH]
    np.testing.assert_allclose(np.linalg.norm(after, axis=1), 1e-5, rtol=1e-12)


@settings(deadline=None)
@given(scale=st.floats(1e-3, 1e200), seed=st.integers(0, 99))
def test_agc_does_not_care_for_a_common_scale(scale, seed):
    rng = np.random.default_rng(seed)
    weights, gradient = rng.standard_normal((2, 4, 3)) * 10, rng.standard_normal((2, 4, 3))
    plain = once(Adaptive(), {HH: gradient}, {HH: weights}).gradients[HH]
    wide = once(Adaptive(), {HH: gradient * scale}, {HH: weights * scale}).gradients[HH]
    np.testing.assert_allclose(wide / scale, plain, rtol=1e-10)


@pytest.mark.parametrize("odd", [math.inf, math.nan])
def test_agc_leaves_units_that_are_not_finite(odd):
    gradient = {HH: np.ones((1, 2, 2))}
    gradient[HH][0, 0, 1] = odd
    after = once(Adaptive(), gradient, {HH: np.ones((1, 2, 2))}).gradients[HH]
    np.testing.assert_array_equal(after[..., 1], gradient[HH][..., 1])
    np.testing.assert_allclose(after[..., 0], 0.01)
    sound = {HH: np.ones((1, 2, 2))}
    after = once(Adaptive(), sound, {HH: gradient[HH]}).gradients[HH]
    np.testing.assert_array_equal(after[..., 1], sound[HH][..., 1])
    np.testing.assert_allclose(after[..., 0], 0.01)


# ------------------------------------------------------------------ AutoClip


def feed(rule, norms):
    state = rule.start()
    return [rule.clip({"a": np.array([norm])}, {}, state) for norm in norms]


def test_autoclip_of_one_to_a_hundred():
    last = feed(Percentile(10.0), map(float, range(1, 101)))[-1]
    assert last.threshold == pytest.approx(10.9)
    assert last.after == pytest.approx(10.9)


@settings(deadline=None)
@given(norms=st.lists(st.floats(0, 1e300), min_size=1, max_size=40), percent=st.floats(0, 100))
def test_autoclip_is_numpys_percentile_of_all_norms_so_far(norms, percent):
    for count, clipped in enumerate(feed(Percentile(percent), norms), start=1):
        assert clipped.threshold == pytest.approx(np.percentile(norms[:count], percent), rel=1e-9, abs=1e-300)


@settings(deadline=None)
@given(norms=st.lists(st.floats(1e-3, 1e3), min_size=1, max_size=20))
def test_autoclip_scales_with_the_gradients_and_never_clips_at_a_hundred(norms):
    plain, wide = feed(Percentile(), norms), feed(Percentile(), [1024.0 * norm for norm in norms])
    assert [one.after * 1024.0 for one in plain] == pytest.approx([one.after for one in wide])
    assert not any(one.acted for one in feed(Percentile(100.0), norms))


def test_autoclip_does_not_remember_what_is_not_finite():
    seen = feed(Percentile(50.0), [1.0, math.inf, math.nan, 3.0])
    assert [one.threshold for one in seen] == [1.0, 1.0, 1.0, 2.0]
    assert math.isnan(feed(Percentile(), [math.inf])[0].threshold)


# ------------------------------------------------------------------ limits, PyTorch


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Norm(-1.0), "Norm.limit is -1; it must be at least 0"),
        (lambda: Norm(math.nan), "Norm.limit is nan"),
        (lambda: Norm(order=0.0), "Norm.order is 0; it must be at least 1e-16"),
        (lambda: Norm(order=-math.inf), "Norm.order"),
        (lambda: Norm(order=math.nan), "Norm.order"),
        (lambda: Norm(eps=-1e-6), "Norm.eps"),
        (lambda: Norm(eps=math.inf), "Norm.eps"),
        (lambda: Value(-0.1), "Value.limit"),
        (lambda: PerParameter(-1.0), "PerParameter.limit"),
        (lambda: Adaptive(share=-1.0), "Adaptive.share"),
        (lambda: Adaptive(eps=-1.0), "Adaptive.eps"),
        (lambda: Percentile(101.0), "Percentile.percent is 101; it must be between 0 and 100"),
    ],
)
def test_limits_of_options(make, message):
    with pytest.raises(GradvizError, match=message):
        make()


def by_pytorch(function, gradient, *options):
    """What one of torch.nn.utils' functions makes of the gradients."""
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    tensors = {name: torch.zeros(array.shape, dtype=torch.float64) for name, array in gradient.items()}
    for name, tensor in tensors.items():
        tensor.grad = torch.tensor(gradient[name])
    getattr(torch.nn.utils, function)(tensors.values(), *options)
    return {name: tensor.grad.numpy() for name, tensor in tensors.items()}


def assert_same(ours, theirs):
    for name, array in theirs.items():
        np.testing.assert_allclose(ours[name], array, rtol=1e-10, atol=1e-300)


sized = st.builds(lambda digits, power: digits * 10.0**power, st.floats(-1, 1), st.integers(-3, 6))
pairs = st.fixed_dictionaries({"a": arrays(np.float64, (2, 3), elements=sized), "b": arrays(np.float64, 4, elements=sized)})
orders = st.sampled_from([0.5, 1.0, 1.5, 2.0, 3.0, 7.0, math.inf])


@pytest.mark.torch
@settings(deadline=None)
@given(gradient=pairs, order=orders, limit=st.one_of(st.just(0.0), st.floats(1e-6, 1e6)))
def test_norm_of_any_order_as_in_pytorch(gradient, order, limit):
    assert_same(once(Norm(limit, order, 1e-6), gradient).gradients, by_pytorch("clip_grad_norm_", gradient, limit, order))


@pytest.mark.torch
@settings(deadline=None)
@given(gradient=pairs, order=orders, over=st.sampled_from([-1e-6, -1e-9, 0.0, 1e-9, 5e-7, 9e-7, 1e-6, 1.1e-6]))
def test_just_below_the_limit_as_in_pytorch(gradient, order, over):
    """A norm that lacks less than 1e-6 to the limit is shortened by PyTorch, and with eps 0 it is not."""
    norm = float(np.linalg.norm(np.concatenate([array.ravel() for array in gradient.values()]), order))
    limit = max(norm + over, 0.0)
    assert_same(once(Norm(limit, order, 1e-6), gradient).gradients, by_pytorch("clip_grad_norm_", gradient, limit, order))
    if 1e-3 < norm < 100 and over not in (0.0, 1e-6):  # where 1e-9 is more than a rounding
        assert once(Norm(limit, order, 1e-6), gradient).acted == (over < 1e-6)
        assert once(Norm(limit, order), gradient).acted == (over < 0)


@pytest.mark.torch
@settings(deadline=None)
@given(gradient=pairs, odd=st.sampled_from([0.0, math.inf, -math.inf, math.nan]), limit=st.one_of(st.just(0.0), st.floats(1e-6, 1e6)))
def test_value_as_in_pytorch(gradient, odd, limit):
    gradient["b"][0] = odd
    assert_same(once(Value(limit), gradient).gradients, by_pytorch("clip_grad_value_", gradient, limit))


@pytest.mark.torch
@pytest.mark.parametrize(("odd", "others"), [(math.inf, 0.0), (math.nan, math.nan)])
def test_pytorch_multiplies_by_what_is_not_finite_and_we_do_not(odd, others):
    """There an infinite entry turns into NaN and wipes out all others, and NaN takes them along; here they are left, to be seen."""
    gradient = {"a": np.array([odd, 5.0]), "b": np.array([3.0, 4.0])}
    theirs = by_pytorch("clip_grad_norm_", gradient, 1.0)
    np.testing.assert_array_equal(np.concatenate([theirs["a"], theirs["b"]]), [math.nan, others, others, others])
    assert once(Norm(1.0, eps=1e-6), gradient).gradients is gradient


@pytest.mark.torch
def test_where_pytorch_s_squares_overflow_we_clip():
    gradient = {"a": np.array([3e200, 4e200])}
    np.testing.assert_array_equal(by_pytorch("clip_grad_norm_", gradient, 1.0)["a"], [0.0, 0.0])
    np.testing.assert_allclose(once(Norm(1.0, eps=1e-6), gradient).gradients["a"], [0.6, 0.8])

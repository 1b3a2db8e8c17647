"""Every optimizer keeps the promises of its base."""

import math

import numpy as np
import pytest

from gradviz.optimizers import OPTIMIZERS
from gradviz.options import from_dict, to_dict

SHAPES = {"layers.0.forward.weight_hh": (2, 3, 3), "readout.bias": (3,)}
DTYPES = [np.float32, np.float64]


def some(dtype, seed):
    rng = np.random.default_rng(seed)
    return {name: rng.standard_normal(shape).astype(dtype) for name, shape in SHAPES.items()}


def copy(arrays):
    return {name: array.copy() for name, array in arrays.items()}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", OPTIMIZERS.names())
def test_works_in_place_and_leaves_gradients_alone(name, dtype):
    optimizer, parameters, gradients = OPTIMIZERS[name](), some(dtype, 0), some(dtype, 1)
    arrays, before, given = dict(parameters), copy(parameters), copy(gradients)
    state = optimizer.start(parameters)
    memory = {(kind, key): array for kind, arrays_of_kind in state.items() for key, array in arrays_of_kind.items()}
    optimizer.step(parameters, gradients, state, optimizer.rate)
    for key in SHAPES:
        assert parameters[key] is arrays[key]
        assert parameters[key].dtype == dtype
        np.testing.assert_array_equal(gradients[key], given[key])
        assert ((parameters[key] - before[key]) * gradients[key] < 0).all()  # the first step leads downhill
    for (kind, key), array in memory.items():
        assert state[kind][key] is array
        assert kind == "count" or (array.shape, array.dtype) == (SHAPES[key], dtype)


@pytest.mark.parametrize("name", OPTIMIZERS.names())
def test_the_rate_given_to_a_step_counts(name):
    moved = {}
    for rate in (0.0, 0.25, 0.5):
        optimizer, parameters = OPTIMIZERS[name](), some(np.float64, 0)
        before = copy(parameters)
        optimizer.step(parameters, some(np.float64, 1), optimizer.start(parameters), rate)
        moved[rate] = parameters["readout.bias"] - before["readout.bias"]
    np.testing.assert_array_equal(moved[0.0], 0)
    np.testing.assert_allclose(moved[0.5], 2 * moved[0.25])


@pytest.mark.parametrize("name", OPTIMIZERS.names())
def test_a_stored_state_continues_the_same_way(name):
    optimizer, parameters = OPTIMIZERS[name](), some(np.float64, 0)
    state = optimizer.start(parameters)
    for seed in range(4):
        optimizer.step(parameters, some(np.float64, seed), state, optimizer.rate)
    again, stored = copy(parameters), {kind: copy(arrays) for kind, arrays in state.items()}
    for seed in range(4, 8):
        optimizer.step(parameters, some(np.float64, seed), state, optimizer.rate)
        optimizer.step(again, some(np.float64, seed), stored, optimizer.rate)
    for key in SHAPES:
        np.testing.assert_array_equal(parameters[key], again[key])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("odd", [math.nan, math.inf, "huge"])
@pytest.mark.parametrize("name", OPTIMIZERS.names())
def test_odd_gradients_touch_their_own_weight_only(name, odd, dtype):
    """Warnings are errors here: nothing is raised, and what is not finite stays where it arose."""
    optimizer, parameters, gradients = OPTIMIZERS[name](), some(dtype, 0), some(dtype, 1)
    plain = copy(parameters)
    optimizer.step(plain, copy(gradients), optimizer.start(plain), optimizer.rate)
    gradients["readout.bias"][1] = np.finfo(dtype).max if odd == "huge" else odd
    state = optimizer.start(parameters)
    optimizer.step(parameters, gradients, state, optimizer.rate)
    np.testing.assert_array_equal(parameters["readout.bias"][[0, 2]], plain["readout.bias"][[0, 2]])
    if odd != "huge":
        assert not np.isfinite(parameters["readout.bias"][1])
    optimizer.step(parameters, gradients, state, optimizer.rate)


@pytest.mark.parametrize("name", OPTIMIZERS.names())
def test_descends_a_bowl(name):
    """½ Σ a·x², with curvatures from 1 to 4: every optimizer with its own default rate ends lower by a factor of a hundred."""
    optimizer, curvature = OPTIMIZERS[name](), np.linspace(1, 4, 6)
    parameters = {"x": np.ones(6)}
    state = optimizer.start(parameters)
    for _ in range(600):
        optimizer.step(parameters, {"x": curvature * parameters["x"]}, state, optimizer.rate)
    assert (curvature * parameters["x"] ** 2).sum() < curvature.sum() / 100


@pytest.mark.parametrize("name", OPTIMIZERS.names())
def test_options_survive_a_run_file(name):
    optimizer = OPTIMIZERS[name](rate=0.3)
    assert from_dict(OPTIMIZERS[name], to_dict(optimizer)) == optimizer

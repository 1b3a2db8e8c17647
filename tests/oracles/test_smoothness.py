"""Smoothness along updates and noise between halves, against quadratic losses, finite differences and gradients made by hand."""

import math

import numpy as np
import pytest

from gradviz.arrays import cosine, global_norm
from gradviz.batch import Batch, Signature
from gradviz.cells import CELLS
from gradviz.config import Model
from gradviz.dynamics.gradients import gradient
from gradviz.dynamics.noise import Noise, between, noise, pooled
from gradviz.dynamics.smoothness import relation, smoothness
from gradviz.errors import GradvizError, ShapeError
from gradviz.network import Network
from gradviz.tasks import TASKS

RNG = np.random.default_rng
VALUES = Signature(2, 1, False, "squared")


def network(cell: str = "rnn", dtype: str = "float64") -> Network:
    return Network(Model(cell=CELLS[cell](), units=4), VALUES, dtype=dtype, seed=1)


def batch(size: int = 6) -> Batch:
    return Batch(RNG(0).standard_normal((5, size, 2)), RNG(1).standard_normal((5, size, 1)))


def test_of_a_quadratic_loss_it_is_the_hessian_along_the_update() -> None:
    """Units so saturated that their slope is exactly zero: only the readout learns, and its squared loss is quadratic, with Hessian
    2 XᵀX/N, X the features with a 1."""
    made, data = network(), batch()
    made.parameters["layers.0.forward.weight_ih"][...] = 1e5 * RNG(5).standard_normal((1, 2, 4))
    features = np.concatenate([made.forward(data.inputs).features.reshape(-1, 4), np.ones((30, 1))], axis=1)
    np.testing.assert_array_equal(np.abs(features), 1)
    update = {"readout.weight": RNG(2).standard_normal((4, 1)), "readout.bias": RNG(3).standard_normal(1)}
    d = np.concatenate([update["readout.weight"][:, 0], update["readout.bias"]])
    expected = np.linalg.norm(2 * features.T @ features @ d / 30) / np.linalg.norm(d)
    found = smoothness(made, data, update, (0.1, 0.5, 1.0, 7.0))
    np.testing.assert_allclose(found.each, expected, rtol=1e-10)
    assert (found.value, found.update) == (pytest.approx(expected), pytest.approx(np.linalg.norm(d)))


@pytest.mark.parametrize("cell", list(CELLS))
def test_of_a_short_update_it_is_the_curvature(cell: str) -> None:
    made, data = network(cell, "float32"), batch()
    kept = {name: array.copy() for name, array in made.parameters.items()}
    update = {name: 1e-6 * RNG(4).standard_normal(array.shape) for name, array in made.parameters.items()}
    found = smoothness(made, data, update)
    exact, sides = made.astype("float64"), []
    for sign in (1, -1):
        for name, array in exact.parameters.items():
            array[...] = kept[name] + sign * 1e2 * update[name]
        sides.append({name: array.copy() for name, array in gradient(exact, data).items()})
    product = global_norm(sides[0][name] - sides[1][name] for name in kept) / (2e2 * global_norm(update.values()))
    assert found.value == pytest.approx(product, rel=1e-4)
    assert found.gradient == pytest.approx(global_norm(gradient(made.astype("float64"), data).values()), rel=1e-12)
    for name, array in made.parameters.items():
        np.testing.assert_array_equal(array, kept[name])


def test_what_an_update_may_be() -> None:
    made, data = network(), batch()
    assert math.isnan(smoothness(made, data, {}).value)
    assert math.isnan(smoothness(made, data, {"readout.bias": np.array([np.nan])}).value)
    with pytest.raises(ShapeError, match=r"the update of readout\.bias has shape \(2,\); the parameter has \(1,\)"):
        smoothness(made, data, {"readout.bias": np.zeros(2)})
    with pytest.raises(GradvizError, match=r"unknown parameter 'readout\.bais'. Did you mean 'readout\.bias'"):
        smoothness(made, data, {"readout.bais": np.zeros(1)})
    with pytest.raises(GradvizError, match="the fractions are"):
        smoothness(made, data, {}, (0.0,))


def test_a_power_law_is_a_line() -> None:
    norms = np.array([0.1, 1.0, 10.0, 3.0, np.nan, 0.0])
    found = relation(2 * norms**1.5, norms)
    assert (found.count, found.slope, found.r) == (4, pytest.approx(1.5), pytest.approx(1))
    assert found.intercept == pytest.approx(math.log(2))
    x, y = RNG(0).standard_normal((2, 50))
    found = relation(np.exp(y), np.exp(x))
    assert found.r == pytest.approx(np.corrcoef(x, y)[0, 1])
    assert found.slope == pytest.approx(np.polyfit(x, y, 1)[0])
    assert relation(norms[:2], norms[:2]).said == "not enough data: 2 points, and a line needs 3."
    with pytest.raises(ShapeError, match="both must be"):
        relation(norms, norms[:2])


def test_identical_halves_have_no_noise() -> None:
    half = batch(3)
    twice = Batch(np.concatenate([half.inputs] * 2, axis=1), np.concatenate([half.targets] * 2, axis=1))
    found = noise(network("lstm"), twice)
    assert (found.cosine, found.half) == (pytest.approx(1), 3)
    assert found.relative < 1e-14
    assert found.scale < 1e-25


def test_gradients_made_by_hand() -> None:
    found = between({"a": np.array([3.0]), "b": np.array([0.0])}, {"a": np.array([1.0]), "b": np.array([2.0])}, 4)
    assert found.cosine == pytest.approx(1 / math.sqrt(5))
    assert found.relative == pytest.approx(math.sqrt(8 / 20))
    assert (found.trace, found.signal, found.scale) == (pytest.approx(16), 3, pytest.approx(16 / 3))
    opposed = between({"a": np.array([1.0])}, {"a": np.array([-1.0])}, 1)
    assert opposed.scale == math.inf
    assert opposed.relative == math.inf
    assert math.isnan(between({"a": np.zeros(1)}, {"a": np.zeros(1)}, 1).scale)
    with pytest.raises(ShapeError, match="the same names and shapes"):
        between({"a": np.zeros(1)}, {"a": np.zeros(2)}, 1)
    with pytest.raises(GradvizError, match="half is 0"):
        between({}, {}, 0)


def test_the_estimates_are_unbiased() -> None:
    rng, true, spread = RNG(0), np.array([1.0, -2.0, 0.5]), np.array([1.0, 3.0, 0.5])
    several: list[Noise] = []
    for _ in range(4000):
        first, second = (true + spread * rng.standard_normal((8, 3)).mean(axis=0) for _ in range(2))
        several.append(between({"g": first}, {"g": second}, 8))
    assert np.mean([one.trace for one in several]) == pytest.approx((spread**2).sum(), rel=0.05)
    assert np.mean([one.signal for one in several]) == pytest.approx((true**2).sum(), rel=0.05)
    assert pooled(several) == pytest.approx((spread**2).sum() / (true**2).sum(), rel=0.07)
    with pytest.raises(GradvizError, match="no batch to pool"):
        pooled([])


@pytest.mark.parametrize("task", [name for name in TASKS if name != "text"])  # a text needs a file
def test_batches_of_every_task(task: str) -> None:
    data = TASKS[task]().open(seed=0)
    made, given = Network(Model(units=3), data.signature, seed=2), data.held_out(5)
    found = noise(made, given)
    assert found.half == 2
    exact, at = made.astype("float64"), data.signature.at
    first, second = ({k: v.copy() for k, v in gradient(exact, given.some(part, at), "sum").items()} for part in (slice(0, 2), slice(3, 5)))
    assert found.cosine == pytest.approx(cosine(first, second))
    assert np.isfinite(smoothness(made, given, first).value)


def test_one_example_has_no_halves() -> None:
    with pytest.raises(GradvizError, match="the batch has 1 example"):
        noise(network(), batch(1))

"""Jacobians, their products and their spectra, against complex steps, closed forms and published values."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradviz.batch import Signature
from gradviz.cells import CELLS
from gradviz.config import Model
from gradviz.dynamics.jacobians import Trajectory, follow, in_pieces, step_jacobians
from gradviz.dynamics.lyapunov import spectrum
from gradviz.dynamics.products import Scaled, log_norms, span
from gradviz.dynamics.recurrent import recurrent
from gradviz.errors import GradvizError, NonFiniteError, ShapeError
from gradviz.initializers import orthogonal
from gradviz.network import Network

VALUES, TOKENS = Signature(2, 3, False, "squared"), Signature(4, 4, True, "softmax")
RNG = np.random.default_rng


def network(cell: str = "rnn", signature: Signature = VALUES, **options: object) -> Network:
    made = Network(Model(cell=CELLS[cell](), **{"units": 4, **options}), signature, dtype="float64")  # type: ignore[arg-type]
    for array in made.parameters.values():
        array += 0.3 * RNG(1).standard_normal(array.shape)
    return made


def linear(matrix: np.ndarray, steps: int) -> Trajectory:
    """A tanh network at rest: at h = 0 its Jacobian is the recurrent matrix, at every step."""
    made = Network(Model(cell=CELLS["rnn"](), units=len(matrix)), Signature(1, 1, False, "squared"), dtype="float64")
    for array in made.parameters.values():
        array[...] = 0
    made.parameters["layers.0.forward.weight_hh"][0] = matrix.T
    return follow(made, np.zeros((steps, 1)))


# ------------------------------------------------------------------ Jacobians


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("cell", list(CELLS))
@pytest.mark.parametrize("direction", ["forward", "backward"])
def test_jacobians_are_derivatives_of_the_forward_step(cell: str, layers: int, direction: str) -> None:
    made = network(cell, layers=layers, direction=direction)
    inputs = RNG(0).standard_normal((3, 2))
    path = follow(made, inputs, RNG(2).standard_normal(layers * 4 * len(made.model.cell.states)))
    found, exact = step_jacobians(path), made.astype("complex128")
    assert found.shape == (3, path.width, path.width)
    order = [2, 1, 0] if direction == "backward" else [0, 1, 2]
    for t, place in enumerate(order):
        for j in range(path.width):
            state = path.before[t].astype(complex)
            state[j] += 1e-30j
            initial: dict[str, list[np.ndarray]] = {}
            for k, (name, _) in enumerate(path.places):
                initial.setdefault(name, []).append(state[None, 4 * k : 4 * k + 4])
            run = exact.forward(inputs[place][None, None].astype(complex), initial={n: tuple(parts) for n, parts in initial.items()})
            after = np.concatenate([run.final[name][made.model.cell.states.index(kind)][0] for name, kind in path.places])
            np.testing.assert_allclose(found[t][:, j], after.imag / 1e-30, rtol=1e-10, atol=1e-14)
            if t < 2:
                np.testing.assert_allclose(path.before[t + 1], after.real, rtol=1e-12)
    np.testing.assert_allclose(path.final, after.real, rtol=1e-12)


@pytest.mark.torch
def test_jacobians_of_an_lstm_are_pytorchs() -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install torch==2.13.0")
    from gradviz.bridges import to_torch

    made, inputs = network("lstm"), RNG(0).standard_normal((4, 2))
    module = torch.nn.LSTM(2, 4, dtype=torch.float64)
    module.load_state_dict({n.removeprefix("rnn."): torch.tensor(w) for n, w in to_torch(made).items() if n.startswith("rnn.")})
    path = follow(made, inputs)

    def step(state: object, x: object) -> object:
        _, (h, c) = module(x[None, None], (state[None, None, :4], state[None, None, 4:]))  # type: ignore[index]
        return torch.cat([h[0, 0], c[0, 0]])

    for t, jacobian in enumerate(step_jacobians(path)):
        theirs = torch.func.jacrev(step)(torch.tensor(path.before[t]), torch.tensor(inputs[t]))
        np.testing.assert_allclose(jacobian, theirs.detach().numpy(), rtol=1e-10, atol=1e-14)


def test_tokens_pieces_and_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    made = network("lstm", TOKENS, layers=2)
    path = follow(made, np.array([1, 3, -1, 0, 2]))
    whole = step_jacobians(path)
    monkeypatch.setattr("gradviz.dynamics.jacobians.ROWS", 2 * path.width)
    assert [len(piece) for piece in in_pieces(path)] == [2, 2, 1]
    np.testing.assert_allclose(np.concatenate(list(in_pieces(path))), whole, rtol=1e-13, atol=1e-16)
    assert path.part("layers.1.forward", "cell") == slice(12, 16)
    cell = path.part("layers.0.forward", "cell")
    forget = made.astype("float64").forward(np.array([1, 3, -1, 0, 2])[:, None]).tapes["layers.0.forward"].values("gate.forget")[:, 0]
    np.testing.assert_allclose(np.diagonal(whole[:, cell, cell], axis1=1, axis2=2), forget, rtol=1e-12)
    with pytest.raises(GradvizError, match=r"no state layers\.2\.forward cell; the states are layers\.0\.forward hidden"):
        path.part("layers.2.forward", "cell")


def test_what_has_no_jacobian_is_said() -> None:
    with pytest.raises(GradvizError, match="reads in both directions or has two parts"):
        follow(network(direction="both"), np.zeros((3, 2)))
    with pytest.raises(ShapeError, match=r"has shape \(3,\); it must have \(8,\): layers\.0\.forward hidden"):
        follow(network("lstm"), np.zeros((3, 2)), np.zeros(3))
    broken = network()
    broken.parameters["layers.0.forward.bias"][0, 1] = np.nan
    with pytest.raises(NonFiniteError, match=r"layers\.0\.forward\.bias holds NaN"):
        follow(broken, np.zeros((3, 2)))


# ------------------------------------------------------------------ products


@pytest.mark.parametrize(("scale", "expected"), [(0.9, 2.65614e-5), (1.1, 13780.612), (1.0, 1.0)])
def test_a_scaled_orthogonal_matrix_gives_its_power(scale: float, expected: float) -> None:
    jacobians = step_jacobians(linear(scale * orthogonal((6, 6), RNG(0)), 100))
    product = span(jacobians, 0, 100)
    assert math.exp(product.log_norm) == pytest.approx(expected, rel=1e-6)
    np.testing.assert_allclose(product.log_singular_values, 100 * math.log(scale), atol=1e-11)
    np.testing.assert_allclose(log_norms([jacobians]), math.log(scale) * np.arange(1, 101), atol=1e-11)
    np.testing.assert_array_equal(span(jacobians, 7, 7).matrix, np.eye(6))


@pytest.mark.parametrize("scale", [1e-300, 1e-10, 1e10, 1e300])
def test_sizes_beyond_all_floats_are_ordinary(scale: float) -> None:
    jacobians = np.broadcast_to(scale * np.eye(3), (40, 3, 3))
    assert span(jacobians, 0, 40).log_norm == pytest.approx(40 * math.log(scale), rel=1e-12)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 9), st.integers(0, 9), st.integers(0, 1000))
def test_spans_put_together_are_one_span(first: int, second: int, seed: int) -> None:
    jacobians = RNG(seed).standard_normal((9, 3, 3))
    low, high = min(first, second), max(first, second)
    whole, expected = span(jacobians, low, high), np.eye(3)
    for jacobian in jacobians[low:high]:
        expected = jacobian @ expected
    np.testing.assert_allclose(whole.matrix * math.exp(whole.log), expected, rtol=1e-9, atol=1e-9)


def test_zero_and_what_is_no_number_stay_what_they_are() -> None:
    assert Scaled.of(np.zeros((2, 2))).log_norm == -np.inf
    assert math.isnan(Scaled.of(np.array([[np.nan, 1.0], [0.0, 1.0]])).log_norm)
    with pytest.raises(GradvizError, match="the span from state 3 to state 2 is not in 0 … 5"):
        span(np.zeros((5, 2, 2)), 3, 2)
    with pytest.raises(GradvizError, match="not in 0 … 5"):
        span(np.zeros((5, 2, 2)), 0, 6)


@pytest.mark.parametrize(("bias", "expected"), [(0.0, 7.8886e-31), (1.0, 2.48438e-14), (2.0, 3.07317e-6), (5.0, 0.510924)])
def test_an_lstm_without_weights_forgets_by_its_bias(bias: float, expected: float) -> None:
    made = Network(Model(units=3), Signature(1, 1, False, "squared"), dtype="float64")
    for array in made.parameters.values():
        array[...] = 0
    made.parameters["layers.0.forward.bias"][made.model.cell.blocks.index("forget")] = bias
    path = follow(made, np.zeros((100, 1)))
    cell = path.part("layers.0.forward", "cell")
    product = span(step_jacobians(path), 0, 100)
    np.testing.assert_allclose(product.matrix[cell, cell] * math.exp(product.log), expected * np.eye(3), rtol=1e-5)


def test_a_gru_without_weights_halves() -> None:
    made = Network(Model(cell=CELLS["gru"](), units=3), Signature(1, 1, False, "squared"), dtype="float64")
    for array in made.parameters.values():
        array[...] = 0
    jacobians = step_jacobians(follow(made, np.zeros((20, 1))))
    np.testing.assert_allclose(jacobians, np.broadcast_to(0.5 * np.eye(3), jacobians.shape), rtol=1e-14)
    assert math.exp(span(jacobians, 0, 20).log_norm) == pytest.approx(9.5367e-7, rel=1e-4)


# ------------------------------------------------------------------ recurrent weights


def test_radius_and_stretch_are_two_numbers() -> None:
    matrix = np.array([[0.5, 10.0], [0.0, 0.5]])
    made = linear(matrix, 1).network
    (found,) = recurrent(made)
    assert found.radius == pytest.approx(0.5)
    assert found.stretch == pytest.approx(np.linalg.svd(matrix)[1][0])
    assert found.bound == found.stretch
    assert found.can_explode
    assert not found.must_vanish
    assert [(one.layer, one.block) for one in recurrent(network("gru", layers=2))][2:4] == [
        ("layers.0.forward", "candidate"),
        ("layers.1.forward", "reset"),
    ]
    assert math.isnan(recurrent(network("gru"))[0].bound)


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 10_000), st.floats(0.1, 2.0))
def test_no_gradient_of_a_tanh_network_exceeds_the_bound(seed: int, gain: float) -> None:
    made = Network(Model(cell=CELLS["rnn"](), units=5), VALUES, dtype="float64")
    made.parameters["layers.0.forward.weight_hh"][...] = gain * RNG(seed).standard_normal((1, 5, 5))
    logs = log_norms([step_jacobians(follow(made, RNG(seed).standard_normal((12, 2))))])
    assert (logs <= np.log(recurrent(made)[0].bound) * np.arange(1, 13) + 1e-9).all()


# ------------------------------------------------------------------ Lyapunov spectra


def test_exponents_of_a_linear_network_are_logs_of_its_eigenvalues() -> None:
    basis = RNG(0).standard_normal((4, 4)) + 3 * np.eye(4)
    matrix = basis @ np.diag([1.1, 0.9, 0.5, 0.2]) @ np.linalg.inv(basis)
    jacobians = step_jacobians(linear(matrix, 400))
    for every in (1, 5):
        found = spectrum([jacobians], warm_up=200, every=every)
        np.testing.assert_allclose(found.exponents, [0.0953102, -0.1053605, -0.6931472, -1.6094379], atol=1e-6)
        assert found.converged
        assert found.steps == 200
        assert found.entropy == pytest.approx(0.0953102, abs=1e-6)
        assert found.dimension == pytest.approx(1 + 0.0953102 / 0.1053605, rel=1e-4)
        assert found.predictable == pytest.approx(math.log(2) / 0.0953102, rel=1e-4)
    assert len(spectrum([jacobians], warm_up=200, count=2).exponents) == 2


def test_a_shrinking_rotation_has_two_equal_exponents() -> None:
    turn = 0.95 * np.array([[math.cos(0.7), -math.sin(0.7)], [math.sin(0.7), math.cos(0.7)]])
    found = spectrum([step_jacobians(linear(turn, 200))])
    np.testing.assert_allclose(found.exponents, -0.0512933, atol=1e-7)
    assert (found.entropy, found.dimension, found.predictable) == (0.0, 0.0, math.inf)


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
def test_exponents_sum_to_the_mean_log_determinant(cell: str) -> None:
    jacobians = step_jacobians(follow(network(cell), RNG(0).standard_normal((50, 2))))
    found = spectrum([jacobians[:20], jacobians[20:]])
    assert found.exponents.sum() == pytest.approx(np.linalg.slogdet(jacobians)[1].mean(), rel=1e-9)


def test_gaussian_matrices_have_the_exponents_of_theory() -> None:
    """λ_i = ½ [ln(2/N) + ψ((N - i + 1)/2)] for entries of variance 1/N drawn anew at every step (Newman 1986)."""
    size, steps = 20, 6000
    found = spectrum(RNG(0).standard_normal((steps, size, size))[None] / math.sqrt(size), warm_up=100)
    digamma = np.array([_digamma((size - i) / 2) for i in range(size)])
    np.testing.assert_allclose(found.exponents, 0.5 * (math.log(2 / size) + digamma), atol=0.03)
    assert found.exponents[0] == pytest.approx(-0.0254, abs=0.012)
    assert found.exponents[-1] == pytest.approx(-2.1330, abs=0.03)


def _digamma(x: float) -> float:
    """ψ(x) = ψ(x + 1) - 1/x, and its asymptotic series from 10 on."""
    total = 0.0
    while x < 10:
        total -= 1 / x
        x += 1
    return total + math.log(x) - 1 / (2 * x) - 1 / (12 * x**2) + 1 / (120 * x**4)


def test_maps_whose_exponents_are_known() -> None:
    x, slopes = 0.3, []
    for _ in range(20_000):
        slopes.append([[4 - 8 * x]])
        x = 4 * x * (1 - x)
    assert spectrum([np.array(slopes)]).exponents[0] == pytest.approx(math.log(2), abs=5e-3)
    x, y, jacobians = 0.1, 0.1, []
    for _ in range(20_000):
        jacobians.append([[-2.8 * x, 1.0], [0.3, 0.0]])
        x, y = 1 - 1.4 * x * x + y, 0.3 * x
    henon = spectrum([np.array(jacobians)], warm_up=100)
    assert henon.exponents[0] == pytest.approx(0.4208, abs=4e-3)
    assert henon.exponents.sum() == pytest.approx(math.log(0.3), abs=1e-9)


def test_a_latch_of_one_unit_keeps_with_its_slope() -> None:
    made = linear(np.array([[2.0]]), 1).network
    path = follow(made, np.zeros((60, 1)), np.array([0.957504]))
    assert path.final[0] == pytest.approx(0.957504, abs=1e-6)
    assert step_jacobians(path)[-1, 0, 0] == pytest.approx(0.166372, abs=1e-5)


def test_a_random_network_at_rest_has_its_spectral_radius() -> None:
    size = 100
    matrix = 0.5 * RNG(3).standard_normal((size, size)) / math.sqrt(size)
    found = spectrum(in_pieces(linear(matrix, 300)), warm_up=150, count=3, every=3)
    assert found.exponents[0] == pytest.approx(math.log(np.abs(np.linalg.eigvals(matrix)).max()), abs=0.02)


def test_what_has_not_settled_says_so_and_too_little_is_refused() -> None:
    growing = np.eye(1) * np.linspace(1, 3, 50)[:, None, None]
    found = spectrum([growing])
    assert not found.converged
    assert "not converged: the largest exponent drifts by" in found.said
    for steps, options in ((1, {}), (10, {"warm_up": 10}), (7, {"every": 5})):
        with pytest.raises(GradvizError, match="not enough data for a spectrum"):
            spectrum([np.broadcast_to(np.eye(2), (steps, 2, 2))], **options)
    with pytest.raises(GradvizError, match="every is 0"):
        spectrum([growing], every=0)


def test_a_spectrum_of_zeros_has_settled_and_one_of_no_numbers_is_none() -> None:
    gone = spectrum([np.zeros((20, 2, 2))])
    assert (gone.converged, gone.dimension, gone.entropy) == (True, 0.0, 0.0)
    assert np.isneginf(gone.exponents).all()
    broken = np.broadcast_to(np.eye(2), (20, 2, 2)).copy()
    broken[12, 0, 0] = np.nan
    found = spectrum([broken])
    assert not found.converged
    assert found.said == "no spectrum: the Jacobians, or their products, hold NaN or infinity."
    assert math.isnan(found.entropy)
    assert math.isnan(found.predictable)
    with pytest.raises(GradvizError, match="count -1"):
        spectrum([broken], count=-1)

"""Networks whose gradients can be written down."""

import numpy as np
import pytest

from gradviz.batch import Signature
from gradviz.cells import CELLS
from gradviz.config import Model
from gradviz.network import Network


def silent(cell: str, units: int = 3, **options: str) -> Network:
    """A network of zeros."""
    made = Network(Model(cell=CELLS[cell](**options), units=units), Signature(1, 1, False, "squared"), dtype="float64")
    for array in made.parameters.values():
        array[...] = 0
    return made


def carried(made: Network, steps: int, state: int, begin: float = 0.01) -> np.ndarray:
    """The gradient of the first unit of the final `state` with respect to each initial state of the same kind."""
    run = made.forward(np.zeros((steps, 1, 1)), initial={"layers.0.forward": start(made, begin)})
    one = np.zeros((1, made.model.units))
    one[0, 0] = 1
    end = tuple(one if k == state else np.zeros_like(one) for k in range(len(made.model.cell.states)))
    return made.backward(run, np.zeros_like(run.outputs), {"layers.0.forward": end}).initial["layers.0.forward"][state][0]


def start(made: Network, value: float) -> tuple[np.ndarray, ...]:
    return tuple(np.full((1, made.model.units), value) for _ in made.model.cell.states)


@pytest.mark.parametrize(("bias", "expected"), [(0.0, 7.8886e-31), (1.0, 2.48438e-14), (2.0, 3.07317e-6), (5.0, 0.510924)])
def test_an_lstm_of_zero_weights_keeps_sigmoid_of_its_forget_bias(bias: float, expected: float) -> None:
    made = silent("lstm")
    made.parameters["layers.0.forward.bias"][made.model.cell.blocks.index("forget")] = bias
    assert carried(made, 100, 1) == pytest.approx([expected, 0, 0], rel=1e-5, abs=1e-40)


@pytest.mark.parametrize("cell", ["gru", "gru_reset_before", "gru_simplified"])
def test_a_gru_of_zero_weights_keeps_half_a_step(cell: str) -> None:
    assert carried(silent(cell), 20, 0) == pytest.approx([9.5367431640625e-07, 0, 0], rel=1e-12)


def test_an_identity_relu_network_carries_its_gradient_unchanged() -> None:
    made = silent("rnn", activation="relu")
    made.parameters["layers.0.forward.weight_hh"][0] = np.eye(3)
    assert carried(made, 500, 0) == pytest.approx([1, 0, 0], abs=0)


@pytest.mark.parametrize("scale", [0.9, 1.0, 1.1])
def test_a_scaled_orthogonal_matrix_scales_the_gradient_at_every_step(scale: float) -> None:
    """‖∂E/∂h_{T−k}‖ = s^k: at h = 0, where it stays, tanh has slope 1."""
    made, rng = silent("rnn", 8), np.random.default_rng(0)
    made.parameters["layers.0.forward.weight_hh"][0] = scale * np.linalg.qr(rng.normal(size=(8, 8)))[0]
    assert np.linalg.norm(carried(made, 100, 0, begin=0.0)) == pytest.approx(scale**100, rel=1e-10)


@pytest.mark.parametrize(("weight", "expected"), [(2.0, 0.166372), (1.5, 0.394313)])
def test_a_latched_tanh_unit_fades_by_its_slope(weight: float, expected: float) -> None:
    made = silent("rnn", 1)
    made.parameters["layers.0.forward.weight_hh"][...] = weight
    ratio = (carried(made, 61, 0) / carried(made, 60, 0)).item()
    assert ratio == pytest.approx(expected, abs=1e-6)


def test_a_gradient_of_1e_minus_300_is_shown_as_such() -> None:
    made, seen = silent("gru_simplified", 1), []
    made.parameters["readout.weight"][...] = 1e-300
    with made.observe("layers.0.forward.hidden", lambda name, array: seen.append(array.copy()), gradient=True):
        run = made.forward(np.zeros((1, 1, 1)))
        made.backward(run, np.ones_like(run.outputs))
    assert seen[0].item() == pytest.approx(1e-300, rel=1e-12)

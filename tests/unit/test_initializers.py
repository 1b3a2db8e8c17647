"""What parameters begin with: exact where it is exact, within four standard errors where it is drawn."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradviz.batch import Signature
from gradviz.cells import CELLS
from gradviz.config import Model
from gradviz.errors import GradvizError, ShapeError
from gradviz.initializers import RECURRENT, Initialization, Layout, glorot, identity, initialize, normal, orthogonal, scaled
from gradviz.network import Network

LSTM = ("input", "forget", "output", "candidate")
UNITS = 64
SHAPES = {
    "embedding.weight": (30, 16),
    "layers.0.forward.weight_ih": (4, 16, UNITS),
    "layers.0.forward.weight_hh": (4, UNITS, UNITS),
    "layers.0.forward.bias": (4, UNITS),
    "layers.0.forward.bias_hh": (UNITS,),
    "layers.1.backward.weight_ih": (4, 2 * UNITS, UNITS),
    "layers.1.backward.bias": (4, UNITS),
    "readout.weight": (UNITS, 30),
    "readout.bias": (30,),
}
GATES = {name: LSTM for name in SHAPES if name.startswith("layers.") and not name.endswith("bias_hh")}


def zeros(name, shape, rng):
    return np.zeros(shape)


def made(seed=0, dtype=np.float64, blocks=LSTM, **options):
    return initialize(Layout(SHAPES, dict.fromkeys(GATES, blocks)), Initialization(**options), np.random.default_rng(seed), dtype, zeros)


def has_deviation(array, expected):
    error = expected / np.sqrt(2 * array.size)
    assert array.std() == pytest.approx(expected, abs=4 * error)
    assert array.mean() == pytest.approx(0, abs=4 * expected / np.sqrt(array.size))


@settings(deadline=None)
@given(rows=st.integers(1, 12), columns=st.integers(1, 12), gates=st.integers(1, 4), seed=st.integers(0, 99))
def test_orthogonal_rows_or_columns(rows, columns, gates, seed):
    for matrix in orthogonal((gates, rows, columns), np.random.default_rng(seed)):
        product = matrix @ matrix.T if rows <= columns else matrix.T @ matrix
        np.testing.assert_allclose(product, np.eye(min(rows, columns)), atol=1e-12)


def test_orthogonal_matrices_are_uniformly_distributed():
    """Without the sign correction the diagonal of Q from a QR decomposition is biased: its mean is far from 0."""
    draws = orthogonal((4000, 3, 3), np.random.default_rng(0))
    np.testing.assert_allclose(draws.mean(axis=0), 0, atol=4 * np.sqrt(1 / 3 / 4000))
    assert np.mean(np.linalg.det(draws) > 0) == pytest.approx(0.5, abs=4 * 0.5 / np.sqrt(4000))


def test_drawn_matrices_have_the_deviation_they_state():
    rng, shape = np.random.default_rng(1), (3, 80, 40)
    has_deviation(normal(shape, rng, 0.2), 0.2)
    has_deviation(scaled(shape, rng), 1 / np.sqrt(80))
    limit = np.sqrt(6 / 120)
    assert np.abs(glorot(shape, rng)).max() == pytest.approx(limit, rel=1e-3)
    has_deviation(glorot(shape, rng), limit / np.sqrt(3))
    np.testing.assert_array_equal(identity((2, 3, 3), rng), [np.eye(3)] * 2)


def test_every_parameter_by_its_name():
    parameters = made(readout_scale=0.0, input_scale=0.3)
    assert list(parameters) == list(SHAPES)
    assert {name: array.shape for name, array in parameters.items()} == SHAPES
    has_deviation(parameters["embedding.weight"], 1 / 4)
    has_deviation(parameters["layers.0.forward.weight_ih"], 0.3)
    has_deviation(parameters["layers.1.backward.weight_ih"], 1 / np.sqrt(2 * UNITS))
    has_deviation(parameters["readout.weight"], 1 / np.sqrt(UNITS))
    has_deviation(made(readout_scale=0.7)["readout.weight"], 0.7)
    has_deviation(made(input_scale=0.02)["layers.0.forward.weight_ih"], 0.02)
    for name in ("layers.0.forward.bias_hh", "readout.bias"):
        np.testing.assert_array_equal(parameters[name], 0)


def test_a_decoders_lowest_layer_begins_like_the_encoders():
    network = Network(Model(units=UNITS, layers=2), Signature(30, 30, True, "softmax", "decoded", 30))
    for layer, expected in enumerate((0.3, 1 / np.sqrt(UNITS), 0.3, 1 / np.sqrt(UNITS))):
        has_deviation(network.parameters[f"layers.{layer}.forward.weight_ih"], expected)
    assert (network.parameters["layers.2.forward.bias"].sum(axis=1) == UNITS).sum() == 1  # the forget gate's


def test_gain_scales_each_gates_own_orthogonal_matrix():
    recurrent = made(gain=2.0)["layers.0.forward.weight_hh"]
    np.testing.assert_allclose(np.linalg.svd(recurrent, compute_uv=False), 2.0, rtol=1e-12)
    assert len({matrix.tobytes() for matrix in recurrent}) == 4
    np.testing.assert_array_equal(made(recurrent="identity", gain=0.5)["layers.0.forward.weight_hh"], [0.5 * np.eye(UNITS)] * 4)
    has_deviation(made(recurrent="normal")["layers.0.forward.weight_hh"], 1 / np.sqrt(UNITS))
    has_deviation(made(recurrent="glorot")["layers.0.forward.weight_hh"], 1 / np.sqrt(UNITS))


def test_only_the_forget_gate_has_a_bias():
    bias = made(forget_bias=1.5)["layers.0.forward.bias"]
    np.testing.assert_array_equal(bias[LSTM.index("forget")], 1.5)
    np.testing.assert_array_equal(np.delete(bias, LSTM.index("forget"), axis=0), 0)
    for blocks in (("reset", "update", "candidate"), ("candidate",)):
        shapes, gates = {"layers.0.forward.bias": (len(blocks), 5)}, {"layers.0.forward.bias": blocks}
        drawn = initialize(Layout(shapes, gates), Initialization(), np.random.default_rng(0))
        np.testing.assert_array_equal(drawn["layers.0.forward.bias"], 0)


@pytest.mark.parametrize("longest", [2, 3, 100, 784])
def test_chrono_spreads_memories_up_to_the_longest(longest):
    """Memory 1/(1 - σ(b_f)) is 1 + u with u ~ U(1, T_max - 1), of mean 1 + T_max/2 (Tallec and Ollivier 2018)."""
    shapes, gates = {"layers.0.forward.bias": (4, 20_000)}, {"layers.0.forward.bias": LSTM}
    bias = initialize(Layout(shapes, gates), Initialization(chrono=longest), np.random.default_rng(0), np.float64)["layers.0.forward.bias"]
    forget, other = bias[LSTM.index("forget")], bias[[LSTM.index("output"), LSTM.index("candidate")]]
    memory = 1 + np.exp(forget)
    assert memory.min() >= 2 - 1e-9
    assert memory.max() <= longest + 1e-9
    assert memory.mean() == pytest.approx(1 + longest / 2, rel=0.02)
    np.testing.assert_array_equal(bias[LSTM.index("input")], -forget)
    np.testing.assert_array_equal(other, 0)


def test_chrono_opens_a_grus_update_gate_which_is_the_share_kept():
    shapes, gates = {"layers.0.forward.bias": (3, 500)}, {"layers.0.forward.bias": ("reset", "update", "candidate")}
    bias = initialize(Layout(shapes, gates), Initialization(chrono=50), np.random.default_rng(0), np.float64)["layers.0.forward.bias"]
    assert (bias[1] >= 0).all()
    assert np.exp(bias[1]).mean() == pytest.approx(25, rel=0.1)
    np.testing.assert_array_equal(bias[[0, 2]], 0)


@pytest.mark.parametrize("recurrent", RECURRENT)
def test_the_seed_decides_and_both_precisions_begin_alike(recurrent):
    one, same, other = made(3, recurrent=recurrent), made(3, recurrent=recurrent), made(4, recurrent=recurrent)
    single = made(3, np.float32, recurrent=recurrent)
    for name in SHAPES:
        np.testing.assert_array_equal(one[name], same[name])
        np.testing.assert_array_equal(single[name], one[name].astype(np.float32))
        assert single[name].dtype == np.float32
    assert not np.array_equal(one["readout.weight"], other["readout.weight"])


def test_errors():
    with pytest.raises(GradvizError, match=r"unknown Initialization.recurrent 'orthgonal'. Did you mean 'orthogonal'"):
        Initialization(recurrent="orthgonal")
    with pytest.raises(GradvizError, match="chrono is 1; it must be 0"):
        Initialization(chrono=1)
    for option in ("gain", "input_scale", "readout_scale", "chrono"):
        with pytest.raises(GradvizError, match=f"Initialization.{option} is -1"):
            Initialization(**{option: -1})
    with pytest.raises(ShapeError, match=r"'layers.0.forward.peephole' with shape \(2,\); its own_shapes say \(3, 4\)"):
        initialize(
            Layout({"layers.0.forward.peephole": (3, 4)}, {}), Initialization(), np.random.default_rng(0), begin=lambda *_: np.zeros(2)
        )
    with pytest.raises(GradvizError, match=r"no initializer for the parameter 'layers.0.forward.peephole'"):
        initialize(Layout({"layers.0.forward.peephole": (3,)}, {}), Initialization(), np.random.default_rng(0))


def test_peepholes_begin_small():
    model = Model(cell=CELLS["lstm_peephole"](), units=2000)
    shapes = {"layers.0.forward.peephole": (3, model.units)}
    drawn = initialize(Layout(shapes, {}), model.initialization, np.random.default_rng(0), np.float64, model.cell.begin)
    has_deviation(drawn["layers.0.forward.peephole"], 0.1)


def test_what_only_a_cell_knows_begins_at_zero_unless_it_says_otherwise():
    drawn = Network(Model(cell=CELLS["gru"](), units=3), Signature(2, 2, False, "squared")).parameters
    np.testing.assert_array_equal(drawn["layers.0.forward.bias_hh"], 0)

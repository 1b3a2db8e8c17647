"""The gated path and the rest: closed forms, a network whose other ways are cut, complex steps, and products of Jacobians."""

import math
from contextlib import ExitStack

import numpy as np
import pytest

from gradviz.batch import Signature
from gradviz.cells import CELLS
from gradviz.config import Model
from gradviz.dynamics.highway import KEEPERS, Highway, highway
from gradviz.dynamics.jacobians import follow, in_pieces, step_jacobians
from gradviz.dynamics.products import span
from gradviz.errors import GradvizError
from gradviz.hooks import detach
from gradviz.network import Network

RNG = np.random.default_rng
VALUES = Signature(2, 3, False, "squared")
GATED = [name for name in CELLS if CELLS[name].family in KEEPERS]
LSTMS, GRUS = ([name for name in GATED if CELLS[name].family == family] for family in ("lstm", "gru"))
UNITS = 4


def network(cell: str, **options: object) -> Network:
    made = Network(Model(CELLS[cell](), units=UNITS, **options), VALUES, dtype="float64", seed=2)  # type: ignore[arg-type]
    for array in made.parameters.values():
        array += 0.3 * RNG(1).standard_normal(array.shape)
    return made


def zeroed(cell: str, bias: float, recurrent_only: bool = False) -> Network:
    made = network(cell)
    for name, array in made.parameters.items():
        if not recurrent_only or name.endswith(("weight_hh", "peephole")):
            array[...] = 0
    if not recurrent_only:
        keep = made.model.cell.blocks.index(KEEPERS[made.model.cell.family][0])
        made.parameters["layers.0.forward.bias"][keep] = bias
    return made


def whole(found: Highway) -> np.ndarray:
    """The diagonal of the derivative, (lag, unit)."""
    return found.sign * np.exp(found.log_total)


@pytest.mark.parametrize(("bias", "left"), [(0.0, 7.8886e-31), (1.0, 2.48438e-14), (2.0, 3.07317e-6), (5.0, 0.510924)])
@pytest.mark.parametrize("cell", LSTMS)
def test_an_lstm_of_zero_weights_keeps_sigma_of_its_bias(cell: str, bias: float, left: float) -> None:
    """Oracle 15."""
    found = highway(follow(zeroed(cell, bias), RNG(0).standard_normal((100, 2))))
    assert np.exp(found.log_direct[100]) == pytest.approx(left, rel=1e-5)
    assert found.log_direct == pytest.approx(np.outer(np.arange(101), [-math.log1p(math.exp(-bias))] * UNITS))
    assert np.array_equal(found.log_total, found.log_direct)
    assert np.isneginf(found.log_rest).all()
    assert np.isneginf(found.log_rest_rows).all()
    assert np.isneginf(found.log_rest_columns).all()
    assert (found.share == 1).all()


@pytest.mark.parametrize("cell", GRUS)
def test_a_gru_of_zero_weights_keeps_half(cell: str) -> None:
    """Oracle 16."""
    found = highway(follow(zeroed(cell, 0.0), RNG(0).standard_normal((20, 2))))
    assert np.exp(found.log_direct[20]) == pytest.approx(9.5367e-7, rel=1e-5)
    assert np.isneginf(found.log_rest).all()


@pytest.mark.parametrize("cell", GATED)
def test_without_recurrent_weights_there_is_no_rest(cell: str) -> None:
    """Gates that differ from step to step and unit to unit, driven by the input alone."""
    made = zeroed(cell, 0.0, recurrent_only=True)
    found = highway(follow(made, RNG(0).standard_normal((12, 2))))
    assert np.isneginf(found.log_rest).all()
    assert np.ptp(found.log_direct[12]) > 0.1
    assert np.allclose(found.log_total, found.log_direct, rtol=1e-14)


def through(made: Network, inputs: np.ndarray, layer: str, state: str) -> np.ndarray:
    """(lag, unit, unit) ∂s_T,i/∂s_{T−k},j by the network's own backward pass, one row of the last state at a time."""
    place, width = made.model.cell.states.index(state), len(made.model.cell.states)
    run = made.forward(np.repeat(inputs[:, None], UNITS, axis=1))
    ends = tuple(np.eye(UNITS) if k == place else np.zeros((UNITS, UNITS)) for k in range(width))
    found = made.backward(run, np.zeros_like(run.outputs), {layer: ends}, parameters=False)
    steps = run.tapes[layer].gradients(state)
    return np.concatenate([steps[::-1] if "backward" not in layer else steps, found.initial[layer][place][None]])


CUTS = [("lstm", ["recurrent"]), *((cell, ["gate.*", "candidate"]) for cell in GATED)]


@pytest.mark.parametrize(("cell", "points"), CUTS)
def test_what_is_left_with_all_other_ways_cut_is_the_direct_path(cell: str, points: list[str]) -> None:
    """h-detach cuts what goes through the recurrent weights of an LSTM (a peephole and a GRU's mixture it does not spare), detached gates
    and candidates all that they were computed from. Neither knows of this module."""
    made, inputs = network(cell), RNG(0).standard_normal((9, 2))
    found = highway(follow(made, inputs))
    with ExitStack() as stack:
        for point in points:
            stack.enter_context(made.intervene(f"layers.0.forward.{point}", detach()))
        left = through(made, inputs, "layers.0.forward", found.state)
    assert left == pytest.approx(np.exp(found.log_direct)[:, :, None] * np.eye(UNITS), abs=1e-14)
    assert np.isfinite(found.log_rest[2:]).all()
    assert np.isneginf(found.log_rest[1]) == (cell == "lstm")  # back through h it takes an LSTM's cell two steps


@pytest.mark.parametrize("direction", ["forward", "backward"])
@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("cell", GATED)
def test_direct_and_rest_are_the_whole(cell: str, layers: int, direction: str) -> None:
    """Against products of Jacobians, from which the direct path is taken off."""
    made = network(cell, layers=layers, direction=direction)
    path = follow(made, RNG(0).standard_normal((7, 2)), 0.3 * RNG(3).standard_normal(UNITS * layers * len(made.model.cell.states)))
    jacobians = step_jacobians(path)
    for layer in range(layers):
        found = highway(path, layer)
        part = path.part(f"layers.{layer}.{direction}", found.state)
        for lag in range(8):
            product = span(jacobians, 7 - lag, 7)
            exact = (product.matrix * math.exp(product.log))[part, part]
            rest = exact - np.diag(np.exp(found.log_direct[lag]))
            assert whole(found)[lag] == pytest.approx(np.diag(exact), rel=1e-10)
            assert np.exp(found.log_rest_rows[lag]) == pytest.approx(np.linalg.norm(rest, axis=1), abs=1e-13)
            assert np.exp(found.log_rest_columns[lag]) == pytest.approx(np.linalg.norm(rest, axis=0), abs=1e-13)
            assert np.exp(found.log_rest[lag]) == pytest.approx(np.linalg.norm(rest), abs=1e-13)
            direct, other = np.linalg.norm(np.exp(found.log_direct[lag])), np.linalg.norm(rest)
            assert found.share[lag] == pytest.approx(direct / (direct + other), abs=1e-12)


@pytest.mark.parametrize("cell", GATED)
def test_the_whole_is_the_derivative_of_the_forward_pass(cell: str) -> None:
    """A complex step in the first state, through the forward pass alone; the gates that it makes are the direct path."""
    made, inputs, steps = network(cell), RNG(0).standard_normal((6, 2)), 6
    width = len(made.model.cell.states) * UNITS
    start = 0.3 * RNG(3).standard_normal(width)
    path = follow(made, inputs, start)
    found, exact = highway(path), made.astype("complex128")
    place = made.model.cell.states.index(found.state)
    for unit in range(UNITS):
        state = start.astype(complex)
        state[place * UNITS + unit] += 1e-30j
        run = exact.forward(inputs[:, None].astype(complex), initial={"layers.0.forward": tuple(state.reshape(-1, 1, UNITS))})
        column = run.final["layers.0.forward"][place][0].imag / 1e-30
        gates = run.tapes["layers.0.forward"].values(f"gate.{found.gate}")[:, 0].real
        assert np.prod(gates[:, unit]) == pytest.approx(math.exp(found.log_direct[steps, unit]))
        assert column[unit] == pytest.approx(whole(found)[steps, unit], rel=1e-10)
        column[unit] -= np.prod(gates[:, unit])
        assert np.linalg.norm(column) == pytest.approx(math.exp(found.log_rest_columns[steps, unit]), rel=1e-9)


def test_what_no_float_can_hold_is_carried_by_logarithms() -> None:
    made = zeroed("lstm", -20.0)
    made.parameters["layers.0.forward.weight_hh"][...] = 1e-3 * RNG(0).standard_normal((4, UNITS, UNITS))
    found = highway(follow(made, np.ones((200, 2))))
    assert found.log_direct[200] == pytest.approx(-4000, rel=1e-6)
    assert np.isfinite(found.log_rest[2:]).all()
    assert found.log_rest[200] < -750
    assert np.isfinite(found.log_total).all()
    assert np.isfinite(found.share).all()


def test_pieces_of_a_long_sequence_are_put_together(monkeypatch: pytest.MonkeyPatch) -> None:
    path = follow(network("lstm_peephole", layers=2), RNG(0).standard_normal((11, 2)))
    once = highway(path, 1)
    monkeypatch.setattr("gradviz.dynamics.jacobians.ROWS", 3 * path.width)
    assert len(list(in_pieces(path))) == 4
    again = highway(path, 1)
    assert np.allclose(once.log_rest, again.log_rest, rtol=1e-12)
    assert np.allclose(once.log_total, again.log_total, rtol=1e-12)


def test_what_has_no_such_path_is_said() -> None:
    with pytest.raises(GradvizError, match="a rnn cell has no path that gates alone control"):
        highway(follow(Network(Model(CELLS["rnn"](), units=3), VALUES), np.zeros((4, 2))))
    with pytest.raises(GradvizError, match="there is no layer 2; this network has the layers 0 to 1"):
        highway(follow(network("gru", layers=2), np.zeros((4, 2))), 2)

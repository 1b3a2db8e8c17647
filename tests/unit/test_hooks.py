"""Hooks: what matches, what is given, what is cleaned up."""

import numpy as np
import pytest

from gradviz import hooks
from gradviz.batch import Batch, Signature
from gradviz.cells import CELLS
from gradviz.config import Model
from gradviz.errors import GradvizError, ShapeError
from gradviz.network import Network


@pytest.fixture
def network() -> Network:
    return Network(Model(cell=CELLS["lstm"](), units=4, layers=2, direction="both"), Signature(3, 2, False, "squared"), seed=1)


INPUTS = np.random.default_rng(0).normal(size=(5, 2, 3)).astype(np.float32)
FORGET = "layers.0.forward.gate.forget"


def test_the_table_names_every_point_with_shape_and_meaning(network: Network) -> None:
    lines = network.points().splitlines()
    assert len(lines) == 2 * 2 * 7 + 1
    assert any(line.startswith(FORGET) and "(time, batch, 4)" in line and "forget gate" in line for line in lines)


def test_every_visible_point_is_shown_once_a_sequence(network: Network) -> None:
    seen: list[str] = []
    with network.observe("*", lambda name, array: seen.append(name)):
        network.forward(INPUTS)
    assert sorted(seen) == sorted(point.name for point in network.hook_points() if point.visible)


def test_arrays_are_read_only(network: Network) -> None:
    kept: list[np.ndarray] = []
    with network.observe(FORGET, lambda name, array: kept.append(array)):
        network.forward(INPUTS)
    with pytest.raises(ValueError, match="read-only"):
        kept[0][0] = 0


def test_a_pattern_that_matches_nothing_lists_what_there_is(network: Network) -> None:
    with (
        pytest.raises(GradvizError, match=r"no hook point matches 'layers\.7.*'.*layers\.0\.forward\.gate\.forget"),
        network.observe("layers.7.*", print),
    ):
        pass
    with pytest.raises(GradvizError, match="no hook point"), network.intervene("readout.logits", lambda t, a: None):
        pass
    with pytest.raises(GradvizError, match="kind of gradient 'sideways'"), network.observe(FORGET, print, gradient="sideways"):
        pass


def test_leaving_a_block_removes_that_blocks_hooks_alone_even_after_an_error(network: Network) -> None:
    outer: list[str] = []
    with network.observe(FORGET, lambda name, array: outer.append(name)):
        with (
            pytest.raises(ZeroDivisionError),
            network.observe("layers.*", lambda name, array: None),
            network.intervene(FORGET, hooks.clamp(0.5)),
        ):
            raise ZeroDivisionError
        free = network.forward(INPUTS).outputs
        with network.intervene(FORGET, hooks.clamp(0.5)):
            held = network.forward(INPUTS).outputs
        again = network.forward(INPUTS).outputs
    network.forward(INPUTS)
    assert outer == [FORGET] * 3
    assert not np.allclose(free, held)
    assert np.array_equal(free, again)


def test_a_clamped_gate_has_the_value_and_its_preactivation_no_gradient(network: Network) -> None:
    seen: list[np.ndarray] = []
    block = network.model.cell.blocks.index("forget")
    with network.intervene(FORGET, hooks.clamp(0.25)), network.observe(FORGET, lambda name, array: seen.append(array.copy())):
        run = network.forward(INPUTS)
        gradients = network.backward(run, np.ones_like(run.outputs)).parameters
    assert np.all(seen[0] == np.float32(0.25))
    assert not gradients["layers.0.forward.weight_ih"][block].any()
    assert gradients["layers.0.backward.weight_ih"][block].any()


def test_h_detach_leaves_the_numbers_and_cuts_the_path_through_h(network: Network) -> None:
    free = network.forward(INPUTS)
    with network.intervene("layers.*.recurrent", hooks.detach()):
        cut = network.forward(INPUTS)
        gradients = network.backward(cut, np.ones_like(cut.outputs)).initial
    assert np.array_equal(free.outputs, cut.outputs)
    assert not gradients["layers.0.forward"][0].any()
    assert gradients["layers.0.forward"][1].any()  # the cell state's own path stays


@pytest.mark.parametrize(
    ("answer", "kind", "says"),
    [
        (np.zeros(3), ShapeError, r"step 0, returned values of shape \(3,\).*\(2, 4\)"),
        (np.zeros((2, 4), complex), GradvizError, "complex128"),
    ],
)
def test_an_intervention_that_does_not_fit_is_refused(network: Network, answer: np.ndarray, kind: type[Exception], says: str) -> None:
    with network.intervene(FORGET, lambda t, array: answer), pytest.raises(kind, match=says):
        network.forward(INPUTS)


def test_an_intervention_cannot_write_into_the_network(network: Network) -> None:
    free = network.forward(INPUTS).outputs

    def scribble(t: int, array: np.ndarray) -> None:
        array[...] = 7

    with network.intervene(FORGET, scribble):
        assert np.array_equal(network.forward(INPUTS).outputs, free)


def test_reused_buffers_give_the_same_numbers(network: Network) -> None:
    targets = np.zeros((5, 2, 2), np.float32)

    def gradients(*, reuse: bool) -> dict[str, np.ndarray]:
        run = network.forward(INPUTS, np.array([5, 3]), reuse=reuse)
        return network.backward(run, network.loss(run, Batch(INPUTS, targets, np.array([5, 3]))).d_outputs).parameters

    first = gradients(reuse=False)
    for _ in range(2):
        assert all(np.array_equal(first[name], value) for name, value in gradients(reuse=True).items())


def test_inputs_that_do_not_fit_are_refused(network: Network) -> None:
    with pytest.raises(ShapeError, match=r"\(time, batch, 3\) values"):
        network.forward(INPUTS[..., :2])
    tokens = Network(Model(units=4), Signature(6, 6, True, "softmax"))
    with pytest.raises(GradvizError, match="run from 0 to 9; they must be between 0 and 5"):
        tokens.forward(np.array([[0, 9]]))
    run = network.forward(INPUTS)
    with pytest.raises(GradvizError, match=r"unknown reduction 'men'\. Did you mean 'mean'"):
        network.loss(run, Batch(INPUTS, np.zeros((5, 2, 2), np.float32)), reduction="men")
    with pytest.raises(GradvizError, match="example 1 has length 0"):
        network.forward(INPUTS, np.array([5, 0]))


def test_only_states_have_a_gradient_through_time(network: Network) -> None:
    seen: list[str] = []
    with network.observe("*", lambda name, array: seen.append(name.split(".", 3)[-1]), gradient="direct"):
        run = network.forward(INPUTS)
        network.backward(run, np.ones_like(run.outputs))
    assert set(seen) == {"hidden", "cell"}
    with pytest.raises(GradvizError, match=r"no hook point matches .*gate.forget"), network.observe(FORGET, print, gradient="direct"):
        pass


def test_a_detached_state_stops_infinity_as_well(network: Network) -> None:
    with network.intervene("layers.*.recurrent", hooks.detach()):
        run = network.forward(INPUTS)
        d_outputs = np.zeros_like(run.outputs)
        d_outputs[2] = np.inf
        assert not network.backward(run, d_outputs).initial["layers.1.forward"][0].any()


def test_arrays_that_do_not_fit_a_pass_are_refused(network: Network) -> None:
    run, state = network.forward(INPUTS), np.zeros((2, 4))
    with pytest.raises(ShapeError, match=r"d_outputs have shape \(1, 2, 2\).*\(5, 2, 2\)"):
        network.backward(run, np.zeros((1, 2, 2)))
    with pytest.raises(GradvizError, match=r"unknown recurrent layer 'layers\.0\.foward'.*Did you mean 'layers\.0\.forward'"):
        network.forward(INPUTS, initial={"layers.0.foward": (state, state)})
    with pytest.raises(ShapeError, match=r"2 of shape \(2, 4\)"):
        network.backward(run, run.outputs, {"layers.0.forward": (state,)})
    with pytest.raises(GradvizError, match="Did you mean 'last'"):
        network.forward(INPUTS, at="lst")
    with pytest.raises(ShapeError, match=r"begin with \(5, 2\)"):
        network.loss(network.forward(INPUTS, at="last"), Batch(INPUTS, np.zeros(2)))
    with pytest.raises(ShapeError, match="at least one step"):
        network.forward(INPUTS[:0])
    with pytest.raises(ShapeError, match=r"shape \(1,\)"):
        network.forward(INPUTS, np.array([5]))


def test_reused_buffers_remember_nothing(network: Network) -> None:
    """Neither padding, nor interventions, nor initial states of the pass before."""
    ones = np.ones((2, 4))

    def numbers(*, reuse: bool) -> list[np.ndarray]:
        run = network.forward(INPUTS, reuse=reuse)
        gradients = network.backward(run, np.ones_like(run.outputs))
        return [run.outputs, *gradients.parameters.values()]

    fresh = numbers(reuse=False)
    with network.intervene("layers.*.gate.*", hooks.clamp(0.5)):
        network.forward(INPUTS, np.array([5, 2]), {"layers.0.forward": (ones, ones)}, reuse=True)
    for before, after in zip(fresh, numbers(reuse=True), strict=True):
        assert np.array_equal(before, after)


def test_a_batch_worked_on_in_parts_gives_the_same_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Large layers divide the batch: with padding, truncation, final gradients and the parts of a gradient, in one thread or several."""
    rng = np.random.default_rng(3)
    inputs, d_outputs, lengths = rng.normal(size=(6, 5, 3)), rng.normal(size=(6, 5, 2)), np.array([6, 2, 5, 1, 3])
    d_final = {"layers.1.backward": (rng.normal(size=(5, 4)), rng.normal(size=(5, 4)))}

    def numbers(large: float, worth: float) -> list[np.ndarray]:
        monkeypatch.setattr("gradviz.tape.LARGE", large)
        monkeypatch.setattr("gradviz.cores.WORTH", worth)
        made = Network(
            Model(cell=CELLS["lstm"](), units=4, layers=2, direction="both"), Signature(3, 2, False, "squared"), dtype="float64", seed=1
        )
        seen: list[np.ndarray] = []
        keep = lambda name, array: seen.append(array.copy())  # noqa: E731
        with made.observe("layers.*.cell", keep, gradient="through_time"), made.observe("layers.*", keep):
            run = made.forward(inputs, lengths)
            gradients = made.backward(run, d_outputs, d_final, truncation=3)
        return [run.outputs, *gradients.parameters.values(), gradients.inputs, *seen]

    whole = numbers(float("inf"), float("inf"))
    for settings in ((0.0, float("inf")), (0.0, 0.0)):
        for one, other in zip(whole, numbers(*settings), strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-11, atol=1e-13)


def test_only_a_state_can_be_frozen(network: Network) -> None:
    with network.intervene(FORGET, hooks.freeze()), pytest.raises(GradvizError, match=r"gate.forget is no state.*hidden, cell"):
        network.forward(INPUTS)

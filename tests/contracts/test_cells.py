"""Every cell obeys the contract: its hand-written backward pass is the derivative of its forward pass."""

from contextlib import ExitStack
from itertools import product
from typing import Any

import numpy as np
import pytest

from gradviz import hooks
from gradviz.batch import Batch, Signature
from gradviz.cells import CELLS
from gradviz.config import DIRECTIONS, Model
from gradviz.gradcheck import Check, gradcheck, worst
from gradviz.network import Network
from tests import slopes as slopes_along
from tests.slopes import along

LENGTHS = {"full": None, "ragged": np.array([6, 1, 4]), "all one": np.array([1, 1, 1]), "none reaches the end": np.array([3, 5, 2])}
VALUES, TOKENS = Signature(2, 2, False, "squared"), Signature(5, 5, True, "softmax")


def network(cell: str, *, layers: int = 1, direction: str = "forward", signature: Signature = VALUES, embedding: int = 0) -> Network:
    model = Model(cell=CELLS[cell](), units=3, layers=layers, direction=direction, embedding=embedding)
    made = Network(model, signature, dtype="float64", seed=3)
    rng = np.random.default_rng(4)
    for array in made.parameters.values():  # biases of zero would hide mistakes
        array[...] = rng.normal(0, 0.7, array.shape)
    return made


def batch(lengths: np.ndarray | None, at: str = "every", steps: int = 6) -> Batch:
    rng = np.random.default_rng(5)
    inputs = rng.normal(size=(steps, 3, 2))
    if lengths is not None:
        inputs[np.arange(steps)[:, None] >= lengths[None, :]] = np.nan  # rubbish in the padding must not matter
    return Batch(inputs, rng.normal(size=(steps, 3, 2) if at == "every" else (3, 2)), lengths)


@pytest.mark.parametrize(("cell", "pattern", "direction"), list(product(CELLS, LENGTHS, DIRECTIONS)))
@pytest.mark.parametrize("layers", [1, 3])
def test_every_gradient_is_the_derivative(cell: str, pattern: str, direction: str, layers: int) -> None:
    checks = along(network(cell, layers=layers, direction=direction), batch(LENGTHS[pattern]))
    assert worst(checks).passed, worst(checks)


@pytest.mark.parametrize("cell", list(CELLS))
@pytest.mark.parametrize("pattern", list(LENGTHS))
def test_the_loss_at_the_last_step_alone(cell: str, pattern: str) -> None:
    made = network(cell, layers=2, direction="both", signature=Signature(2, 2, False, "squared", at="last"))
    checks = along(made, batch(LENGTHS[pattern], at="last"))
    assert worst(checks).passed, worst(checks)


@pytest.mark.parametrize(("cell", "embedding"), list(product(CELLS, (0, 4))))
def test_tokens_one_hot_and_embedded(cell: str, embedding: int) -> None:
    rng = np.random.default_rng(6)
    tokens = Batch(rng.integers(0, 5, (6, 3)), rng.integers(0, 5, (6, 3)), LENGTHS["ragged"])
    checks = along(network(cell, layers=2, signature=TOKENS, embedding=embedding), tokens)
    assert worst(checks).passed, worst(checks)


@pytest.mark.parametrize("cell", list(CELLS))
def test_layers_without_biases(cell: str) -> None:
    model = Model(cell=CELLS[cell](), units=3, layers=2, direction="both", biases=False)
    made = Network(model, VALUES, dtype="float64", seed=3)
    assert not any(".bias" in name for name in made.parameters if name.startswith("layers"))
    checks = along(made, batch(LENGTHS["ragged"]))
    assert worst(checks).passed, worst(checks)
    full, same = network(cell, layers=2, direction="both"), batch(LENGTHS["ragged"])
    for name, array in full.parameters.items():
        array[...] = made.parameters.get(name, 0)
    np.testing.assert_array_equal(full.forward(same.inputs, same.lengths).outputs, made.forward(same.inputs, same.lengths).outputs)


@pytest.mark.parametrize("activation", ["relu", "linear"])
def test_other_activations_agree_with_central_differences(activation: str) -> None:
    model = Model(cell=CELLS["rnn"](activation=activation), units=3, layers=2)
    made = Network(model, VALUES, dtype="float64", seed=3)
    checks = gradcheck(made, batch(LENGTHS["ragged"]), method="central", most=25)
    assert worst(checks).passed, worst(checks)


@pytest.mark.parametrize("cell", list(CELLS))
def test_interventions_change_forward_and_backward_alike(cell: str) -> None:
    made = network(cell, layers=2, direction="both")
    points = [point for _, points in made.model.cell.stages for point in points]
    for point in points:
        with made.intervene(f"layers.0.*.{point}", hooks.clamp(0.3, units=[1])):
            checks = along(made, batch(None))
            assert worst(checks).passed, (point, worst(checks))
        with made.intervene(f"layers.1.backward.{point}", lambda t, array: np.full(array.shape, 0.4) if t == 2 else None):
            checks = along(made, batch(None))
            assert worst(checks).passed, (point, worst(checks))


@pytest.mark.parametrize(("cell", "at", "direction"), list(product(CELLS, ("every", "last"), DIRECTIONS)))
def test_clamping_what_a_step_reads(cell: str, at: str, direction: str) -> None:
    """Also in the padding, where a state stands still as it is and not as the next step would read it."""
    made = network(cell, layers=2, direction=direction, signature=Signature(2, 2, False, "squared", at=at))
    with made.intervene("layers.*.recurrent", hooks.ablate([0, 2])):
        checks = along(made, batch(LENGTHS["ragged"], at))
    assert worst(checks).passed, worst(checks)


@pytest.mark.parametrize("pattern", ["full", "ragged"])
@pytest.mark.parametrize("cell", list(CELLS))
def test_a_frozen_state_stands_still_and_its_gradient_passes_by(cell: str, pattern: str) -> None:
    made = network(cell, layers=2, direction="both")
    for state in made.model.cell.states:
        for change in (hooks.freeze(units=[0, 2]), hooks.freeze(rows=lambda t: t in (1, 2))):
            with made.intervene(f"layers.*.{state}", change), made.intervene("layers.0.forward.recurrent", hooks.ablate([2])):
                checks = along(made, batch(LENGTHS[pattern]))
            assert worst(checks).passed, (state, worst(checks))
        seen: list[np.ndarray] = []
        point, keep = f"layers.0.forward.{state}", lambda name, array, seen=seen: seen.append(array.copy())
        with made.intervene(point, hooks.freeze(units=[1])), made.observe(point, keep):
            made.forward(batch(None).inputs)
        assert not seen[0][..., 1].any()  # it began at zero
        assert seen[0][..., 0].all()


def test_the_last_of_two_interventions_decides() -> None:
    made = network("lstm")
    for first, second in ((hooks.freeze(), hooks.clamp(0.3, [1])), (hooks.clamp(0.3, [1]), hooks.freeze([1, 2]))):
        with made.intervene("layers.0.forward.cell", first), made.intervene("layers.0.forward.cell", second):
            checks = along(made, batch(None))
        assert worst(checks).passed, worst(checks)


@pytest.mark.parametrize("cell", list(CELLS))
def test_saturated_preactivations_give_no_warning_and_a_right_gradient(cell: str) -> None:
    made = network(cell)
    for name, array in made.parameters.items():
        if name.endswith("bias"):
            array[...] = 300.0 * np.where(np.arange(array.shape[-1]) % 2, 1, -1)
    assert worst(gradcheck(made, batch(None))).passed


@pytest.mark.parametrize(("cell", "gate"), [(cell, gate) for cell in CELLS for gate in CELLS[cell].blocks[: CELLS[cell].gates]])
def test_a_gate_that_is_nearly_shut_keeps_its_digits(cell: str, gate: str) -> None:
    """σ(-30) = 9.4e-14 in float32 as well: a product of forget gates is a matter of such numbers."""
    made, seen = network(cell).astype("float32"), []
    for name, array in made.parameters.items():
        if name.startswith("layers"):
            array[...] = 0
    made.parameters["layers.0.forward.bias"][made.model.cell.blocks.index(gate)] = -30
    with made.observe(f"layers.0.forward.gate.{gate}", lambda name, array: seen.append(array.copy())):
        made.forward(batch(None).inputs)
    np.testing.assert_allclose(seen[0], np.exp(-30), rtol=1e-5)


@pytest.mark.parametrize("cell", list(CELLS))
def test_arrays_handed_in_are_left_alone(cell: str) -> None:
    made, given = network(cell, direction="both"), batch(LENGTHS["ragged"])
    before = {name: array.copy() for name, array in made.parameters.items()}
    inputs, targets = given.inputs.copy(), given.targets.copy()
    run = made.forward(given.inputs, given.lengths)
    made.backward(run, made.loss(run, given).d_outputs)
    assert np.array_equal(inputs, given.inputs, equal_nan=True)
    assert np.array_equal(targets, given.targets)
    assert all(np.array_equal(before[name], made.parameters[name]) for name in before)


@pytest.mark.parametrize("cell", list(CELLS))
def test_complex_step_catches_a_planted_mistake(cell: str) -> None:
    made = network(cell)
    wrong = made.model.cell.local_derivatives

    class Planted(CELLS[cell]):  # type: ignore[misc]
        def local_derivatives(self, tape):  # type: ignore[no-untyped-def]
            wrong(tape)
            tape.factors[0] *= 1.001

    object.__setattr__(made.model, "cell", Planted())
    assert not worst(gradcheck(made, batch(None))).passed
    assert not worst(along(made, batch(None))).passed


@pytest.mark.parametrize("name", ["layers.1.backward.weight_hh", "inputs", "initial layers.0.forward 1"])
def test_one_wrong_entry_shows_along_any_direction(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made, given, right = network("lstm", layers=2, direction="both"), batch(LENGTHS["ragged"]), slopes_along._gradients
    for place in range(2):

        def wrong(*asked: Any, place: int = place) -> dict[str, np.ndarray]:
            found = right(*asked)
            found[name] = found[name].copy()
            found[name].flat[place] += 1e-9 * np.abs(found[name]).max()
            return found

        monkeypatch.setattr(slopes_along, "_gradients", wrong)
        assert [check.name for check in along(made, given) if not check.passed] == [name]


@pytest.mark.parametrize(("cell", "direction"), list(product(CELLS, DIRECTIONS)))
def test_truncation_does_not_depend_on_the_padding(cell: str, direction: str) -> None:
    made, given = network(cell, layers=1, direction=direction), batch(LENGTHS["ragged"])

    def gradients(part: Batch) -> dict[str, np.ndarray]:
        run = made.forward(part.inputs, part.lengths)
        return made.backward(run, part.size * made.loss(run, part, reduction="sum").d_outputs, truncation=3).parameters

    alone = [gradients(Batch(given.inputs[:n, [b]], given.targets[:n, [b]])) for b, n in enumerate(LENGTHS["ragged"])]  # type: ignore[arg-type]
    for name, together in gradients(given).items():
        np.testing.assert_allclose(together, sum(one[name] for one in alone), rtol=1e-10, atol=1e-12)


def kinds_of_gradient(made: Network, given: Batch, state: str = "hidden") -> dict[str, np.ndarray]:
    found: dict[str, np.ndarray] = {}
    with ExitStack() as stack:
        for kind in made.parts.kinds(state):
            watch = lambda name, array, kind=kind: found.__setitem__(kind, array.copy())  # noqa: E731
            stack.enter_context(made.observe(f"layers.0.*.{state}", watch, gradient=kind))
        run = made.forward(given.inputs, given.lengths)
        made.backward(run, made.loss(run, given).d_outputs)
    return found


@pytest.mark.parametrize("cell", list(CELLS))
def test_direct_and_through_time_sum_to_total(cell: str) -> None:
    made, given = network(cell), batch(LENGTHS["ragged"])
    for state in made.model.cell.states:
        found = kinds_of_gradient(made, given, state)
        np.testing.assert_allclose(found["direct"] + found["through_time"], found["total"], rtol=1e-12, atol=1e-15)
        assert found["through_time"].any()


def slopes(made: Network, given: Batch, point: str, direction: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Slope at a point of layer 0 along a direction over the units, by complex step, (time, batch): of the whole loss, and of the loss at
    the same step alone.

    Examples do not influence one another, so that all are disturbed at once.
    """
    exact, (name,) = made.astype("complex128", hooks=True), made.parts.directions
    total, direct = (np.zeros((given.steps, given.size)) for _ in range(2))
    for t in range(given.steps):
        disturb = lambda at, array, t=t: array + 1e-30j * direction[t] if at == t else None  # noqa: E731
        with exact.intervene(f"layers.0.{name}.{point}", disturb):
            loss = exact.loss(exact.forward(given.inputs, given.lengths), given)
        slope = loss.per_step.imag / 1e-30 / loss.count
        total[t], direct[t] = slope.sum(axis=0), slope[t]
    return total, direct


@pytest.mark.parametrize(("cell", "direction"), list(product(CELLS, ("forward", "backward"))))
def test_the_gradient_at_every_point_is_the_derivative(cell: str, direction: str) -> None:
    """Also while another point, or the point itself, is held in one unit."""
    made, given = network(cell, direction=direction), batch(LENGTHS["ragged"])
    rng, shape = np.random.default_rng(7), (given.steps, given.size, made.model.units)
    along_units = rng.uniform(0.5, 1.5, shape) * rng.choice([-1, 1], shape)  # no part small, so that each unit's gradient counts
    for held, point in product(made.parts.made, made.parts.made):
        with made.intervene(f"layers.0.*.{held}", hooks.clamp(0.3, units=[1])):
            found = {kind: (array * along_units).sum(axis=-1) for kind, array in kinds_of_gradient(made, given, point).items()}
            total, direct = slopes(made, given, point, along_units)
        np.testing.assert_allclose(found["total"], total, rtol=1e-10, atol=1e-13, err_msg=f"{point}, {held} held")
        if point in made.model.cell.states:
            np.testing.assert_allclose(found["direct"], direct, rtol=1e-10, atol=1e-13, err_msg=f"{point}, {held} held")
            np.testing.assert_allclose(found["through_time"], total - direct, rtol=1e-10, atol=1e-13)


def test_what_arrives_through_time_keeps_its_digits() -> None:
    """In float32, where it is so small beside what arrives directly that total − direct is noise."""
    made, given = network("rnn").astype("float32"), batch(None)
    made.parameters["layers.0.forward.weight_hh"] *= np.float32(1e-7)
    rough, exact = (kinds_of_gradient(one, given)["through_time"] for one in (made, made.astype("float64")))
    np.testing.assert_allclose(rough, exact, rtol=1e-3)


def test_gradcheck_does_not_pass_over_nan() -> None:
    assert np.isnan(worst([Check("a", 1e-12, 1, True), Check("b", np.nan, 1, False), Check("c", 1e-11, 1, True)]).error)
    made = network("rnn")
    with made.intervene("layers.0.forward.hidden", lambda t, array: np.full_like(array, np.nan) if t == 5 else None):
        checks = {check.name: check for check in gradcheck(made, batch(None), most=5)}
    assert not checks["layers.0.forward.weight_ih"].passed

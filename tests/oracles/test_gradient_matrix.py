"""The gradient matrix in one batched pass, against one pass for each loss, complex steps, and sums."""

import numpy as np
import pytest

from gradviz.batch import Batch, Signature
from gradviz.cells import CELLS
from gradviz.config import Model
from gradviz.dynamics import matrix
from gradviz.dynamics.matrix import gradient_matrix
from gradviz.errors import GradvizError
from gradviz.network import Network
from gradviz.tasks import TASKS

STEPS = 7
TOKENS = Signature(5, 5, True, "softmax")


def network(cell: str = "lstm", **options: object) -> Network:
    return Network(Model(cell=CELLS[cell](), units=4, **options), TOKENS)  # type: ignore[arg-type]


def batch() -> Batch:
    return Batch(*np.random.default_rng(0).integers(0, 5, (2, STEPS, 3)), np.array([STEPS, 4, 5]))


@pytest.mark.parametrize("direction", ["forward", "both"])
@pytest.mark.parametrize("cell", list(CELLS))
def test_it_is_what_single_passes_give(cell: str, direction: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matrix, "COPIES", 3)
    made, given = network(cell, direction=direction, layers=2), batch()
    exact, one = made.astype("float64"), Batch(given.inputs[:4, 1:2], given.targets[:4, 1:2])
    for point in made.model.cell.states:
        found = gradient_matrix(made, given, f"layers.0.forward.{point}", example=1)
        run, total = exact.forward(one.inputs), 0
        d_outputs = exact.loss(run, one, reduction="sum").d_outputs
        for t in range(4):
            only = np.zeros_like(d_outputs)
            only[t] = d_outputs[t]
            exact.backward(run, only)
            gradient = run.tapes["layers.0.forward"].gradients(point)[:, 0].copy()
            total = total + gradient
            np.testing.assert_allclose(found.norms[t], np.linalg.norm(gradient, axis=1), rtol=1e-9, atol=1e-16)
        np.testing.assert_allclose(found.total, np.linalg.norm(total, axis=1), rtol=1e-9)
        np.testing.assert_allclose(found.shares.sum(axis=0), 1, rtol=1e-9)
        if direction == "forward":
            np.testing.assert_array_equal(np.tril(found.norms), found.norms)


def test_an_entry_is_the_derivative_of_its_loss() -> None:
    """Intervene on one state at one step with a complex step, and look at one loss."""
    made, given = network(), batch()
    found = gradient_matrix(made, given, "layers.0.forward.cell")
    exact, one = made.astype("complex128"), Batch(given.inputs[:, :1], given.targets[:, :1])
    for t, k in ((6, 2), (3, 3), (2, 5)):
        slopes = []
        for unit in range(4):

            def nudged(step: int, array: np.ndarray, unit: int = unit, k: int = k) -> np.ndarray | None:
                if step != k:
                    return None
                array[:, unit] += 1e-30j
                return array

            with exact.intervene("layers.0.forward.cell", nudged):
                slopes.append(exact.loss(exact.forward(one.inputs), one, reduction="sum").per_step[t, 0].imag / 1e-30)
        assert found.norms[t, k] == pytest.approx(np.linalg.norm(slopes), rel=1e-9, abs=1e-20)


def test_a_loss_at_the_end_alone_has_one_row() -> None:
    data = TASKS["adding"](length=12).open(0)
    made = Network(Model(units=4), data.signature)
    found = gradient_matrix(made, data.held_out(2), example=1)
    assert found.losses.tolist() == [11]
    assert found.norms.shape == (1, 12)
    np.testing.assert_allclose(found.shares, 1, rtol=1e-12)


def test_what_it_cannot_be_made_of() -> None:
    with pytest.raises(GradvizError, match=r"'layers\.0\.forward\.gate\.forget' is no state of this network; its states are"):
        gradient_matrix(network(), batch(), "layers.0.forward.gate.forget")
    with pytest.raises(GradvizError, match="there is no example 3; the batch has 3"):
        gradient_matrix(network(), batch(), example=3)
    data = TASKS["numbers"]().open(0)
    with pytest.raises(GradvizError, match="encoder–decoder is two"):
        gradient_matrix(Network(Model(units=4), data.signature), data.held_out(2))

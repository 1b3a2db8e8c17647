"""The comparison with PyTorch notices each mistake that is easily made: planted one at a time, it must fail."""

from collections.abc import Callable

import numpy as np
import pytest

from gradviz import network as network_module
from gradviz import stack, tape, unroll
from gradviz.arrays import Parameters
from gradviz.bridges import from_torch, layout
from gradviz.cells import CELLS, Sequence, Step, Weights
from gradviz.cells._base import Cell, products
from tests.parity import Case, Question, by_module, compare, module_of, theirs

pytestmark = pytest.mark.torch
Plant = Callable[[pytest.MonkeyPatch], None]


def gates_in_another_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CELLS["lstm"], "blocks", ("output", "forget", "input", "candidate"))


def reset_and_update_swapped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CELLS["gru"], "blocks", ("update", "reset", "candidate"))


def no_reset(monkeypatch: pytest.MonkeyPatch) -> None:
    def propose(self: Cell, weights: Weights, step: Step) -> None:
        np.add(step.rows[2], step.extra[0], out=step.rows[2])
        np.tanh(step.rows[2], out=step.rows[2])

    monkeypatch.setattr(CELLS["gru"], "propose", propose)


def no_reset_in_the_weight_gradient(monkeypatch: pytest.MonkeyPatch) -> None:
    right = CELLS["gru"].recurrent_gradients

    def gradients(self: Cell, sequence: Sequence) -> Parameters:
        return {**right(self, sequence), "weight_hh": products(sequence.before[0], sequence.d_block)}

    monkeypatch.setattr(CELLS["gru"], "recurrent_gradients", gradients)


def the_state_after_instead_of_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """Σ h_tᵀ δ_t in the place of Σ h_{t-1}ᵀ δ_t."""

    def gradients(self: Cell, sequence: Sequence) -> Parameters:
        return {"weight_hh": products(sequence.after[0], sequence.d_block)}

    monkeypatch.setattr(Cell, "recurrent_gradients", gradients)


def no_mask(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network_module, "padding_of", lambda inputs, lengths: None)


def no_mask_backward(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unroll, "_hold", lambda carry, d_hidden, padding: [np.zeros_like(array) for array in carry])


def no_bias(monkeypatch: pytest.MonkeyPatch) -> None:
    right = Cell.prepare

    def prepare(self: Cell, parameters: Parameters) -> Weights:
        return right(self, {name: array for name, array in parameters.items() if name != "bias"})

    monkeypatch.setattr(Cell, "prepare", prepare)


def no_second_bias(monkeypatch: pytest.MonkeyPatch) -> None:
    right = Cell.prepare

    def prepare(self: Cell, parameters: Parameters) -> Weights:
        return right(self, {name: array for name, array in parameters.items() if name != "bias_hh"})

    monkeypatch.setattr(Cell, "prepare", prepare)


def reverse_begins_in_the_padding(monkeypatch: pytest.MonkeyPatch) -> None:
    """A layer that reads backward takes the padding's steps for its first ones."""
    right = stack.forward

    def forward(one: tape.Tape, *rest: object) -> None:
        if one.is_backward:
            one.padding = None
        right(one, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(stack, "forward", forward)


def no_path_through_the_new_cell_state(monkeypatch: pytest.MonkeyPatch) -> None:
    """The loop backward forgets that h_t = o · tanh(c_t) also leads to c_t."""
    right = CELLS["lstm"].local_derivatives

    def derivatives(self: Cell, sequence: Sequence) -> None:
        right(self, sequence)
        sequence.factors[4] = 0

    monkeypatch.setattr(CELLS["lstm"], "local_derivatives", derivatives)


PLANTED: dict[str, tuple[Plant, Case]] = {
    "gates in another order": (gates_in_another_order, Case("lstm")),
    "reset and update swapped": (reset_and_update_swapped, Case("gru")),
    "no reset": (no_reset, Case("gru")),
    "no reset in the weight gradient": (no_reset_in_the_weight_gradient, Case("gru")),
    "the state after instead of before, rnn": (the_state_after_instead_of_before, Case("rnn")),
    "the state after instead of before, lstm": (the_state_after_instead_of_before, Case("lstm", direction="backward", layers=1)),
    "no mask": (no_mask, Case("rnn", direction="forward")),
    "no mask backward": (no_mask_backward, Case("lstm", direction="forward", layers=1)),
    "no bias": (no_bias, Case("lstm")),
    "no second bias": (no_second_bias, Case("gru")),
    "reverse begins in the padding, both": (reverse_begins_in_the_padding, Case("gru")),
    "reverse begins in the padding, alone": (reverse_begins_in_the_padding, Case("rnn", direction="backward", layers=1)),
    "no path through the new cell state": (no_path_through_the_new_cell_state, Case("lstm")),
}


@pytest.mark.parametrize("bug", PLANTED)
def test_a_planted_mistake_is_noticed(bug: str, monkeypatch: pytest.MonkeyPatch) -> None:
    plant, case = PLANTED[bug]
    compare(case)
    plant(monkeypatch)
    with pytest.raises(AssertionError, match="Not equal to tolerance"):
        compare(case)


def test_loading_weights_in_another_order_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same for the order in which PyTorch stacks the gates."""
    case = Case("lstm", pattern="full")
    made = case.network()
    question, module = Question.of(case, made), module_of(case, made)
    wanted = theirs(case, made, question, by_module)["outputs"]

    def outputs() -> np.ndarray:
        loaded = from_torch(module.state_dict())
        hidden = loaded.forward(question.inputs, initial=question.initial).outputs
        return np.asarray(hidden @ made.parameters["readout.weight"] + made.parameters["readout.bias"])

    np.testing.assert_allclose(outputs(), wanted, rtol=1e-9)
    monkeypatch.setitem(layout.GATES, "lstm", ("input", "forget", "output", "candidate"))
    assert not np.allclose(outputs(), wanted, rtol=1e-3)

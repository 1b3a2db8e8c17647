"""The core against PyTorch: outputs, states, gates and every gradient, at every step and layer, to rounding in double precision."""

from itertools import product

import numpy as np
import pytest

from gradviz.errors import GradvizError
from tests.parity import KINDS, LENGTHS, Case, compare

pytestmark = pytest.mark.torch
DEPTHS = list(product((1, 2, 3), ("forward", "backward", "both")))


@pytest.mark.parametrize("pattern", list(LENGTHS))
@pytest.mark.parametrize(("layers", "direction"), DEPTHS)
@pytest.mark.parametrize(("cell", "activation"), KINDS)
def test_everything_agrees(cell: str, activation: str, layers: int, direction: str, pattern: str) -> None:
    compare(Case(cell, activation, layers, direction, pattern=pattern))


@pytest.mark.parametrize("pattern", ["full", "ragged"])
@pytest.mark.parametrize(("layers", "direction"), DEPTHS)
@pytest.mark.parametrize(("cell", "activation"), KINDS)
def test_everything_agrees_without_biases(cell: str, activation: str, layers: int, direction: str, pattern: str) -> None:
    compare(Case(cell, activation, layers, direction, biases=False, pattern=pattern))


@pytest.mark.parametrize(("cell", "activation"), KINDS)
def test_saturated_units_agree_without_a_warning(cell: str, activation: str) -> None:
    compare(Case(cell, activation, saturated=True), {"rtol": 1e-9, "atol": 1e-9})
    large = 1e-2 if activation == "relu" else 1e-5  # where hundreds cancel
    compare(Case(cell, activation, dtype="float32", saturated=True), {"rtol": 2e-4, "atol": large})


@pytest.mark.parametrize(("cell", "activation"), KINDS)
def test_single_precision_agrees_to_its_own_rounding(cell: str, activation: str) -> None:
    compare(Case(cell, activation, dtype="float32"), {"rtol": 2e-4, "atol": 2e-5})


def test_sequences_of_length_zero_are_refused() -> None:
    made = Case("lstm").network()
    with pytest.raises(GradvizError, match="example 1 has length 0; lengths must be between 1 and 4"):
        made.forward(np.zeros((4, 2, 2)), np.array([4, 0]))

"""Every cell as encoder and decoder: gradients are derivatives, padding does not matter, an example does not know its batch."""

from itertools import product

import numpy as np
import pytest

from gradviz import hooks
from gradviz.batch import Batch, Reading, Signature
from gradviz.cells import CELLS
from gradviz.config import Model
from gradviz.gradcheck import worst
from gradviz.network import Network
from tests.slopes import along

VALUES = Signature(2, 2, False, "squared", "decoded", 3)
TOKENS = Signature(5, 4, True, "softmax", "decoded", 4)
READ, SAID = np.array([4, 1, 3]), np.array([2, 5, 3])


def network(cell: str, *, layers: int = 1, bidirectional: bool = False, signature: Signature = VALUES, embedding: int = 0) -> Network:
    model = Model(cell=CELLS[cell](), units=3, layers=layers, direction="both" if bidirectional else "forward", embedding=embedding)
    made = Network(model, signature, dtype="float64", seed=3)
    rng = np.random.default_rng(4)
    for array in made.parameters.values():
        array[...] = rng.normal(0, 0.7, array.shape)
    return made


def batch(ragged: bool = True) -> Batch:
    """T_x and T_y differ from each other and from example to example; what stands in the padding is not a number."""
    rng = np.random.default_rng(5)
    inputs, targets, read = rng.normal(size=(4, 3, 2)), rng.normal(size=(5, 3, 2)), rng.normal(size=(5, 3, 3))
    if not ragged:
        return Batch(inputs, targets, None, Reading(read))
    inputs[np.arange(4)[:, None] >= READ] = np.nan
    for array in (targets, read):
        array[np.arange(5)[:, None] >= SAID] = np.nan
    return Batch(inputs, targets, READ, Reading(read, SAID))


@pytest.mark.parametrize(("cell", "bidirectional", "layers"), list(product(CELLS, (False, True), (1, 2, 3))))
def test_every_gradient_is_the_derivative(cell: str, bidirectional: bool, layers: int) -> None:
    made = network(cell, layers=layers, bidirectional=bidirectional)
    for given in (batch(ragged=False), batch()) if layers == 1 else (batch(),):
        checks = along(made, given)
        assert worst(checks).passed, worst(checks)
    named = {check.name for check in checks}
    assert {"inputs", "decoder inputs", f"layers.{2 * layers - 1}.forward.weight_hh"} <= named
    starts = {name.split()[1] for name in named if name.startswith("initial")}
    assert starts == {f"layers.{layer}.{way}" for layer in range(layers) for way in made.parts.directions}


@pytest.mark.parametrize(("cell", "embedding"), list(product(CELLS, (0, 4))))
def test_tokens_one_hot_and_embedded(cell: str, embedding: int) -> None:
    rng, made = np.random.default_rng(6), network(cell, layers=2, signature=TOKENS, embedding=embedding)
    given = Batch(rng.integers(0, 5, (4, 3)), rng.integers(0, 4, (5, 3)), READ, Reading(rng.integers(0, 4, (5, 3)), SAID))
    assert ("decoder.embedding.weight" in made.parameters) == bool(embedding)
    checks = along(made, given)
    assert worst(checks).passed, worst(checks)


@pytest.mark.parametrize("cell", list(CELLS))
def test_interventions_in_both_parts(cell: str) -> None:
    made = network(cell, layers=2, bidirectional=True)
    points = [point for _, points in made.model.cell.stages for point in points]
    for point, layer in product(points, ("layers.1.*", "layers.2.forward")):
        with made.intervene(f"{layer}.{point}", hooks.clamp(0.3, units=[1])):
            checks = along(made, batch())
        assert worst(checks).passed, (point, layer, worst(checks))
    with made.intervene("layers.*.recurrent", hooks.ablate([0])):
        checks = along(made, batch())
    assert worst(checks).passed, worst(checks)


@pytest.mark.parametrize(("cell", "bidirectional"), list(product(CELLS, (False, True))))
def test_a_batch_is_its_examples_alone(cell: str, bidirectional: bool) -> None:
    """Outputs, losses and all gradients; each example runs without any padding."""
    made, given = network(cell, layers=2, bidirectional=bidirectional), batch()
    run = made.forward(given.inputs, given.lengths, decoder=given.decoder)
    loss = made.loss(run, given, reduction="sum")
    together = made.backward(run, loss.d_outputs * given.size)
    assert loss.count == SAID.sum()
    assert given.decoder is not None
    assert together.inputs is not None
    assert together.decoder_inputs is not None
    total = {name: np.zeros_like(array) for name, array in made.parameters.items()}
    for b, (read, said) in enumerate(zip(READ, SAID, strict=True)):
        alone = Batch(given.inputs[:read, [b]], given.targets[:said, [b]], None, Reading(given.decoder.inputs[:said, [b]]))
        one = made.forward(alone.inputs, decoder=alone.decoder)
        its = made.loss(one, alone, reduction="sum")
        gradients = made.backward(one, its.d_outputs)
        np.testing.assert_allclose(run.outputs[:said, b], one.outputs[:, 0], rtol=1e-12)
        np.testing.assert_allclose(loss.per_step[:said, b], its.per_step[:, 0], rtol=1e-12)
        np.testing.assert_allclose(together.inputs[:read, b], gradients.inputs[:, 0], rtol=1e-10, atol=1e-14)  # type: ignore[index]
        np.testing.assert_allclose(together.decoder_inputs[:said, b], gradients.decoder_inputs[:, 0], rtol=1e-10, atol=1e-14)  # type: ignore[index]
        assert not together.inputs[read:, b].any()
        assert not together.decoder_inputs[said:, b].any()
        for name, gradient in gradients.parameters.items():
            total[name] += gradient
    for name, gradient in together.parameters.items():
        np.testing.assert_allclose(gradient, total[name], rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("bidirectional", [False, True])
def test_the_decoder_starts_where_the_encoder_ends(bidirectional: bool) -> None:
    """Layer by layer, all states, each sequence at its own end; two directions are summed."""
    made, given = network("lstm", layers=2, bidirectional=bidirectional), batch()
    run = made.forward(given.inputs, given.lengths, decoder=given.decoder)
    for layer, (k, state) in product((0, 1), enumerate(("hidden", "cell"))):
        tape = run.tapes[f"layers.{layer}.forward"]
        ends = [tape.values(state)[READ[b] - 1, b] for b in range(3)]
        if bidirectional:
            ends = [end + run.tapes[f"layers.{layer}.backward"].values(state)[0, b] for b, end in enumerate(ends)]
        np.testing.assert_array_equal(run.tapes[f"layers.{layer + 2}.forward"].initial[k], ends)


def test_gradients_of_final_states_of_both_parts() -> None:
    """What a caller adds at the encoder's and the decoder's ends, against central differences of the inputs."""
    made, given, rng = network("lstm", layers=2, bidirectional=True), batch(ragged=False), np.random.default_rng(7)
    run = made.forward(given.inputs, decoder=given.decoder)
    d_final = {name: tuple(rng.normal(size=state.shape) for state in states) for name, states in run.final.items()}
    inputs = given.inputs.copy()

    def total() -> float:
        again = made.forward(inputs, decoder=given.decoder)
        return float(sum((a * b).sum() for name in d_final for a, b in zip(again.final[name], d_final[name], strict=True)))

    found = made.backward(run, np.zeros_like(run.outputs), d_final).inputs
    assert found is not None
    for place in ((0, 0, 0), (3, 1, 1), (1, 2, 0)):
        kept, slopes = inputs[place], []
        for sign in (1, -1):
            inputs[place] = kept + sign * 1e-6
            slopes.append(total())
        inputs[place] = kept
        assert (slopes[0] - slopes[1]) / 2e-6 == pytest.approx(found[place], rel=1e-6)

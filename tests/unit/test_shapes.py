"""Batches out of ragged sequences, in every shape of the course notes; answers without teacher forcing."""

from itertools import product

import numpy as np
import pytest

from gradviz import shapes
from gradviz.batch import Batch, Reading, Signature
from gradviz.cells import CELLS
from gradviz.config import Model
from gradviz.errors import GradvizError, NonFiniteError, ShapeError
from gradviz.generate import answers
from gradviz.gradcheck import worst
from gradviz.hooks import clamp
from gradviz.network import Network
from tests.slopes import along

A, B = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]), np.array([[7.0, 8.0]])
ONE, TWO = np.array([3, 1, 2]), np.array([4, 2])


def test_many_to_many() -> None:
    made = shapes.many_to_many([A, B], [ONE, ONE[:1]], steps=4)
    np.testing.assert_array_equal(made.inputs[:, 0], [*A, [0, 0]])
    np.testing.assert_array_equal(made.inputs[:, 1], [*B, *np.zeros((3, 2))])
    np.testing.assert_array_equal(made.targets.T, [[3, 1, 2, 0], [3, 0, 0, 0]])
    np.testing.assert_array_equal(made.mask.sum(axis=0), [3, 1])


def test_many_to_one() -> None:
    made = shapes.many_to_one([ONE, TWO], np.array([5, 6]))
    np.testing.assert_array_equal(made.inputs.T, [[3, 1, 2], [4, 2, 0]])
    np.testing.assert_array_equal(made.lengths, [3, 2])
    np.testing.assert_array_equal(made.targets, [5, 6])


def test_one_to_many_reads_x_and_then_the_answer_before() -> None:
    values = shapes.one_to_many(np.array([[0.5], [0.6]]), [A, B])
    np.testing.assert_array_equal(values.inputs[:, 0], [[0.5, 0, 0], [0, 1, 2], [0, 3, 4]])
    np.testing.assert_array_equal(values.inputs[0, 1], [0.6, 0, 0])
    np.testing.assert_array_equal(values.targets[:, 0], A)
    np.testing.assert_array_equal(values.lengths, [3, 1])
    tokens = shapes.one_to_many(np.array([7, 8]), [ONE, TWO], steps=4)
    np.testing.assert_array_equal(tokens.inputs.T, [[7, 3, 1, 2], [8, 4, 2, 0]])
    np.testing.assert_array_equal(tokens.targets.T, [[3, 1, 2, 0], [4, 2, 0, 0]])


def test_encoder_decoder_has_two_lengths() -> None:
    made = shapes.encoder_decoder([ONE, TWO], [TWO, ONE], start=9, steps=(5, 4))
    np.testing.assert_array_equal(made.inputs.T, [[3, 1, 2, 0, 0], [4, 2, 0, 0, 0]])
    np.testing.assert_array_equal(made.lengths, [3, 2])
    np.testing.assert_array_equal(made.targets.T, [[4, 2, 0, 0], [3, 1, 2, 0]])
    assert made.decoder is not None
    np.testing.assert_array_equal(made.decoder.inputs.T, [[9, 4, 2, 0], [9, 3, 1, 2]])
    np.testing.assert_array_equal(made.decoder.ends, [2, 3])
    values = shapes.encoder_decoder([ONE, TWO], [A, B])
    np.testing.assert_array_equal(values.answered.inputs[:, 0], [[0, 0], *A[:2]])


def test_sequences_handed_in_are_left_alone() -> None:
    before = [A.copy(), ONE.copy()]
    shapes.one_to_many(np.array([[0.5]]), [A])
    shapes.encoder_decoder([ONE], [ONE], start=9)
    np.testing.assert_array_equal(A, before[0])
    np.testing.assert_array_equal(ONE, before[1])


@pytest.mark.parametrize(("cell", "bidirectional"), list(product(CELLS, (False, True))))
def test_one_to_many_and_many_to_one_have_right_gradients(cell: str, bidirectional: bool) -> None:
    rng = np.random.default_rng(0)
    sequences = [rng.normal(size=(n, 2)) for n in (5, 2, 4)]
    many, one = shapes.one_to_many(rng.normal(size=(3, 1)), sequences), shapes.many_to_one(sequences, rng.normal(size=(3, 2)))
    model = Model(cell=CELLS[cell](), units=3, layers=2, direction="both" if bidirectional else "forward")
    for given, signature in ((many, Signature(3, 2, False, "squared")), (one, Signature(2, 2, False, "squared", "last"))):
        checks = along(Network(model, signature, dtype="float64"), given)
        assert worst(checks).passed, worst(checks)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: shapes.many_to_many([A, B], [A, A]), "example 1 has 1 inputs and 3 targets"),
        (lambda: shapes.many_to_one([A, B], np.zeros(3)), "there are 2 inputs and 3 targets"),
        (lambda: shapes.encoder_decoder([], []), "there are 0 inputs"),
        (lambda: shapes.encoder_decoder([A, ONE], [ONE, ONE]), r"sequences have shapes \[\(3, 2\), \(3,\)\]"),
        (lambda: shapes.encoder_decoder([A, A], [ONE, ONE[:0]]), "sequence 1 is empty"),
        (lambda: shapes.one_to_many(np.array([1]), [A]), "do not go together"),
        (lambda: Batch(A[:, None], A[:, None], None, Reading(np.zeros((3, 2), int))), "the decoder reads 2 sequences, the encoder 1"),
        (lambda: Reading(A[:, None], np.array([4])), "example 0 has length 4"),
        (lambda: Reading(np.full((2, 1, 1), np.nan), None, "decoder's inputs"), "the decoder's inputs hold NaN"),
        (lambda: Signature(2, 2, False, "squared", "decoded"), "the decoder reads 0 token kinds or features"),
        (lambda: Signature(2, 2, False, "squared", decoder=3), "no other has one"),
    ],
)
def test_what_does_not_fit_is_refused(make, message) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises((GradvizError, ShapeError, NonFiniteError), match=message):
        make()


WITH = Network(Model(units=3), Signature(4, 5, True, "softmax", "decoded", 5), dtype="float64")
WITHOUT = Network(Model(units=3), Signature(4, 5, True, "softmax"), dtype="float64")
TOKENS = shapes.encoder_decoder([np.array([1, 2, 3])] * 2, [ONE, TWO], start=0)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: WITH.forward(TOKENS.inputs), "needs inputs of its own"),
        (lambda: WITHOUT.forward(TOKENS.inputs, decoder=TOKENS.decoder), "this network has none"),
        (lambda: WITH.forward(TOKENS.inputs, decoder=TOKENS.decoder, at="last"), "cannot be at 'last': this network has a decoder"),
        (lambda: WITHOUT.forward(TOKENS.inputs, at="decoded"), "this network has no decoder"),
        (lambda: WITH.forward(TOKENS.inputs, decoder=Reading(np.full((2, 2), 5), None, "decoder's inputs")), "token ids run from 5"),
        (lambda: WITH.forward(TOKENS.inputs, decoder=Reading(A[:, None], None, "decoder's inputs")), "decoder's inputs are float64"),
        (lambda: WITH.forward(TOKENS.inputs, decoder=Reading(ONE[:, None])), "reads 1 sequences, the encoder 2"),
        (
            lambda: WITH.forward(TOKENS.inputs, None, {"layers.1.forward": (np.zeros((2, 3)),) * 2}, decoder=TOKENS.decoder),
            "layers.1.forward",
        ),
    ],
)
def test_a_pass_that_makes_no_sense_is_refused(call, message) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(GradvizError, match=message):
        call()


def test_truncation_would_cut_the_decoder_off() -> None:
    run = WITH.forward(TOKENS.inputs, decoder=TOKENS.decoder)
    with pytest.raises(GradvizError, match="truncation does not go with an encoder–decoder"):
        WITH.backward(run, np.zeros_like(run.outputs), truncation=2)


def test_the_table_of_points_says_which_part_a_layer_is() -> None:
    table = WITH.points().splitlines()
    assert "cell state c_t (encoder)" in next(line for line in table if line.startswith("layers.0.forward.cell"))
    assert "forget gate, 0 to 1 (decoder)" in next(line for line in table if line.startswith("layers.1.forward.gate.forget"))
    assert "(encoder)" not in WITHOUT.points()


# ------------------------------------------------------------------ without teacher forcing


def test_answers_of_a_decoder_are_what_it_says_to_its_own_answers() -> None:
    """Step by step, with the states carried from pass to pass in a network that consists of the decoder alone."""
    rng = np.random.default_rng(3)
    for array in WITH.parameters.values():
        array[...] = rng.normal(0, 3, array.shape)
    WITH.parameters["readout.bias"][...] = 0
    said = answers(WITH, TOKENS)
    alone = Network(Model(units=3), Signature(5, 5, True, "softmax"), dtype="float64")
    for name in alone.parameters:
        alone.parameters[name][...] = WITH.parameters[name.replace("layers.0", "layers.1")]
    states = WITH.forward(TOKENS.inputs, decoder=TOKENS.decoder).final["layers.0.forward"]
    read = np.zeros((1, 2), int)
    for step in range(3):
        run = alone.forward(read, initial={"layers.0.forward": states})
        states, read = run.final["layers.0.forward"], run.outputs.argmax(axis=2)
        there = TOKENS.answered.mask[step]
        np.testing.assert_array_equal(said[step, there], read[0, there])
    assert not np.array_equal(said, WITH.forward(TOKENS.inputs, decoder=TOKENS.decoder).outputs.argmax(axis=2))


def test_answers_of_one_to_many_in_values_and_tokens() -> None:
    rng = np.random.default_rng(4)
    made = Network(Model(units=4), Signature(3, 2, False, "squared"), dtype="float64", seed=5)
    given = shapes.one_to_many(rng.normal(size=(2, 1)), [rng.normal(size=(4, 2)) for _ in range(2)])
    said = answers(made, given)
    own = given.inputs.copy()
    own[1:, :, 1:] = said[:-1]
    np.testing.assert_allclose(made.forward(own).outputs, said, rtol=1e-12)
    assert not np.allclose(made.forward(given.inputs).outputs[1:], said[1:])
    with made.intervene("layers.0.forward.hidden", clamp(0.0)):
        np.testing.assert_array_equal(answers(made, given), np.broadcast_to(made.parameters["readout.bias"], said.shape))
    tokens = Network(Model(units=4), Signature(5, 5, True, "softmax"), dtype="float64", seed=5)
    started = shapes.one_to_many(np.array([4, 3]), [ONE, ONE])
    spoken = answers(tokens, started)
    assert spoken.shape == (3, 2)
    np.testing.assert_array_equal(tokens.forward(np.stack([[4, 3], *spoken[:-1]])).outputs.argmax(axis=2), spoken)


def test_who_reads_backward_cannot_read_answers_to_come() -> None:
    made = Network(Model(units=2, direction="both"), Signature(3, 2, False, "squared"))
    with pytest.raises(GradvizError, match="reads backward, too"):
        answers(made, shapes.one_to_many(np.zeros((1, 1)), [A]))
    encoder = Network(Model(units=2, direction="both"), Signature(2, 2, False, "squared", "decoded", 2))
    assert answers(encoder, shapes.encoder_decoder([A], [A])).shape == (3, 1, 2)


@pytest.mark.parametrize(
    ("signature", "given"),
    [
        (Signature(2, 2, False, "squared", "last"), shapes.many_to_one([A], A[:1])),
        (Signature(2, 4, False, "softmax"), shapes.many_to_many([A], [ONE])),
        (Signature(2, 3, False, "squared"), shapes.many_to_many([A], [np.zeros((3, 3))])),
    ],
)
def test_a_network_that_cannot_read_its_answers_says_so(signature: Signature, given: Batch) -> None:
    with pytest.raises(GradvizError, match="cannot read its own answers"):
        answers(Network(Model(units=2), signature), given)

"""The recorder's parts: schedules, statistics over a batch, reach by lag, the origin of trouble."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradviz.batch import Batch, Reading, Signature
from gradviz.cells import CELLS
from gradviz.config import Model, Recording
from gradviz.network import Network
from gradviz.quantities import Observed
from gradviz.recording.reach import measure
from gradviz.recording.recorder import Recorder
from gradviz.recording.statistics import over_batch, over_steps
from gradviz.recording.trouble import origin
from gradviz.schedules import every
from gradviz.shapes import encoder_decoder


def test_schedules_begin_at_the_first_step_and_end_at_the_last() -> None:
    assert [step for step in range(101) if every(25, 98)(step)] == [0, 25, 50, 75, 98, 100]
    assert not any(every(0, 10)(step) for step in range(11))


@given(st.integers(1, 6), st.integers(1, 9), st.integers(0, 10**6))
@settings(deadline=None)
def test_statistics_leave_the_padding_out(steps: int, size: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    values, lengths = rng.normal(size=(steps, size)), rng.integers(1, steps + 1, size)
    mask = np.arange(steps)[:, None] < lengths
    values[~mask] = np.nan
    found = over_batch(values, mask)
    for t in range(steps):
        there = values[t, mask[t]]
        if not len(there):
            assert all(np.isnan(series[t]) for series in found.values())
            continue
        assert found["mean"][t] == pytest.approx(there.mean())
        assert found["low"][t] <= found["median"][t] <= found["high"][t]
        assert {found[name][t] for name in ("low", "median", "high")} <= set(there)


def test_statistics_keep_infinity_and_nan() -> None:
    found = over_batch(np.array([[1.0, 2.0, np.inf], [1.0, np.nan, 3.0]]), None)
    assert found["mean"][0] == np.inf
    assert found["high"][0] == np.inf
    assert found["low"][0] == 1.0
    assert all(np.isnan(series[1]) for series in found.values())


@given(st.integers(1, 5), st.integers(1, 40), st.integers(0, 10**6))
@settings(deadline=None)
def test_percentiles_are_numpys_closest_observations(steps: int, size: int, seed: int) -> None:
    values = np.random.default_rng(seed).normal(size=(2, steps, size))
    found = over_batch(values, None)
    low, median, high = np.quantile(values, (0.1, 0.5, 0.9), axis=-1, method="closest_observation")
    for name, expected in (("low", low), ("median", median), ("high", high)):
        np.testing.assert_array_equal(found[name], expected)


@pytest.mark.parametrize("ragged", [False, True])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_saturation_of_units_by_hand(ragged: bool, dtype: type) -> None:
    """More than 255 steps, where a byte is full."""
    rng = np.random.default_rng(7)
    values = rng.random((600, 3, 5)).astype(dtype) * np.array([1, 1, 0.09, 1, 1], dtype)
    mask = np.arange(600)[:, None] < np.array([600, 10, 300]) if ragged else None
    values[4, 1, 3] = np.nan
    found, there = over_steps(Observed(values), 0.1, 0.9, mask), values.reshape(-1, 5) if mask is None else values[mask]
    for name, expected in (("left", there < 0.1), ("right", there > 0.9), ("mean", there)):
        np.testing.assert_allclose(found[name], np.where([0, 0, 0, 1, 0], np.nan, expected.mean(axis=0)), rtol=1e-6)
    assert found["left"][2] == 1


def network(cell: str = "lstm", *, direction: str = "forward") -> Network:
    made = Network(Model(cell=CELLS[cell](), units=4, layers=2, direction=direction), Signature(2, 2, False, "squared"), dtype="float64")
    for array in made.parameters.values():
        array[...] = np.random.default_rng(array.size).normal(0, 0.6, array.shape)
    return made


def one_sequence(inputs: np.ndarray, targets: np.ndarray, made: Network, *, last: int, direction: str = "forward") -> np.ndarray:
    """‖∂L_last/∂h_t‖ of one unpadded sequence, layer 0: a pass of its own."""
    seen: list[np.ndarray] = []
    with made.observe(f"layers.0.{direction}.hidden", lambda name, array: seen.append(array.copy()), gradient=True):
        run = made.forward(inputs[:, None])
        d_outputs = np.zeros_like(run.outputs)
        d_outputs[last, 0] = 2 * (run.outputs[last, 0] - targets[last])
        made.backward(run, d_outputs)
    return np.linalg.norm(seen[0][:, 0], axis=1)


@pytest.mark.parametrize("direction", ["forward", "both"])
def test_reach_counts_lags_from_each_sequences_own_end(direction: str) -> None:
    made, rng, lengths = network(direction=direction), np.random.default_rng(1), np.array([7, 3, 5])
    inputs, targets = rng.normal(size=(7, 3, 2)), rng.normal(size=(7, 3, 2))
    rows = measure(made, Batch(inputs, targets, lengths)).reach
    row = next(row for row in rows if (row["layer"], row["direction"], row["point"]) == (0, "forward", "hidden"))
    profiles = [one_sequence(inputs[:n, b], targets[:n, b], made, last=n - 1)[::-1] for b, n in enumerate(lengths)]
    for lag in range(7):
        there = [np.log10(profile[lag]) for profile in profiles if lag < len(profile)]
        assert row["mean"][lag] == pytest.approx(np.mean(there), rel=1e-9)  # type: ignore[index]


@pytest.mark.parametrize("direction", ["backward", "both"])
def test_reach_of_a_layer_that_reads_backward_counts_from_the_first_step(direction: str) -> None:
    made, rng, lengths = network(direction=direction), np.random.default_rng(1), np.array([7, 3, 5])
    inputs, targets = rng.normal(size=(7, 3, 2)), rng.normal(size=(7, 3, 2))
    rows = measure(made, Batch(inputs, targets, lengths)).reach
    row = next(row for row in rows if (row["layer"], row["direction"], row["point"]) == (0, "backward", "hidden"))
    profiles = [one_sequence(inputs[:n, b], targets[:n, b], made, last=0, direction="backward") for b, n in enumerate(lengths)]
    expected = [np.mean([np.log10(profile[lag]) for profile in profiles if lag < len(profile)]) for lag in range(7)]
    np.testing.assert_allclose(row["mean"], expected, rtol=1e-9)  # type: ignore[arg-type]


def test_trouble_is_found_where_it_was_planted() -> None:
    made, inputs = network(), np.random.default_rng(2).normal(size=(6, 3, 2))

    def poison(t: int, array: np.ndarray) -> np.ndarray | None:
        return np.where(np.arange(array.size).reshape(array.shape) == 6, np.nan, array) if t == 4 else None

    with made.intervene("layers.1.forward.gate.forget", poison):
        run = made.forward(inputs)
    found = origin(made, run)
    assert found is not None
    assert (found["layer"], found["point"], found["gradient"], found["time"]) == (1, "gate.forget", False, 4)
    assert (found["example"], found["unit"], found["value"]) == (1, 2, "nan")


def test_trouble_in_the_backward_pass_alone_is_the_latest_step_of_the_highest_layer() -> None:
    made, inputs = network(), np.random.default_rng(2).normal(size=(6, 3, 2))
    run = made.forward(inputs)
    d_outputs = np.zeros_like(run.outputs)
    d_outputs[3, 0] = np.inf
    made.backward(run, d_outputs)
    found = origin(made, run)
    assert found is not None
    assert (found["layer"], found["gradient"], found["time"], found["example"]) == (1, True, 3, 0)


def test_a_sound_pass_has_no_trouble() -> None:
    made = network()
    run = made.forward(np.ones((4, 2, 2)))
    made.backward(run, np.ones_like(run.outputs))
    assert origin(made, run) is None


def test_held_out_accuracy_leaves_the_padding_out() -> None:
    """R² by hand over the steps that count."""
    made, rng, lengths = network(), np.random.default_rng(3), np.array([7, 3, 5])
    inputs, targets = rng.normal(size=(7, 3, 2)), rng.normal(size=(7, 3, 2))
    outputs = [made.forward(inputs[:n, [b]]).outputs[:, 0] for b, n in enumerate(lengths)]
    wanted = np.concatenate([targets[:n, b] for b, n in enumerate(lengths)])
    targets[np.arange(7)[:, None] >= lengths] = 1e3
    expected = 1 - ((np.concatenate(outputs) - wanted) ** 2).sum() / ((wanted - wanted.mean()) ** 2).sum()
    assert measure(made, Batch(inputs, targets, lengths)).accuracy == pytest.approx(expected, rel=1e-12)


def test_a_network_of_nan_has_no_accuracy() -> None:
    made, tokens = Network(Model(units=3), Signature(4, 4, True, "softmax"), dtype="float64"), np.zeros((3, 2), int)
    assert 0 <= measure(made, Batch(tokens, tokens)).accuracy <= 1
    made.parameters["readout.bias"][1] = np.nan
    assert np.isnan(measure(made, Batch(tokens, tokens)).accuracy)


READ, SAID = np.array([5, 2, 4]), np.array([3, 6, 2])


def two_parts(seed: int = 8) -> tuple[Network, Batch]:
    """A bidirectional encoder and a decoder of two layers each; T_x and T_y differ, and what stands in both paddings is not a number."""
    model = Model(cell=CELLS["lstm"](), units=4, layers=2, direction="both")
    made = Network(model, Signature(2, 2, False, "squared", "decoded", 2), dtype="float64")
    rng = np.random.default_rng(seed)
    for array in made.parameters.values():
        array[...] = rng.normal(0, 0.6, array.shape)
    given = encoder_decoder([rng.normal(size=(n, 2)) for n in READ], [rng.normal(size=(n, 2)) for n in SAID])
    given.inputs[~given.mask] = given.answered.inputs[~given.answered.mask] = np.nan
    return made, given


def alone(given: Batch, b: int) -> Batch:
    """One example of the batch without any padding."""
    said = SAID[b]
    return Batch(given.inputs[: READ[b], [b]], given.targets[:said, [b]], None, Reading(given.answered.inputs[:said, [b]]))


@pytest.mark.parametrize(
    ("layer", "direction", "lengths"), [(0, "forward", READ), (1, "backward", READ), (2, "forward", SAID), (3, "forward", SAID)]
)
def test_reach_of_encoder_and_decoder_counts_from_each_ones_own_end(layer: int, direction: str, lengths: np.ndarray) -> None:
    """Each example run alone, its gradient that of the last decoded step's loss."""
    made, given = two_parts()
    rows = [row for row in measure(made, given).reach if (row["layer"], row["direction"], row["point"]) == (layer, direction, "cell")]
    assert len(rows) == 1
    profiles = []
    for b in range(3):
        one, seen = alone(given, b), []
        with made.observe(f"layers.{layer}.{direction}.cell", lambda name, array, seen=seen: seen.append(array.copy()), gradient=True):
            run = made.forward(one.inputs, decoder=one.decoder)
            d_outputs = np.zeros_like(run.outputs)
            d_outputs[-1] = 2 * (run.outputs[-1] - one.targets[-1])
            made.backward(run, d_outputs)
        norms = np.linalg.norm(seen[0][:, 0], axis=1)
        profiles.append(np.log10(norms if direction == "backward" else norms[::-1]))
    expected = [np.mean([profile[lag] for profile in profiles if lag < len(profile)]) for lag in range(lengths.max())]
    np.testing.assert_allclose(rows[0]["mean"], expected, rtol=1e-9)  # type: ignore[arg-type]


def test_what_is_recorded_of_encoder_and_decoder_leaves_each_ones_own_padding_out() -> None:
    made, given = two_parts()
    rows: list[dict[str, object]] = []
    with Recorder(made, Recording(probe_examples=3), Rows(rows), given, 1).watching(0, given):
        run = made.forward(given.inputs, given.lengths, decoder=given.decoder)
        made.backward(run, made.loss(run, given).d_outputs)
    for layer, lengths in ((0, READ), (3, SAID)):
        values: list[np.ndarray] = []
        with made.observe(f"layers.{layer}.forward.gate.output", lambda name, array, values=values: values.append(array[:, 0].copy())):
            for b in range(3):
                one = alone(given, b)
                made.forward(one.inputs, decoder=one.decoder)
        assert [len(one) for one in values] == list(lengths)
        mine = [row for row in rows if (row["layer"], row["direction"], row["point"]) == (layer, "forward", "gate.output")]
        means = next(row["mean"] for row in mine if row.get("quantity") == "gate_mean")
        steps = range(lengths.max())
        np.testing.assert_allclose(means, [np.mean([one[t].mean() for one in values if t < len(one)]) for t in steps])  # type: ignore[arg-type]
        shares = next(row for row in mine if row["table"] == "saturation")
        np.testing.assert_allclose(shares["mean"], np.concatenate(values).mean(axis=0))  # type: ignore[arg-type]
    quantities = {(row["layer"], row["direction"]) for row in rows if row.get("quantity") == "gradient_norm"}
    assert quantities == {(0, "forward"), (0, "backward"), (1, "forward"), (1, "backward"), (2, "forward"), (3, "forward")}


def test_the_probe_keeps_each_parts_own_steps() -> None:
    made, given = two_parts()
    rows: list[dict[str, object]] = []
    Recorder(made, Recording(probe_examples=2, reach_every=0), Rows(rows), given, 1).between(0)
    found = {(row["layer"], row["example"]): len(row["values"]) for row in rows if row["table"] == "probe"}  # type: ignore[arg-type]
    assert found == {(layer, b): 4 * (READ if layer < 2 else SAID)[b] for layer in range(4) for b in range(2)}
    gradient = next(row for row in rows if (row["layer"], row["example"], row["point"], row["gradient"]) == (0, 1, "cell", True))
    one, seen = alone(given, 1), []
    with made.observe("layers.0.forward.cell", lambda name, array: seen.append(array.copy()), gradient=True):
        run = made.forward(one.inputs, decoder=one.decoder)
        made.backward(run, made.loss(run, one, reduction="sum").d_outputs)
    np.testing.assert_allclose(gradient["values"], seen[0].ravel(), rtol=1e-10)  # type: ignore[arg-type]


def test_held_out_accuracy_of_a_decoder_counts_what_is_asked_for() -> None:
    made, given = two_parts()
    outputs = [made.forward(one.inputs, decoder=one.decoder).outputs[:, 0] for one in (alone(given, b) for b in range(3))]
    wanted = np.concatenate([given.targets[:n, b] for b, n in enumerate(SAID)])
    expected = 1 - ((np.concatenate(outputs) - wanted) ** 2).sum() / ((wanted - wanted.mean()) ** 2).sum()
    assert measure(made, given).accuracy == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(("layer", "time"), [(0, 1), (3, 4)])
def test_trouble_in_either_part_is_found_where_it_was_planted(layer: int, time: int) -> None:
    made, given = two_parts()
    spoil = np.eye(12).reshape(12, 3, 4)[6] > 0
    with made.intervene(f"layers.{layer}.forward.candidate", lambda t, array: np.where(spoil, np.inf, array) if t == time else None):
        run = made.forward(given.inputs, given.lengths, decoder=given.decoder)
    found = origin(made, run)
    assert found is not None
    assert (found["layer"], found["direction"], found["time"], found["example"], found["unit"]) == (layer, "forward", time, 1, 2)


class Rows:
    """A sink that keeps rows with their table's name."""

    def __init__(self, rows: list[dict[str, object]]) -> None:
        self.rows = rows

    def append(self, table: str, row: dict[str, object]) -> None:
        self.rows.append(row | {"table": table})


def test_units_of_nan_are_neither_saturated_nor_not() -> None:
    made, rows = network(), []
    made.parameters["layers.0.forward.bias"][:, 1] = np.nan
    given = Batch(np.zeros((3, 2, 2)), np.zeros((3, 2, 2)))

    with Recorder(made, Recording(), Rows(rows), given, 1).watching(0, given):
        made.forward(given.inputs)
    row = next(row for row in rows if row["table"] == "saturation" and row["point"] == "gate.forget")
    for name in ("left", "right", "mean"):
        assert np.isnan(row[name][1])  # type: ignore[index]


def test_padding_is_left_out_of_what_is_recorded_of_a_batch() -> None:
    """Against each sequence run alone."""
    made, rng, lengths, rows = network(), np.random.default_rng(6), np.array([7, 3, 5]), []
    inputs = 3 * rng.normal(size=(7, 3, 2))
    alone: list[np.ndarray] = []
    for b, n in enumerate(lengths):
        with made.observe("layers.0.forward.gate.forget", lambda name, array: alone.append(array[:, 0].copy())):
            made.forward(inputs[:n, [b]])
    given = Batch(inputs, np.zeros((7, 3, 2)), lengths)
    with Recorder(made, Recording(), Rows(rows), given, 1).watching(0, given):
        made.forward(inputs, lengths)
    of_gate = [row for row in rows if (row.get("layer"), row.get("point")) == (0, "gate.forget")]
    found = next(row for row in of_gate if row["table"] == "saturation")
    every = np.concatenate(alone)
    for name, expected in (("left", every < 0.1), ("right", every > 0.9), ("mean", every)):
        np.testing.assert_allclose(found[name], expected.mean(axis=0), rtol=1e-12)  # type: ignore[arg-type]
    means = next(row["mean"] for row in of_gate if row.get("quantity") == "gate_mean")
    np.testing.assert_allclose(means, [np.mean([one[t].mean() for one in alone if t < len(one)]) for t in range(7)])  # type: ignore[arg-type]


def test_norms_around_an_update_by_hand() -> None:
    made, rows = network(), []
    given = Batch(np.zeros((3, 2, 2)), np.zeros((3, 2, 2)))
    recorder, name = Recorder(made, Recording(), Rows(rows), given, 1), "layers.0.forward.weight_hh"
    start = made.parameters[name].copy()
    made.parameters[name] += 0.5
    old, before = made.parameters[name].copy(), {key: np.full_like(array, 3.0) for key, array in made.parameters.items()}
    with recorder.updating(0, before, {key: array / 2 for key, array in before.items()}):
        made.parameters[name] *= 3
    row = next(row for row in rows if (row["parameter"], row["gate"]) == (name, "forget"))
    block, entries = made.model.cell.blocks.index("forget"), np.sqrt(old[0].size)
    weight, distance = np.linalg.norm(old[block]), np.linalg.norm((3 * old - start)[block])
    expected = {"weight": weight, "gradient_before": 3 * entries, "gradient_after": 1.5 * entries, "update": 2 * weight, "ratio": 2.0}
    for column, value in (expected | {"distance": distance}).items():
        assert row[column] == pytest.approx(value), column

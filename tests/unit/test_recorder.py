"""The recorder's parts: schedules, statistics over a batch, reach by lag, the origin of trouble."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradviz.batch import Batch, Signature
from gradviz.cells import CELLS
from gradviz.config import Model, Recording
from gradviz.network import Network
from gradviz.quantities import Observed
from gradviz.recording.reach import measure
from gradviz.recording.recorder import Recorder
from gradviz.recording.statistics import over_batch, over_steps
from gradviz.recording.trouble import origin
from gradviz.schedules import every


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

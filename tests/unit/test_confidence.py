"""The interval of a decay: Student's t against a published table, its coverage by simulation, and where there is none."""

import math
import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradviz.arrays import norm
from gradviz.batch import Batch, Signature
from gradviz.cells import CELLS
from gradviz.config import Model
from gradviz.dynamics.confidence import decay_of, t_quantile
from gradviz.dynamics.decay import decay_per_step
from gradviz.errors import GradvizError, RunError, ShapeError
from gradviz.frames import load
from gradviz.initializers import orthogonal
from gradviz.network import Network
from gradviz.recording import reach
from gradviz.recording.reading import read_table
from gradviz.recording.segments import CHECKSUM, arrow_schema, checksum

RNG = np.random.default_rng
LAGS = np.arange(60)[:, None]
# Two-sided 95 % and 99 %, Fisher and Yates' table as every handbook prints it.
TABLE = {
    1: (12.706, 63.657), 2: (4.303, 9.925), 3: (3.182, 5.841), 4: (2.776, 4.604), 5: (2.571, 4.032), 6: (2.447, 3.707), 7: (2.365, 3.499),
    8: (2.306, 3.355), 9: (2.262, 3.250), 10: (2.228, 3.169), 15: (2.131, 2.947), 20: (2.086, 2.845), 29: (2.045, 2.756),
    30: (2.042, 2.750), 40: (2.021, 2.704), 60: (2.000, 2.660), 120: (1.980, 2.617),
}  # fmt: skip


@pytest.mark.parametrize("freedom", TABLE)
def test_student_s_table(freedom: int) -> None:
    assert (t_quantile(freedom), t_quantile(freedom, 0.99)) == pytest.approx(TABLE[freedom], abs=5.1e-4)


def test_student_s_two_closed_forms_and_its_limit() -> None:
    assert t_quantile(1, 0.9) == pytest.approx(math.tan(math.pi * 0.45), rel=1e-12)
    assert t_quantile(2, 0.9) == pytest.approx(0.9 * math.sqrt(2 / (1 - 0.81)), rel=1e-12)
    assert t_quantile(100_000) == pytest.approx(1.9599639845, abs=1e-4)
    with pytest.raises(GradvizError, match="at least 1"):
        t_quantile(0)
    with pytest.raises(GradvizError, match="between 0 and 1"):
        t_quantile(3, 1.0)


@given(st.floats(0.01, 3.0), st.integers(3, 20), st.integers(8, 60))
def test_equal_sequences_have_an_interval_without_width(base: float, count: int, lags: int) -> None:
    offsets = np.linspace(-9, 9, count)  # how large a gradient is says nothing of how fast it fades
    found = decay_of(LAGS[:lags] * math.log10(base) + offsets)
    assert (found.per_step, found.low, found.high) == pytest.approx((base,) * 3, rel=1e-12)
    assert (found.sequences, found.left_out, found.lags, found.said) == (count, 0, lags - 5, "")


def test_the_interval_is_student_s() -> None:
    bases = np.array([0.90, 0.92, 0.95, 0.97])
    found = decay_of(LAGS * np.log10(bases))
    logs = np.log10(bases)
    half = 3.182446305 * logs.std(ddof=1) / 2
    assert (found.low, found.high) == pytest.approx((10 ** (logs.mean() - half), 10 ** (logs.mean() + half)))
    assert found.per_step == pytest.approx(np.prod(bases) ** 0.25)
    assert found.half_life_interval == pytest.approx((math.log(0.5) / math.log(found.low), math.log(0.5) / math.log(found.high)))
    assert found.half_life_interval[0] < found.half_life < found.half_life_interval[1]


@pytest.mark.parametrize("count", [3, 8, 64])
def test_the_interval_holds_the_truth_as_often_as_it_says(count: int) -> None:
    rng, hits, draws = RNG(count), 0, 1000
    for _ in range(draws):
        slopes = math.log10(0.93) + 0.02 * rng.standard_normal(count)
        found = decay_of(LAGS[:16] * slopes)
        hits += found.low <= 0.93 <= found.high
    assert hits / draws == pytest.approx(0.95, abs=0.02)


def test_with_equal_ends_it_is_the_slope_of_the_mean_profile() -> None:
    profiles = RNG(0).normal(size=(60, 9)).cumsum(axis=0)
    assert decay_of(profiles).per_step == pytest.approx(decay_per_step(profiles.mean(axis=1)), rel=1e-12)


def test_with_different_ends_each_sequence_counts_once() -> None:
    """Three short ones that fade fast and one long one that does not: the mean profile's far lags are those of the long one alone."""
    profiles = LAGS * np.log10([0.5, 0.5, 0.5, 1.0])
    profiles[20:, :3] = np.nan
    assert decay_of(profiles).per_step == pytest.approx(0.5**0.75)
    assert decay_per_step(np.nanmean(profiles, axis=1)) > 1.05


def test_sequences_without_a_line_are_left_out_and_counted() -> None:
    profiles = np.tile(LAGS * math.log10(0.8), (1, 6))
    profiles[7:, 0], profiles[6, 1] = -np.inf, np.nan
    found = decay_of(profiles)
    assert (found.per_step, found.sequences, found.left_out) == (pytest.approx(0.8), 4, 2)
    profiles[7:, 2:4] = -np.inf
    found = decay_of(profiles)
    assert math.isnan(found.per_step)
    assert (found.sequences, found.left_out) == (2, 4)
    assert "2 of 6 sequences" in found.said


@pytest.mark.parametrize("shape", [(60, 2), (7, 10), (0, 5), (60, 0)])
def test_too_little_is_not_enough_data(shape: tuple[int, int]) -> None:
    found = decay_of(np.zeros(shape))
    assert np.isnan([found.per_step, found.low, found.high, found.half_life]).all()
    assert found.said.startswith("not enough data")


def test_what_survives_is_not_taken_for_all() -> None:
    """Seven sequences whose gradient is exactly zero and three that keep theirs: an interval of the three would praise the network."""
    profiles = np.full((60, 10), -np.inf)
    profiles[0], profiles[:, :3] = 0.0, 0.0
    assert decay_of(profiles).said.startswith("not enough data: 3 of 10")


def test_bad_shape_is_said() -> None:
    with pytest.raises(ShapeError, match=r"must be \(lag, sequence\)"):
        decay_of(np.zeros(9))


# ------------------------------------------------------------------ in runs


@pytest.mark.parametrize("scale", [1.0, 0.9, 1.1])
def test_scaled_orthogonal_networks_decay_by_their_scale(scale: float) -> None:
    """At h = 0 a tanh network is linear: oracle 1 and 2, by the recorder's own way."""
    network = Network(Model(CELLS["rnn"](), units=6), Signature(1, 2, False, "squared", "last"), dtype="float64")
    for name, array in network.parameters.items():
        array[...] = scale * orthogonal(array.shape, RNG(0)) if name.endswith("weight_hh") else 0
    network.parameters["readout.weight"][...] = RNG(1).standard_normal((6, 2))
    batch = Batch(np.zeros((30, 8, 1)), RNG(2).standard_normal((8, 2)))
    (row,) = reach.measure(network, batch).reach
    assert (row["decay"], row["decay_low"], row["decay_high"]) == pytest.approx((scale,) * 3, rel=1e-10)
    assert row["sequences"] == 8


@pytest.mark.parametrize("at", ["every", "last"])
def test_padding_is_no_part_of_a_sequence(at: str) -> None:
    """Each row against one sequence at a time, without any padding, and the whole fit again by NumPy's polyfit."""
    network = Network(Model(CELLS["rnn"](), units=5), Signature(2, 3, False, "squared", at), dtype="float64", seed=3)
    inputs, lengths = RNG(0).standard_normal((25, 5, 2)), np.array([25, 12, 9, 20, 7])
    targets = RNG(1).standard_normal((25, 5, 3))
    targets = targets[-1] if at == "last" else targets
    (row,) = reach.measure(network, Batch(inputs, targets, lengths)).reach
    slopes = []
    for k, length in enumerate(lengths):
        part = Batch(inputs[:length, k : k + 1], targets[k : k + 1] if at == "last" else targets[:length, k : k + 1])
        run = network.forward(part.inputs)
        d_outputs = network.loss(run, part).d_outputs
        d_outputs[:-1] = 0
        network.backward(run, d_outputs)
        profile = np.log10(norm(run.tapes["layers.0.forward"].gradients("hidden")[::-1, 0], axis=1))
        if length >= 8:
            slopes.append(np.polyfit(np.arange(5, length), profile[5:], 1)[0])
    half = t_quantile(3) * np.std(slopes, ddof=1) / 2
    assert row["sequences"] == 4
    assert (row["decay_low"], row["decay_high"]) == pytest.approx((10 ** (np.mean(slopes) - half), 10 ** (np.mean(slopes) + half)))


def test_a_trained_run_has_intervals(trained: Path) -> None:
    table = load(trained / "text-lstm").table("reach")
    assert (table["sequences"] == 8).all()
    assert ((table["decay_low"] < table["decay"]) & (table["decay"] < table["decay_high"])).all()


def as_before(path: Path, version: int, dropped: tuple[str, ...] = ()) -> None:
    """Write a segment again as an earlier version did, with checksums of its own."""
    wanted = arrow_schema("reach", version)
    fields = [field for field in wanted if field.name not in dropped]
    with pa.ipc.open_stream(path.read_bytes()) as reader:
        batches = [batch for batch, _ in reader.iter_batches_with_custom_metadata()]
    schema = pa.schema(fields, metadata=wanted.metadata)
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_stream(sink, schema) as writer:
        for batch in batches:
            kept = batch.select([field.name for field in fields]).cast(schema)
            writer.write_batch(kept, custom_metadata={CHECKSUM: checksum(kept)})


def test_runs_of_before_have_no_interval(trained: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(trained / "text-lstm", tmp_path / "run"))
    new = read_table(folder, "reach")
    (path,) = (folder / "tables").glob("reach-*")
    as_before(path, 2)
    old = read_table(folder, "reach")
    assert old.schema.equals(new.schema)
    for name in new.column_names:
        if name in ("decay_low", "decay_high", "sequences"):
            assert np.isnan(old[name].to_numpy()).all()
        else:
            assert old[name].equals(new[name])
    shutil.copy(next((trained / "text-lstm" / "tables").glob("reach-*")), path)
    as_before(path, 2, ("decay",))
    with pytest.raises(RunError, match="its columns are not those of the table"):
        read_table(folder, "reach")

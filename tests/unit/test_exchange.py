"""Runs for other tools: TensorBoard's event files, read back, and xarray's labelled arrays."""

import struct
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gradviz
from gradviz.dynamics.decay import decay_per_step
from gradviz.errors import GradvizError
from gradviz.exchange import import_csv, to_xarray
from gradviz.exchange.tensorboard import FILE
from gradviz.export import export_run
from gradviz.frames import Run, load
from tests import logs
from tests.synthetic import Variant, make_run

Events = dict[str, list[tuple[int, float, Any]]]
VARIANT = Variant(time=6, units=3, zero_from=3, bad_from=4, layers=2, direction="both")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Two layers, both directions, with NaN from step 4 on and exact zeros in its profiles."""
    return load(make_run(tmp_path_factory.mktemp("runs") / "run", "gru", True, steps=6, variant=VARIANT))


@pytest.fixture(scope="module")
def events(run: Run, tmp_path_factory: pytest.TempPathFactory) -> Events:
    pytest.importorskip("tensorboardX", reason="tensorboardX is not installed: pip install -e '.[test]'")
    return read(export_run(run, tmp_path_factory.mktemp("events"), "tensorboard")[0])


def read(path: Path) -> Events:
    """By tag: step, time and value. The record format by hand: length, its checksum, message, its checksum."""
    from tensorboardX.proto.event_pb2 import Event

    data, at, found = path.read_bytes(), 0, dict[str, list[tuple[int, float, Any]]]()
    while at < len(data):
        (length,) = struct.unpack_from("<Q", data, at)
        event = Event.FromString(data[at + 12 : at + 12 + length])
        at += 16 + length
        for value in event.summary.value:
            said = value.histo if value.HasField("histo") else value.simple_value
            found.setdefault(value.tag, []).append((event.step, event.wall_time, said))
    return found


def series(events: Events, tag: str) -> tuple[list[int], list[float]]:
    return [step for step, _, _ in events[tag]], [value for _, _, value in events[tag]]


def test_scalars_are_the_numbers_of_the_run_at_its_steps(run: Run, events: Events) -> None:
    for tag, column in {"training/loss": "loss", "clipping/norm_before": "norm_before", "clipping/norm_after": "norm_after"}.items():
        steps, values = series(events, tag)
        assert steps == run.steps["step"].tolist()
        np.testing.assert_array_equal(np.float32(values), run.steps[column].to_numpy(np.float32))
    assert np.isnan(series(events, "training/loss")[1][4:]).all(), "NaN is written, not left out"
    assert set(series(events, "clipping/threshold")[1]) == {np.float32(run.steps["threshold"][0])}
    assert "training/penalty" not in events, "a NaN there says that there is none"
    parameters = run.parameters
    one = parameters[(parameters["parameter"] == "layers.1.backward.weight_hh") & (parameters["gate"] == "reset")]
    np.testing.assert_array_equal(
        np.float32(series(events, "parameters_ratio/layers.1.backward.weight_hh.reset")[1]), np.float32(one["ratio"])
    )


def test_reach_and_gates(run: Run, events: Events) -> None:
    rows = run.table("reach")
    mine = rows[(rows["layer"] == 1) & (rows["direction"] == "forward") & (rows["point"] == "hidden")]
    steps, values = series(events, "reach_decay/layers.1.forward.hidden")
    assert steps == mine["step"].tolist()
    np.testing.assert_allclose(values, [decay_per_step(mean) for mean in mine["mean"]], rtol=1e-6)
    gates = run.timesteps
    gates = gates[
        (gates["layer"] == 0) & (gates["direction"] == "forward") & (gates["point"] == "gate.update") & (gates["quantity"] == "gate_mean")
    ]
    np.testing.assert_allclose(
        series(events, "time_steps_gate_mean/layers.0.forward.gate.update")[1], gates.groupby("step")["mean"].mean(), rtol=1e-6
    )


def test_wall_times_are_those_of_the_run(run: Run, events: Events) -> None:
    from datetime import UTC, datetime

    began = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC).timestamp()
    np.testing.assert_allclose([time - began for _, time, _ in events["training/loss"]], run.steps["seconds"], atol=1e-6)


def test_histograms_count_every_value(run: Run, events: Events) -> None:
    for tag in (tag for tag in events if tag.startswith("units_") and "_not_finite/" not in tag):
        for _, _, histogram in events[tag]:
            assert sum(histogram.bucket) == histogram.num <= VARIANT.units
    probed = run.probe(0, 0, "hidden", layer=1), run.probe(0, 1, "hidden", layer=1)
    values = np.concatenate([array.ravel() for array in probed])
    step, _, histogram = events["probe_activation/layers.1.forward.hidden"][0]
    ends = np.r_[-np.inf, list(histogram.bucket_limit)[:-1], np.inf]
    assert (step, histogram.num, len(histogram.bucket)) == (0, len(values), 30)
    np.testing.assert_allclose([histogram.min, histogram.max, histogram.sum], [values.min(), values.max(), values.sum()], rtol=1e-9)
    np.testing.assert_array_equal(np.cumsum(histogram.bucket)[:-1], [(values < end).sum() for end in ends[1:-1]])


def test_gradients_are_sorted_by_their_size(run: Run, events: Events) -> None:
    """A profile that falls by decades would be one bucket otherwise; exact zeros have no logarithm."""
    pulls = np.concatenate([run.probe(0, example, "hidden", gradient=True).ravel() for example in (0, 1)])
    sizes = np.log10(np.abs(pulls[pulls != 0]))
    assert 0 < len(sizes) < len(pulls)
    _, _, histogram = events["probe_log10_gradient/layers.0.forward.hidden"][0]
    np.testing.assert_allclose([histogram.num, histogram.min, histogram.max], [len(sizes), sizes.min(), sizes.max()], rtol=1e-12)


def test_what_is_not_finite_is_counted_beside_its_histogram(tmp_path: Path) -> None:
    from gradviz.exchange._histograms import _finite

    found = list(_finite("probe_activation/layers.0.forward.hidden", 3, np.array([1.0, np.nan, np.inf, 2.0])))
    assert [(item.tag, item.step) for item in found] == [
        ("probe_activation/layers.0.forward.hidden", 3),
        ("probe_activation_not_finite/layers.0.forward.hidden", 3),
    ]
    assert found[0].values.tolist() == [1.0, 2.0]
    assert found[1].value == 2.0


def test_norms_beyond_single_precision_are_no_zeros_and_no_infinities(tmp_path: Path) -> None:
    pytest.importorskip("tensorboardX")
    (tmp_path / "log.csv").write_text("step,grad_norm\n0,1e-60\n1,1e60\n2,inf\n3,0\n4,nan\n5,10\n")
    found = read(export_run(load(import_csv(tmp_path / "log.csv", tmp_path / "run")), tmp_path / "out", "tensorboard")[0])
    assert series(found, "clipping/norm_before")[0] == [2, 3, 4, 5]
    np.testing.assert_array_equal(series(found, "clipping/norm_before")[1], [np.inf, 0, np.nan, 10])
    assert series(found, "clipping/log10_norm_before") == ([0, 1, 5], [-60.0, 60.0, 1.0])
    assert not any(tag.startswith("training/loss") for tag in found), "nobody measured a loss"


def test_tensorboard_itself_reads_it(run: Run, events: Events, tmp_path: Path) -> None:
    reader = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator", reason="tensorboard is not installed")
    export_run(run, tmp_path, "tensorboard")
    opened = reader.EventAccumulator(str(tmp_path), size_guidance={"scalars": 0, "histograms": 0})
    opened.Reload()
    tags = opened.Tags()
    assert sorted([*tags["scalars"], *tags["histograms"]]) == sorted(events)
    np.testing.assert_array_equal([item.value for item in opened.Scalars("training/loss")], series(events, "training/loss")[1])
    assert opened.Histograms("probe_activation/layers.1.forward.hidden")[0].histogram_value.num == 2 * 6 * 3


def test_tables_are_chosen_and_nothing_is_overwritten(run: Run, tmp_path: Path) -> None:
    pytest.importorskip("tensorboardX")
    (path,) = export_run(run, tmp_path, "tensorboard", ["held_out"])
    assert [item.name for item in tmp_path.iterdir()] == [FILE]
    assert set(read(path)) == {"held_out/loss", "held_out/accuracy"}
    with pytest.raises(GradvizError, match=r"events\.out\.tfevents\.gradviz exists already"):
        export_run(run, tmp_path, "tensorboard")
    once = export_run(run, tmp_path, "tensorboard", force=True)[0].read_bytes()
    assert export_run(run, tmp_path, "tensorboard", force=True)[0].read_bytes() == once
    with pytest.raises(GradvizError, match="unknown table 'stpes'"):
        export_run(run, tmp_path / "new", "tensorboard", ["stpes"])
    (tmp_path / "file").write_text("")
    with pytest.raises(GradvizError, match=r"cannot write .*file/events"):
        export_run(run, tmp_path / "file", "tensorboard")


def test_without_the_packages_the_extra_is_named(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.split(".")[0] in ("tensorboardX", "xarray")]:
        monkeypatch.delitem(sys.modules, name)
    for name in ("tensorboardX", "xarray"):
        monkeypatch.setitem(sys.modules, name, None)  # importing it is an ImportError
    with pytest.raises(GradvizError, match=r"need the package tensorboardX: .*with its extra tensorboard"):
        export_run(run, tmp_path / "new", "tensorboard")
    assert not (tmp_path / "new").exists()
    with pytest.raises(GradvizError, match=r"need the package xarray: .*with its extra xarray"):
        to_xarray(run)


def test_the_command(gradviz, here: Path, run: Run) -> None:
    pytest.importorskip("tensorboardX")
    status, out, err = gradviz("runs", "export", str(run.path), "--to", "logs/run", "--format", "tensorboard")
    assert status == 0, err
    assert f"written: logs/run/{FILE}" in out
    assert "training/loss" in read(here / "logs" / "run" / FILE)


# ---------------------------------------------------------------------- xarray


@pytest.fixture
def tree(run: Run) -> Any:
    pytest.importorskip("xarray", reason="xarray is not installed: pip install -e '.[test]'")
    return gradviz.to_xarray(run)


def test_every_recorded_number_stands_at_its_labels(run: Run, tree: Any) -> None:
    assert tree["timesteps"].sizes["time"] == tree["reach"].sizes["lag"] == 6
    for row in run.table("timesteps").itertuples():
        at = {"step": row.step, "layer": row.layer, "direction": row.direction, "point": row.point, "quantity": row.quantity}
        chosen = tree["timesteps"].to_dataset().sel(at)
        np.testing.assert_array_equal(chosen["mean"], row.mean)
        assert int(chosen["entries"]) == len(row.mean)
    counted = int((tree["timesteps"]["entries"] > 0).sum())
    assert counted == len(run.table("timesteps")), "holes are told from rows"
    hidden = tree["probe"].to_dataset().sel(step=0, layer=1, direction="backward", point="hidden", example=1, gradient=True)
    np.testing.assert_array_equal(
        hidden["values"].transpose("time", "unit"), run.probe(0, 1, "hidden", gradient=True, layer=1, direction="backward")
    )


def test_dtypes_units_and_meanings(run: Run, tree: Any) -> None:
    steps = tree["steps"]
    np.testing.assert_array_equal(steps["loss"], run.steps["loss"])
    assert (steps["clipped"].dtype, steps["tokens"].dtype) == (np.dtype(bool), np.dtype("int64"))
    assert (steps["loss"].attrs["units"], steps["seconds"].attrs["units"]) == ("nats", "s")
    assert "global norm" in steps["norm_before"].attrs["long_name"]
    assert tree.attrs["run"] == steps.attrs["run"] == run.name
    assert all(variable.attrs["long_name"] for node in tree.children.values() for variable in node.data_vars.values())


def test_one_table_and_what_cannot_be(run: Run, tree: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert to_xarray(run, "reach").identical(tree["reach"].to_dataset())
    with pytest.raises(GradvizError, match="unknown table 'trouble'"):
        to_xarray(run, "trouble")
    monkeypatch.setattr("gradviz.exchange.labelled.MOST", 100)
    with pytest.raises(GradvizError, match=r"as one array, column low would take|as one array, column mean would take"):
        to_xarray(run, "timesteps")


def test_runs_without_rows(tmp_path: Path) -> None:
    pytest.importorskip("xarray")
    bare = load(import_csv(logs.bare(tmp_path), tmp_path / "bare"))
    empty = to_xarray(bare)
    assert empty["reach"].sizes["lag"] == 0
    assert empty["steps"].sizes["step"] == len(bare.steps)

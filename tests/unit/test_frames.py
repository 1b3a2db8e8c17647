"""Runs as frames: columns, tidy forms, labels, and reading while another process writes."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gradviz.errors import GradvizError, RunError
from gradviz.frames import Run, explode, label_runs, load, load_runs, meanings
from gradviz.recording.schema import TABLES
from gradviz.recording.segments import is_list
from gradviz.recording.store import RunWriter
from tests.synthetic import Variant, make_run


@pytest.fixture(scope="module")
def lstm(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return load(make_run(tmp_path_factory.mktemp("runs") / "lstm", "lstm", steps=20, variant=Variant(time=12, bad_from=15, layers=2)))


@pytest.mark.parametrize("table", TABLES)
def test_wide_frames_have_the_columns_of_the_schema(table: str, lstm: Run) -> None:
    frame = lstm.table(table)
    assert list(frame.columns) == [item.name for item in TABLES[table]]
    assert len(frame)
    assert meanings(table).keys() == set(frame.columns)


@pytest.mark.parametrize("table", TABLES)
def test_tidy_frames_are_what_pandas_makes_of_the_wide_ones(table: str, lstm: Run) -> None:
    lists = [item.name for item in TABLES[table] if is_list(item)]
    tidy, wide = lstm.tidy(table), lstm.table(table)
    expected = wide.explode(lists, ignore_index=True) if lists else wide
    assert len(tidy) == len(expected)
    for column in wide.columns:
        kind = np.float64 if column in lists else tidy[column].dtype
        pd.testing.assert_series_equal(tidy[column], expected[column].astype(kind), check_index=False)


def test_entries_are_numbered(lstm: Run) -> None:
    for _, part in lstm.timesteps.groupby(["step", "layer", "direction", "point", "quantity"]):
        assert part["time"].tolist() == list(range(12))
        assert part["lag"].tolist() == list(range(11, -1, -1))
    for _, part in lstm.reach.groupby(["step", "layer", "direction", "point"]):
        assert part["lag"].tolist() == list(range(12))
    probe = lstm.tidy("probe")
    for _, part in probe.groupby(["step", "layer", "direction", "point", "example", "gradient"]):
        assert list(zip(part["time"], part["unit"], strict=True)) == [(t, u) for t in range(12) for u in range(8)]
    assert lstm.tidy("saturation")["unit"].max() == 7


def test_lists_of_different_lengths_and_none_at_all() -> None:
    where = {"step": 0, "layer": 0, "direction": "forward", "point": "hidden", "quantity": "q"}
    rows = [{**where, **dict.fromkeys(("mean", "low", "median", "high"), np.array(series))} for series in ([1.0, np.nan], [], [-np.inf])]
    tidy = explode("timesteps", pd.DataFrame(rows))
    assert tidy["time"].tolist() == [0, 1, 0]
    assert tidy["lag"].tolist() == [1, 0, 0]
    np.testing.assert_array_equal(tidy["mean"], [1.0, np.nan, -np.inf])
    assert explode("timesteps", pd.DataFrame(rows[1:2])).empty


def test_what_is_not_finite_arrives(tmp_path: Path) -> None:
    run = load(make_run(tmp_path / "zero", steps=10, variant=Variant(time=10, zero_from=4, bad_from=8)))
    reach = run.reach
    assert np.isneginf(reach[(reach["step"] == 0) & (reach["lag"] >= 4)]["mean"]).all()
    assert np.isfinite(reach[(reach["step"] == 0) & (reach["lag"] < 4)]["mean"]).all()
    assert reach[reach["step"] >= 8]["mean"].isna().all()
    assert run.trouble.to_dict("records")[0]["value"] == "nan"
    assert run.steps["loss"].isna().tolist() == [False] * 8 + [True] * 2


def test_the_probe_is_the_array_that_was_recorded(tmp_path: Path) -> None:
    array = np.random.default_rng(0).normal(size=(7, 3)) * 1e-200
    where = {"layer": 1, "direction": "backward", "point": "cell", "gradient": True, "units": 3}
    with RunWriter.create(tmp_path / "run", {"probe": {"words": [["a"], None]}}) as writer:
        for step, example in ((0, 0), (0, 1), (5, 1)):
            writer.append("probe", {"step": step, "example": example, **where, "values": (array + step + example).ravel()})
    run = load(tmp_path / "run")
    np.testing.assert_array_equal(run.probe(0, 0, "cell", gradient=True, layer=1, direction="backward"), array)
    np.testing.assert_array_equal(run.probe(5, 1, "cell", gradient=True, layer=1, direction="backward"), array + 6)
    assert run.probe_steps == [0, 5]
    assert (run.words(0), run.words(1), run.words(2)) == (["a"], None, None)
    with pytest.raises(
        RunError, match=r"no probe of step 0, example 0, point cell, gradient False.*There is: step 0, 5; example 0, 1; point cell"
    ):
        run.probe(0, 0, "cell")


def test_a_run_that_has_only_begun_has_empty_frames(tmp_path: Path) -> None:
    RunWriter.create(tmp_path / "run", {}).close()
    run = load(tmp_path / "run")
    assert (run.status, run.family, run.clipped, run.notes) == ("running", "other", False, [])
    for table in TABLES:
        assert run.table(table).empty
        assert set(run.table(table).columns) <= set(run.tidy(table).columns) | {"mean"}
    assert (run.reach_steps, run.probe_steps, run.words(0)) == ([], [], None)
    with pytest.raises(RunError, match=r"No probe was recorded: set Recording\.probe_every"):
        run.probe(0, 0, "hidden")
    with pytest.raises(RunError, match="weights are written at the end"):
        run.weights()


def test_rows_that_are_added_are_seen_by_the_same_run(tmp_path: Path) -> None:
    writer = RunWriter.create(tmp_path / "run", {})
    run, lengths = load(tmp_path / "run"), []
    for step in range(3):
        writer.append("held_out", {"step": step, "loss": 1.0, "accuracy": 0.5})
        writer.flush()
        lengths.append(len(run.held_out))
    assert lengths == [1, 2, 3]
    writer.finish()


def test_frames_handed_out_are_the_callers_own(lstm: Run) -> None:
    for frame in (lstm.steps, lstm.reach):
        frame.iloc[:, -1] = 0.0
    for frame in (lstm.steps, lstm.reach):
        assert (frame.iloc[:, -1] != 0).all()


def test_lost_rows_are_noted(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "run", steps=20)
    assert load(folder).notes == []
    segment = folder / "tables" / "steps-0001.arrows"
    segment.write_bytes(segment.read_bytes()[:-20])
    (note,) = load(folder).notes
    assert "table steps has 0 of 20 rows" in note
    assert "bytes of steps-0001.arrows are not a whole batch" in note


def test_labels_and_order(tmp_path: Path) -> None:
    for family in ("lstm", "gru", "rnn"):
        for clipped in (True, False):
            make_run(tmp_path / f"{family}-{clipped}", family, clipped, steps=0)
    runs = load_runs(tmp_path)
    assert [run.label for run in runs] == [
        "RNN, not clipped", "RNN, clipped", "GRU, not clipped", "GRU, clipped", "LSTM, not clipped", "LSTM, clipped",
    ]  # fmt: skip
    assert [run.clipped for run in runs] == [False, True] * 3
    assert [run.label for run in load_runs(reversed([run.path for run in runs]))] == [run.label for run in runs]


def test_labels_grow_only_as_far_as_needed(tmp_path: Path) -> None:
    make_run(tmp_path / "t1", "rnn", True, "text", steps=0)
    make_run(tmp_path / "a1", "rnn", True, "adding", steps=0)
    make_run(tmp_path / "t2", "rnn", False, "text", steps=0, variant=Variant(layers=2, direction="both"))
    make_run(tmp_path / "t3", "rnn", False, "text", steps=0)
    make_run(tmp_path / "t4", "rnn", False, "text", steps=0, variant=Variant(direction="backward"))
    make_run(tmp_path / "g1", "gru", False, "text", steps=0)
    make_run(tmp_path / "g2", "gru", False, "text", steps=0, variant=Variant(seed=1))
    make_run(tmp_path / "sub" / "l", "lstm", steps=0)
    make_run(tmp_path / "sub2" / "l", "lstm", steps=0)
    assert {run.label for run in load_runs(tmp_path)} == {
        "RNN, clipped, text", "RNN, clipped, adding",
        "RNN, not clipped, 2 layers, both directions", "RNN, not clipped, 1 layer", "RNN, not clipped, 1 layer, read backward",
        "GRU, not clipped, g1", "GRU, not clipped, g2",
        f"LSTM, not clipped, {tmp_path}/sub/l", f"LSTM, not clipped, {tmp_path}/sub2/l",
    }  # fmt: skip
    alone = load(tmp_path / "t1")
    assert alone.label == "RNN, clipped"
    assert [run.label for run in label_runs([alone, alone])] == ["RNN, clipped (1)", "RNN, clipped (2)"]


def test_entries_this_gradviz_does_not_know_have_a_label(tmp_path: Path) -> None:
    experiment = {"model": {"cell": {"name": "my_cell"}}, "training": {"clipping": {"name": "my_rule"}}}
    RunWriter.create(tmp_path / "run", {"experiment": experiment, "family": "mine"}).finish()
    run = load(tmp_path / "run")
    assert (run.family, run.clipped, run.label) == ("other", True, "my_cell, clipped")
    with pytest.raises(GradvizError, match="my_cell"):
        _ = run.experiment


def test_the_experiment_comes_back(lstm: Run) -> None:
    experiment = lstm.experiment
    assert experiment.to_dict() == lstm.meta["experiment"]
    assert (experiment.task.length, experiment.model.layers) == (12, 2)
    assert {name.split(".")[0] for name in lstm.weights()} == {"layers", "readout"}


def test_what_is_not_there_is_said(tmp_path: Path, lstm: Run) -> None:
    with pytest.raises(GradvizError, match=r"unknown table 'timestep'\. Did you mean 'timesteps'"):
        lstm.table("timestep")
    with pytest.raises(GradvizError, match="unknown table"):
        lstm.tidy("x")
    with pytest.raises(RunError, match="is not a run folder"):
        load_runs(tmp_path)
    with pytest.raises(RunError, match="there is no folder"):
        load_runs(tmp_path / "none")
    assert load_runs([]) == []
    assert replace(lstm, path=tmp_path / "gone").steps.empty


def test_a_real_run(trained: Path) -> None:
    runs = load_runs(trained)
    assert [run.label for run in runs] == ["RNN, clipped", "LSTM, not clipped"]
    for run in runs:
        assert run.notes == []
        assert len(run.steps) == run.meta["updates_done"] == 12
        assert run.probe(0, 0, "hidden").shape == (20, 8)
        words = run.words(0)
        assert words is not None
        assert len(words) == 20
        assert set(run.reach["lag"]) == set(range(20))

"""What is written to a run's folder, and what happens when writing goes wrong."""

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gradviz.errors import GradvizError, RunError
from gradviz.recording import store
from gradviz.recording.reading import note, read_meta, read_table, read_weights
from gradviz.recording.schema import TABLES
from gradviz.recording.segments import is_list
from gradviz.recording.store import RunWriter

SPECIAL = [0.0, -0.0, float("nan"), float("inf"), float("-inf"), 5e-324, 1.7e308, -1e-300]
SCALARS: dict[str, st.SearchStrategy[Any]] = {
    "int16": st.integers(-(2**15), 2**15 - 1),
    "int32": st.integers(-(2**31), 2**31 - 1),
    "int64": st.integers(-(2**63), 2**63 - 1),
    "double": st.sampled_from(SPECIAL) | st.floats(),
    "bool": st.booleans(),
    "string": st.text(st.characters(exclude_categories=["Cs"])),
}


def rows_of(table: str) -> st.SearchStrategy[dict[str, Any]]:
    def row(length: int) -> st.SearchStrategy[dict[str, Any]]:
        lists = st.lists(SCALARS["double"], min_size=length, max_size=length)
        return st.fixed_dictionaries({item.name: lists if is_list(item) else SCALARS[item.type] for item in TABLES[table]})

    return st.integers(0, 6).flatmap(row)


def held_out(step: int, loss: float = 1.0) -> dict[str, Any]:
    return {"step": step, "loss": loss, "accuracy": 0.5}


def exact(rows: list[dict[str, Any]]) -> list[dict[str, str]]:
    """Something that is equal if every bit is, apart from which NaN it is."""
    return [{name: repr(value) for name, value in row.items()} for row in rows]


@pytest.mark.parametrize("table", TABLES)
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_what_goes_in_comes_out(table: str, data: st.DataObject, tmp_path: Path) -> None:
    rows = data.draw(st.lists(rows_of(table), max_size=5))
    with RunWriter.create(tmp_path / "run", {}, force=True) as writer:
        for row in rows:
            writer.append(table, row)
            if data.draw(st.booleans()):
                writer.flush()
    read = read_table(tmp_path / "run", table)
    assert exact(read.to_pylist()) == exact(rows)
    assert note(read) == ""
    assert not any(column.null_count for column in read.columns)


def test_a_row_is_copied(tmp_path: Path) -> None:
    series = np.array([1.0, 2.0])
    where = {
        "step": 0,
        "layer": 0,
        "direction": "forward",
        "point": "hidden",
        "decay": 0.5,
        "decay_low": 0.4,
        "decay_high": 0.6,
        "sequences": 8.0,
    }
    with RunWriter.create(tmp_path / "run", {}) as writer:
        writer.append("reach", {**where, **dict.fromkeys(("mean", "low", "median", "high"), series)})
        series[:] = 7.0
    assert read_table(tmp_path / "run", "reach")["mean"].to_pylist() == [[1.0, 2.0]]


def test_rows_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    with RunWriter.create(tmp_path / "run", {}) as writer:
        with pytest.raises(GradvizError, match="missing or extra columns: accuracy, looss, loss"):
            writer.append("held_out", {"step": 0, "looss": 1.0})
        with pytest.raises(GradvizError, match=r"of one length; they have shapes \[\(2,\), \(1,\)"):
            writer.append(
                "saturation", {"step": 0, "layer": 0, "direction": "f", "point": "hidden", "left": [0, 1], "right": [0], "mean": [0]}
            )
        with pytest.raises(GradvizError, match=r"unknown table 'step'.*Did you mean 'steps'"):
            writer.append("step", {})


@pytest.mark.parametrize(("name", "limit", "expected"), [("ROWS", 3, 9), ("BYTES", 200, 8), ("SECONDS", 0.0, 10)])
def test_rows_are_written_when_enough_have_gathered(
    name: str, limit: float, expected: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "SECONDS", 1e9)
    monkeypatch.setattr(store, name, limit)  # 200 bytes: a row of three scalars counts 48, so every fifth append is too much
    writer = RunWriter.create(tmp_path / "run", {})
    for step in range(10):
        writer.append("held_out", held_out(step))
    on_disk = len(read_table(tmp_path / "run", "held_out"))
    assert on_disk == {"ROWS": 9, "BYTES": 10, "SECONDS": 10}[name]
    writer.finish()
    assert len(read_table(tmp_path / "run", "held_out")) == 10


def test_a_folder_that_holds_a_run_is_refused_and_force_removes_only_the_run(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with RunWriter.create(folder, {"lag": 1}) as writer:
        writer.append("held_out", held_out(0))
        writer.append("steps", dict.fromkeys((item.name for item in TABLES["steps"]), 0) | {"clipped": True})
        writer.save_weights({"readout.bias": np.zeros(2)})
    foreign = [
        folder / "notes.txt",
        folder / "tables" / "mine.arrows",
        folder / "tables" / "held_out-copy.arrows",
        folder / "tables" / "held_out-0001.csv",
        folder / "run.json.bak",
    ]
    for path in foreign:
        path.write_text("mine")
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    with pytest.raises(RunError, match=r"holds a run already; choose another name, or --force"):
        RunWriter.create(folder, {})
    assert before == {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    RunWriter.create(folder, {"lag": 2}, force=True).finish()
    assert {path for path in folder.rglob("*") if path.is_file()} == {*foreign, folder / "run.json"}
    assert read_meta(folder)["lag"] == 2
    assert all(path.read_text() == "mine" for path in foreign)


def test_force_does_not_reach_through_a_link(tmp_path: Path) -> None:
    other = tmp_path / "other"
    with RunWriter.create(other, {}) as writer:
        writer.append("held_out", held_out(3))
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "tables").symlink_to(other / "tables")
    (tmp_path / "run" / "run.json").symlink_to(other / "run.json")
    with pytest.raises(RunError, match=r"run/tables is a link; gradviz writes into folders of its own only"):
        RunWriter.create(tmp_path / "run", {}, force=True)
    assert read_meta(other)["name"] == "other"
    assert read_table(other, "held_out")["step"].to_pylist() == [3]


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(GradvizError, match=r"cannot write .*file/run: Not a directory"):
        RunWriter.create(tmp_path / "file" / "run", {})


def test_run_json_is_there_whole_or_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = RunWriter.create(tmp_path / "run", {"lag": 1})

    def full(*args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", full)
    with pytest.raises(GradvizError, match=r"cannot write .*run\.json: No space left on device"):
        writer.update(lag=2)
    assert read_meta(tmp_path / "run")["lag"] == 1
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == ["run.json", "tables"]


@pytest.mark.parametrize(("error", "status"), [(None, "finished"), (KeyboardInterrupt(), "interrupted"), (ValueError("no"), "failed")])
def test_the_block_says_how_the_run_ended(error: BaseException | None, status: str, tmp_path: Path) -> None:
    def write() -> None:
        with RunWriter.create(tmp_path / "run", {"name": "x"}) as writer:
            writer.append("held_out", held_out(0))
            assert read_meta(tmp_path / "run")["status"] == "running"
            if error is not None:
                raise error

    if error is None:
        write()
    else:
        with pytest.raises(type(error)):
            write()
    meta = read_meta(tmp_path / "run")
    assert (meta["status"], meta["error"], meta["rows"]) == (status, "no" if status == "failed" else "", {"held_out": 1})
    assert len(read_table(tmp_path / "run", "held_out")) == 1


def test_reopened_runs_go_on_behind_a_torn_tail(tmp_path: Path) -> None:
    writer = RunWriter.create(tmp_path / "run", {"lag": 7})
    for step in (0, 1):
        writer.append("held_out", held_out(step))
        writer.flush()
    writer.close()
    segment = tmp_path / "run" / "tables" / "held_out-0001.arrows"
    segment.write_bytes(segment.read_bytes()[:-5])
    with RunWriter.reopen(tmp_path / "run") as writer:
        writer.append("held_out", held_out(2))
    table = read_table(tmp_path / "run", "held_out")
    assert table["step"].to_pylist() == [0, 2]
    assert "held_out-0001.arrows" in note(table)
    assert read_meta(tmp_path / "run")["lag"] == 7


def test_weights_come_back(tmp_path: Path) -> None:
    weights = {"a": np.arange(6, dtype=np.float32).reshape(2, 3).T, "b": np.array([np.nan, -np.inf, 5e-324])}
    writer = RunWriter.create(tmp_path / "run", {})
    with pytest.raises(RunError, match=r"has no weights\.safetensors"):
        read_weights(tmp_path / "run")
    writer.save_weights(weights)
    read = read_weights(tmp_path / "run")
    assert read.keys() == weights.keys()
    for name, array in weights.items():
        assert read[name].dtype == array.dtype
        np.testing.assert_array_equal(read[name], array)
    (tmp_path / "run" / "weights.safetensors").write_bytes(b"\xff" * 40)
    with pytest.raises(RunError, match=r"weights\.safetensors cannot be read"):
        read_weights(tmp_path / "run")


WRITE = """
import sys, time
import numpy as np
from gradviz.recording.store import RunWriter

writer = RunWriter.create(sys.argv[1], {})
where = {"layer": 0, "direction": "forward", "point": "hidden", "example": 0, "gradient": False, "units": 50}
for step in range(int(sys.argv[2])):
    writer.append("probe", {"step": step, **where, "values": np.random.default_rng(step).normal(size=500)})
    if step % 3 == 2:
        writer.flush()
        print(step + 1, flush=True)
        time.sleep(0.005)
"""


def child(code: str, *args: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, args)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )


def expect_prefix(folder: Path, at_least: int) -> int:
    """The rows read are the first ones, whole and right. Returns how many."""
    table = read_table(folder, "probe")
    assert table["step"].to_pylist() == list(range(len(table)))
    assert len(table) >= at_least
    for step in range(max(0, len(table) - 3), len(table)):
        expected = np.random.default_rng(step).normal(size=500)
        np.testing.assert_array_equal(table["values"][step].values.to_numpy(), expected)
    return len(table)


@pytest.mark.parametrize("flushes", [1, 20])
def test_a_killed_writer_loses_nothing_that_was_flushed(flushes: int, tmp_path: Path) -> None:
    with child(WRITE, tmp_path / "run", 10**6) as writer:
        try:
            assert writer.stdout is not None
            for _ in range(flushes):
                acknowledged = int(writer.stdout.readline())
                expect_prefix(tmp_path / "run", acknowledged)  # while it is being written
        finally:
            writer.kill()
    assert writer.returncode == -signal.SIGKILL
    expect_prefix(tmp_path / "run", acknowledged)
    assert read_meta(tmp_path / "run")["status"] == "running"


def test_a_full_disk_is_an_error_and_what_was_written_stays(tmp_path: Path) -> None:
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))\n"
    with child(limit + WRITE, tmp_path / "run", 1000) as writer:
        out, err = writer.communicate(timeout=60)
    acknowledged = [int(line) for line in out.split()]
    assert writer.returncode == 1
    assert acknowledged
    assert "GradvizError: cannot write" in err
    assert "probe-0001.arrows: File too large. What was written before stays readable." in err
    assert expect_prefix(tmp_path / "run", acknowledged[-1]) == acknowledged[-1]
    assert note(read_table(tmp_path / "run", "probe")) == ""


def test_after_a_failed_write_rows_wait_for_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = RunWriter.create(tmp_path / "run", {})
    writer.append("held_out", held_out(0))
    writer.flush()
    monkeypatch.setattr(writer._files["held_out"], "file", Full(writer._files["held_out"].file))
    writer.append("held_out", held_out(1))
    with pytest.raises(GradvizError, match="No space left on device"):
        writer.flush()
    writer.finish("failed", "the disk was full")
    table = read_table(tmp_path / "run", "held_out")
    assert (table["step"].to_pylist(), note(table)) == ([0, 1], "")
    assert json.loads((tmp_path / "run" / "run.json").read_text())["error"] == "the disk was full"


class Full:
    """A file on a disk that has room for ten more bytes."""

    def __init__(self, file: Any) -> None:
        self.file, self.left = file, 10

    def write(self, data: memoryview) -> int:
        if not self.left:
            raise OSError(28, "No space left on device")
        written = self.file.write(data[: self.left])
        self.left = 0
        return int(written)

    def truncate(self, size: int) -> None:
        self.file.truncate(size)

    def close(self) -> None:
        self.file.close()

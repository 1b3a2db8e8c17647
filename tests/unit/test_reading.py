"""Reading runs that are torn, damaged, newer, half-written or not there."""

import json
import math
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gradviz.errors import GradvizError, RunError
from gradviz.recording import segments
from gradviz.recording.reading import find_runs, note, read_meta, read_table
from gradviz.recording.schema import TABLES, VERSION
from gradviz.recording.store import RunWriter
from tests.synthetic import make_run

BATCHES = 4


def trouble(step: int) -> dict[str, Any]:
    where = {"layer": 1, "direction": "backward", "point": "gate.forget", "gradient": True}
    return {"step": step, **where, "time": 3, "example": 2, "unit": step % 5, "value": "-inf"}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, list[int]]:
    """The bytes of a segment of four batches of 2, 3, 4, 5 rows, and where each batch ends."""
    folder = tmp_path_factory.mktemp("whole") / "run"
    writer = RunWriter.create(folder, {})
    segment, ends, step = folder / "tables" / "trouble-0001.arrows", [], 0
    for batch in range(BATCHES):
        for _ in range(batch + 2):
            writer.append("trouble", trouble(step))
            step += 1
        writer.flush()
        ends.append(segment.stat().st_size)
    writer.finish()
    return segment.read_bytes(), ends


@pytest.fixture
def segment(tmp_path: Path) -> Path:
    RunWriter.create(tmp_path / "run", {}).close()
    return tmp_path / "run" / "tables" / "trouble-0001.arrows"


def read(segment: Path, data: bytes) -> pa.Table:
    segment.write_bytes(data)
    return read_table(segment.parents[1], "trouble")


def attempt(segment: Path, data: bytes) -> pa.Table | None:
    """The table, or None where an error names the file."""
    try:
        return read(segment, data)
    except RunError as error:
        return None if str(segment) in str(error) else pytest.fail(str(error))


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_torn_tail_costs_no_whole_batch(data: st.DataObject, whole: tuple[bytes, list[int]], segment: Path) -> None:
    content, ends = whole
    cut = data.draw(st.integers(0, len(content)) | st.sampled_from([*ends, *(end + 1 for end in ends), *(end - 1 for end in ends)]))
    table = read(segment, content[:cut])
    batches = sum(end <= cut for end in ends)
    assert table.to_pylist() == [trouble(step) for step in range(sum(range(2, 2 + batches)))]
    if cut in ends or cut == len(content) or cut == 0:
        assert note(table) == ""
    elif batches:
        assert f"the last {cut - ends[batches - 1]} bytes of trouble-0001.arrows" in note(table)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_garbage_behind_the_last_batch_is_left_out_with_a_note(data: st.DataObject, whole: tuple[bytes, list[int]], segment: Path) -> None:
    content, ends = whole
    garbage = data.draw(st.binary(min_size=9, max_size=40) | st.integers(9, 4096).map(bytes))
    table = read(segment, content[: ends[-1]] + garbage)
    assert len(table) == 14
    assert f"{len(garbage)} bytes" in note(table) or garbage[:4] in (b"\xff\xff\xff\xff", bytes(4))
    assert note(table)


def test_no_flipped_bit_passes_for_data(whole: tuple[bytes, list[int]], segment: Path) -> None:
    """At every fifth byte: an error that names the file, or a note, or exactly the same rows."""
    content, ends = whole
    expected = [trouble(step) for step in range(14)]
    said = {"error": 0, "note": 0, "same": 0}
    for at in range(0, len(content), 5):
        wrong = bytearray(content)
        wrong[at] ^= 1 << (at % 8)
        table = attempt(segment, bytes(wrong))
        if table is None:
            said["error"] += 1
            continue
        rows = table.to_pylist()
        if note(table):
            assert rows == expected[: len(rows)]
            said["note"] += 1
        else:
            assert rows == expected, at
            said["same"] += 1
    assert said["error"] > said["same"]
    assert said["note"] < (len(content) - ends[-2]) / 5  # a note only where the tail itself is unreadable


def test_a_flipped_byte_of_a_value_is_noticed_by_the_checksum(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without compression the value lies there plainly, and nothing but the checksum can tell."""
    monkeypatch.setattr(segments, "CODEC", None)
    with RunWriter.create(tmp_path / "run", {}) as writer:
        writer.append("held_out", {"step": 1, "loss": 0.125, "accuracy": 0.5})
    path = tmp_path / "run" / "tables" / "held_out-0001.arrows"
    assert read_table(tmp_path / "run", "held_out")["loss"].to_pylist() == [0.125]
    content = path.read_bytes()
    value = bytes.fromhex("000000000000c03f")  # 0.125
    assert content.count(value) == 1
    path.write_bytes(content.replace(value, bytes.fromhex("000000000000d03f")))
    with pytest.raises(RunError, match=r"held_out-0001\.arrows is damaged: the checksum of batch 0 is wrong\. Delete this file"):
        read_table(tmp_path / "run", "held_out")


def test_damage_before_whole_batches_is_not_a_torn_tail(whole: tuple[bytes, list[int]], segment: Path) -> None:
    content, ends = whole
    with pytest.raises(RunError, match=f"bytes from {ends[0]} on make no sense"):
        read(segment, content[: ends[0]] + bytes(64) + content[ends[0] :])


def test_a_file_that_was_never_a_table_is_damage(segment: Path) -> None:
    with pytest.raises(RunError, match="does not begin as such a table does"):
        read(segment, b"hello world" * 100)


def test_tables_not_written_yet_are_empty_and_have_their_columns(tmp_path: Path) -> None:
    RunWriter.create(tmp_path / "run", {}).close()
    for name, columns in TABLES.items():
        table = read_table(tmp_path / "run", name)
        assert len(table) == 0
        assert table.schema.names == [item.name for item in columns]
    (tmp_path / "run" / "tables").rmdir()
    assert len(read_table(tmp_path / "run", "steps")) == 0
    with pytest.raises(GradvizError, match="unknown table 'stepz'"):
        read_table(tmp_path / "run", "stepz")


def test_newer_schemas_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as newer:
        newer.setattr(segments, "VERSION", VERSION + 1)
        with RunWriter.create(tmp_path / "run", {"schema": VERSION + 1}) as writer:
            writer.append("trouble", trouble(0))
    for act in (lambda: read_meta(tmp_path / "run"), lambda: read_table(tmp_path / "run", "trouble")):
        with pytest.raises(RunError, match=rf"schema {VERSION + 1}; this gradviz reads schemas up to {VERSION}\. Update gradviz"):
            act()


def test_columns_that_came_later_are_nan_in_an_older_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Written as version 1 wrote it, and gone on with by this one."""
    later = {table: [item.name for item in found if item.since > 1] for table, found in TABLES.items()}
    row = {item.name: False if item.type == "bool" else 3 for item in TABLES["steps"]}
    with monkeypatch.context() as older:
        older.setattr(segments, "VERSION", 1)
        older.setitem(TABLES, "steps", tuple(item for item in TABLES["steps"] if item.since == 1))
        segments._names.cache_clear()
        with RunWriter.create(tmp_path / "run", {"schema": 1}) as writer:
            writer.append("steps", {name: value for name, value in row.items() if name not in later["steps"]})
    segments._names.cache_clear()
    with RunWriter.reopen(tmp_path / "run") as writer:
        writer.append("steps", row)
    read = read_table(tmp_path / "run", "steps").to_pandas()
    assert later["steps"] == ["penalty"]
    assert math.isnan(read["penalty"][0])
    assert read["penalty"][1] == 3
    assert read["loss"].tolist() == [3, 3]


def test_another_tables_segment_is_damage(whole: tuple[bytes, list[int]], segment: Path) -> None:
    segment.with_name("steps-0001.arrows").write_bytes(whole[0])
    with pytest.raises(RunError, match="its columns are not those of the table"):
        read_table(segment.parents[1], "steps")


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"schema": "1"}', '{"schema": true}', '{"schema": 0}', "null", "\udcff"])
def test_a_broken_run_json_is_an_error_that_names_it(content: str, tmp_path: Path) -> None:
    (tmp_path / "run.json").write_bytes(content.encode(errors="surrogateescape"))
    with pytest.raises(RunError, match=r"run\.json (cannot be read|is not gradviz's)"):
        read_meta(tmp_path)


def test_a_folder_without_a_run_says_which_runs_are_near(tmp_path: Path) -> None:
    for name in ("b", "a", "deep/c"):
        RunWriter.create(tmp_path / name, {}).finish()
    with pytest.raises(RunError, match=r"is not a run folder: it has no run\.json\. Runs in it: a, b, deep/c\."):
        read_meta(tmp_path)
    with pytest.raises(RunError, match=r"is not a run folder: it has no run\.json\.$"):
        read_meta(tmp_path / "deep" / "c" / "tables")
    with pytest.raises(RunError, match="there is no folder"):
        read_meta(tmp_path / "nowhere")


def test_finding_runs_stays_inside_the_folder(tmp_path: Path) -> None:
    outside, top = tmp_path / "outside", tmp_path / "top"
    for folder in (outside, top / "one", top / "some" / "two", top / ".hidden" / "three", top / "one" / "inner"):
        RunWriter.create(folder, {}).finish()
    (top / "link").symlink_to(outside)
    (top / "loop").symlink_to(top)
    (top / "fake").mkdir()
    (top / "fake" / "run.json").symlink_to(outside / "run.json")
    assert find_runs(top) == [top / "one", top / "some" / "two"]
    assert find_runs(top / "one") == [top / "one"]
    assert find_runs(top / "nowhere") == []
    assert json.loads((outside / "run.json").read_text())["status"] == "finished"


def test_half_a_surrogate_pair_in_run_json_becomes_a_question_mark(tmp_path: Path) -> None:
    file = make_run(tmp_path / "run", steps=1) / "run.json"
    meta = json.loads(file.read_text())
    file.write_text(json.dumps({**meta, "name": "a\ud800b"}))
    assert read_meta(tmp_path / "run")["name"] == "a?b"
    file.write_text(json.dumps({**meta, "name": "\U0001f600"}))  # a whole pair in JSON's own spelling
    assert read_meta(tmp_path / "run")["name"] == "\U0001f600"

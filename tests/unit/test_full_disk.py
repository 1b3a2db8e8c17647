"""A disk that fills up while a training writes: a clear error, and everything written before stays readable and can be gone on with."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gradviz import files
from gradviz.errors import GradvizError
from gradviz.recording.reading import note, read_meta, read_table, read_weights
from gradviz.recording.schema import TABLES
from gradviz.training import resume, train
from tests.resumed import content, differing
from tests.unit.test_resume import SMALL


@contextmanager
def full(name: str, times: int) -> Iterator[None]:
    """The disk has room for a file of this name so many times, and then for half of it."""
    write, left = Path.write_bytes, [times]

    def write_bytes(self: Path, data: bytes) -> int:
        if self != files.beside(self.with_name(name)):
            return write(self, data)
        left[0] -= 1
        if left[0] < 0:
            write(self, data[: len(data) // 2])
            raise OSError(28, "No space left on device")
        return write(self, data)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "write_bytes", write_bytes)
        yield


@pytest.mark.parametrize(("name", "times"), [("checkpoint.safetensors", 1), ("best.safetensors", 2)])
def test_a_full_disk_ends_the_training_and_room_lets_it_go_on(name: str, times: int, tmp_path: Path) -> None:
    whole, folder = content(train(SMALL, tmp_path / "whole")), tmp_path / "run"
    message = rf"cannot write .*{name}: No space left on device\. Give another folder, or make room"
    with full(name, times), pytest.raises(GradvizError, match=message):
        train(SMALL, folder)
    meta = read_meta(folder)
    assert meta["status"] == "failed"
    assert "No space left on device" in meta["error"]
    assert not list(folder.rglob("*.part"))
    for table in TABLES:
        assert len(read_table(folder, table)) == meta["rows"].get(table, 0)
        assert note(read_table(folder, table)) == ""
    assert read_weights(folder, "best")
    assert differing(whole, content(resume(folder))) == []


TRAIN = """
import os, sys
sys.path.insert(0, sys.argv[2])
from dataclasses import replace
from tests.unit.test_resume import SMALL, learning
from gradviz.config import Model
from gradviz.training import train
{before}
big = replace(learning(updates=2000, checkpoint_every=5), model=Model(units=int(sys.argv[3])))
train(big, sys.argv[1])
"""


def child(folder: Path, before: str, units: int) -> tuple[int, str]:
    root = str(Path(__file__).parents[2])
    command = [sys.executable, "-c", TRAIN.format(before=before), str(folder), root, str(units)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, cwd=root)
    return done.returncode, done.stderr


def test_a_file_that_may_not_grow_is_an_error_and_what_was_written_can_be_read(tmp_path: Path) -> None:
    """The system itself refuses: a checkpoint is larger than any file may be here, tables and weights are not."""
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))"
    status, err = child(tmp_path / "run", limit, 40)
    assert status == 1
    assert "GradvizError: cannot write" in err
    assert "checkpoint.safetensors: File too large" in err
    meta = read_meta(tmp_path / "run")
    assert (meta["status"], meta["rows"]["steps"]) == ("failed", 5)
    assert len(read_table(tmp_path / "run", "steps")) == 5
    assert read_weights(tmp_path / "run", "best")


@pytest.fixture
def small_disk(tmp_path: Path):  # type: ignore[no-untyped-def]
    """A disk of 600 kB, where the system lets us have one."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=600k", "tmpfs", str(place)]
    if sys.platform != "linux" or os.geteuid() != 0 or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("needs the right to mount a small disk")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_a_disk_that_is_really_full(small_disk: Path) -> None:
    status, err = child(small_disk / "run", "", 10)
    assert status == 1
    assert "No space left on device" in err
    steps = read_table(small_disk / "run", "steps")["step"].to_pylist()
    assert steps == list(range(len(steps)))
    assert len(steps) > 20
    assert json.loads((small_disk / "run" / "run.json").read_text())["status"] in ("failed", "running")  # there may be no room to say so
    for table in TABLES:
        assert note(read_table(small_disk / "run", table)) == ""

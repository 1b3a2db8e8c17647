"""What the command line says when it cannot do what it is asked: what is wrong, where, and what would be right."""

import json
import re
import shutil
import socket
from pathlib import Path

import pytest

from gradviz.recording.schema import VERSION

SMALL = ["--task", "adding", "--task.length", "20", "--updates", "3", "--units", "4", "--batch", "4", "--held-out", "4"]

BAD_TEXTS = {
    "missing": (None, "missing.txt"),
    "empty": (b"", "empty"),
    "short": (b"too short", "short|character"),
    "binary": ("für".encode("latin-1") * 200, "UTF-8"),
}


@pytest.mark.parametrize("command", ["train", "compare"])
@pytest.mark.parametrize("name", BAD_TEXTS)
def test_a_bad_text_is_refused_before_anything_is_written(gradviz, here: Path, name: str, command: str) -> None:
    content, message = BAD_TEXTS[name]
    if content is not None:
        (here / f"{name}.txt").write_bytes(content)
    status, _, err = gradviz(command, f"{name}.txt", "--updates", "1")
    assert status == 2
    assert re.search(message, err), err
    assert not (here / "gradviz-runs").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["train", "--cell", "lstmm"], "Did you mean 'lstm'?"),
        (["train", "--task", "addng"], "Did you mean 'adding'?"),
        (["train", "--cell", "gru", "--cell.activation", "relu"], "no option of the cell 'gru'"),
        (["train", "--units", "many"], "must be a whole number"),
        (["train", "--name", "../elsewhere"], "plain folder name"),
        (["train", "my.txt", "--task", "adding"], "do not give another task"),
        (["train", "--extend", "missing.py"], "no extension file at"),
        (["train", "--extend"], "needs the path"),
        (["compare", "--cell", "rnn,lstmm"], "Did you mean 'lstm'?"),
        (["compare", "--seed", "0,,1"], "empty place"),
        (["compare", "--seed", ",".join(map(str, range(100)))], "make 300 runs"),
        (["compare", "--processes", "0"], "at least 1"),
        (["demo", "--seed", "-1"], "at least 0"),
        (["demo", "--processes", "0"], "at least 1"),
        (["dashboard", "missing"], "no folder at missing"),
        (["dashboard", "--port", "0"], "between 1 and 65535"),
        (["runs", "list", "missing"], "no folder at missing"),
        (["runs", "show", "missing"], "missing"),
        (["runs", "export", "missing", "--to", "x"], "missing"),
        (["report", "missing"], "missing"),
        (["report"], "gradviz-runs"),
    ],
    ids=lambda value: " ".join(value)[:40] if isinstance(value, list) else "",
)
def test_what_cannot_be_done_says_so(gradviz, here: Path, words: list[str], message: str) -> None:
    status, out, err = gradviz(*words)
    assert status == 2
    assert err.startswith("gradviz: ")
    assert message in err
    assert "Traceback" not in out + err
    assert list(here.iterdir()) == []


def test_an_unknown_export_format_names_both(gradviz, trained: Path) -> None:
    status, _, err = gradviz("runs", "export", str(trained / "text-lstm"), "--to", "x", "--format", "xlsx")
    assert status == 2
    assert "csv" in err
    assert "parquet" in err


WRITERS = {"train": SMALL, "compare": [*SMALL, "--processes", "1"], "demo": ["--quick"]}


@pytest.mark.parametrize("command", WRITERS)
def test_an_output_folder_that_cannot_be_made(gradviz, here: Path, command: str) -> None:
    (here / "file").write_text("in the way", encoding="utf-8")
    status, _, err = gradviz(command, *WRITERS[command], "--out", "file/runs")
    assert status == 2
    assert "file" in err
    assert "Not a directory" in err


def test_a_report_that_cannot_be_written(gradviz, trained: Path, here: Path) -> None:
    (here / "file").write_text("in the way", encoding="utf-8")
    status, _, err = gradviz("report", str(trained), "--out", "file/report.html")
    assert status == 2
    assert "file" in err


def _half_written(folder: Path) -> None:
    shutil.rmtree(folder / "tables")
    (folder / "weights.safetensors").unlink()


def _newer(folder: Path) -> None:
    meta = json.loads((folder / "run.json").read_text())
    (folder / "run.json").write_text(json.dumps({**meta, "schema": VERSION + 1}))


def _broken_json(folder: Path) -> None:
    (folder / "run.json").write_text((folder / "run.json").read_text()[:50])


def _no_checksum(folder: Path) -> None:
    file = sorted((folder / "tables").glob("steps*"))[0]
    file.write_bytes(file.read_bytes().replace(b"crc32", b"crc33"))


def _flipped_byte(folder: Path) -> None:
    file = sorted((folder / "tables").glob("steps*"))[0]
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 0xFF
    file.write_bytes(bytes(data))


BROKEN = {_newer: "schema", _broken_json: "run.json", _no_checksum: "the checksum of batch 0 is wrong", _flipped_byte: "damaged"}


@pytest.mark.parametrize("harm", BROKEN)
@pytest.mark.parametrize("words", [["runs", "show"], ["report"]], ids=" ".join)
def test_a_damaged_run_says_which_file_and_why(gradviz, trained: Path, here: Path, harm, words: list[str]) -> None:
    folder = Path(shutil.copytree(trained / "text-lstm", here / "run"))
    harm(folder)
    status, _, err = gradviz(*words, "run")
    assert status == 2
    assert BROKEN[harm] in err
    assert "run" in err


@pytest.mark.parametrize("harm", BROKEN)
def test_a_damaged_run_does_not_hide_the_others(gradviz, trained: Path, here: Path, harm) -> None:
    shutil.copytree(trained, here / "gradviz-runs")
    harm(here / "gradviz-runs" / "text-lstm")
    status, out, _ = gradviz("runs", "list")
    assert status == 0
    assert "text-rnn-norm" in out
    assert "cannot be read: " in out
    assert BROKEN[harm] in out


def test_a_run_whose_tables_are_not_there_yet_is_shown(gradviz, trained: Path, here: Path) -> None:
    folder = Path(shutil.copytree(trained / "text-lstm", here / "gradviz-runs" / "young"))
    _half_written(folder)
    assert gradviz("runs", "show", str(folder))[0] == 0
    status, out, _ = gradviz("runs", "list")
    assert status == 0
    assert "young" in out


def test_a_port_in_use_is_refused(gradviz, trained: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        status, _, err = gradviz("dashboard", str(trained), "--port", str(port), "--no-browser")
    assert status == 2
    assert str(port) in err

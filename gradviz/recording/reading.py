"""Reading a run's folder, also while another process writes it or after a writer was killed.

A tail that breaks off in the middle of a message is left out, with a note in the table's metadata. A message that is whole but
whose checksum is wrong, or garbage before whole messages, is damage: an error that names the file.
"""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
from safetensors import SafetensorError
from safetensors.numpy import load as load_safetensors

from gradviz.arrays import Parameters
from gradviz.errors import RunError, unknown
from gradviz.recording.schema import VERSION
from gradviz.recording.segments import BEST, CHECKSUM, META, NOTE, WEIGHTS, arrow_schema, checksum, completed, segments

FILES = {"last": WEIGHTS, "best": BEST}
DEEP = 4  # how many folders below the given one may hold a run
MESSAGE = b"\xff\xff\xff\xff"  # what every Arrow IPC message begins with


def read_meta(folder: Path | str) -> dict[str, Any]:
    """run.json as a dict."""
    folder = Path(folder)
    try:
        meta = json.loads((folder / META).read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        raise RunError(_no_run(folder)) from None
    except OSError as error:
        raise RunError(f"{folder / META} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise RunError(f"{folder / META} cannot be read, for it is not whole JSON: {error}. Train the run again.") from error
    version = meta.get("schema") if isinstance(meta, dict) else None
    if type(version) is not int or version < 1:
        raise RunError(f"{folder / META} is not gradviz's: it has no schema version.")
    _check_version(folder / META, version)
    return dict(_spelled(meta))


def _spelled(meta: Any) -> Any:
    """Half a surrogate pair, which JSON can write and UTF-8 cannot, becomes a question mark: no table, page or terminal could hold it."""
    text = json.dumps(meta, ensure_ascii=False)
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return json.loads(text.encode("utf-8", "replace"))
    return meta


def read_table(folder: Path | str, name: str, keep: Sequence[str] = ()) -> pa.Table:
    """All whole batches of a table; without any, an empty table with its schema. See `note` for what was left out.

    keep: columns to hold in memory, all if empty; every batch is read and checked in any case.
    """
    schema, notes = arrow_schema(name), []
    batches: list[pa.RecordBatch] = []
    for path in segments(Path(folder), name):
        found, torn = read_segment(path, schema, keep)
        batches += found
        if torn:
            notes.append(f"the last {torn} bytes of {path.name} are not a whole batch and were left out")
    table = pa.Table.from_batches(batches, pa.schema([schema.field(name) for name in keep], schema.metadata) if keep else schema)
    return table.replace_schema_metadata({**table.schema.metadata, NOTE: "; ".join(notes).encode()})


def read_segment(path: Path, schema: pa.Schema, keep: Sequence[str] = ()) -> tuple[list[pa.RecordBatch], int]:
    """The whole batches of one file, and how many bytes behind them could not be used. keep: columns to hold in memory, all if empty."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise RunError(f"{path} cannot be read: {error.strerror}.") from error
    good = _whole(data)
    if _message_after(data, good):
        raise _damaged(path, f"bytes from {good} on make no sense")
    if not MESSAGE.startswith(data[:4]):
        raise _damaged(path, "it does not begin as such a table does")
    if not good:
        return [], len(data)
    try:
        reader = pa.ipc.open_stream(pa.py_buffer(data)[:good])
        _check_schema(path, reader.schema, schema.metadata[b"table"].decode())
        return _batches(path, reader, schema, keep), len(data) - good
    except (pa.ArrowException, OSError, KeyError) as error:
        raise _damaged(path, str(error)) from error


def note(table: pa.Table) -> str:
    """What `read_table` left out; empty if nothing."""
    return str(table.schema.metadata[NOTE].decode())


def read_weights(folder: Path | str, which: str = "last") -> Parameters:
    """The network's parameters by name: the "last" ones, or the "best", those with the lowest held-out loss."""
    if which not in FILES:
        raise unknown("weights", which, FILES)
    path = Path(folder) / FILES[which]
    try:
        return dict(load_safetensors(path.read_bytes()))
    except FileNotFoundError:
        when = "at the end of training" if which == "last" else "when a held-out loss is measured"
        raise RunError(f"{folder} has no {path.name} (yet): these weights are written {when}.") from None
    except (OSError, SafetensorError) as error:
        raise RunError(f"{path} cannot be read: {error}.") from error


def find_runs(folder: Path | str) -> list[Path]:
    """The run folders in `folder` (itself included), sorted. Links that lead out of it and hidden folders are not followed."""
    top = Path(folder)
    found = []
    for here, below, files in os.walk(top):  # does not follow links to folders
        path = Path(here)
        if META in files and not (path / META).is_symlink():
            found.append(path)
        deep = len(path.relative_to(top).parts)
        below[:] = [] if META in files or deep >= DEEP else sorted(name for name in below if not name.startswith("."))
    return sorted(found)


def _no_run(folder: Path) -> str:
    if not folder.exists():
        return f"there is no folder {folder}. `gradviz runs list` shows the runs there are."
    near = find_runs(folder) if folder.is_dir() else []
    names = ", ".join(str(path.relative_to(folder)) for path in near[:12])
    more = f" Runs in it: {names}{' …' if len(near) > 12 else ''}." if near else ""
    return f"{folder} is not a run folder: it has no {META}.{more}"


def _check_version(path: Path, version: int) -> None:
    if version > VERSION:
        raise RunError(f"{path} was written with schema {version}; this gradviz reads schemas up to {VERSION}. Update gradviz to open it.")


def _batches(path: Path, reader: Any, schema: pa.Schema, keep: Sequence[str]) -> list[pa.RecordBatch]:
    batches: list[pa.RecordBatch] = []
    for batch, facts in reader.iter_batches_with_custom_metadata():
        if facts is None or CHECKSUM not in facts or facts[CHECKSUM] != checksum(batch):
            raise _damaged(path, f"the checksum of batch {len(batches)} is wrong")
        whole = completed(batch, schema)
        batches.append(whole.select(list(keep)) if keep else whole)
    return batches


def _check_schema(path: Path, found: pa.Schema, table: str) -> None:
    version = (found.metadata or {}).get(b"version", b"")
    if not version.isdigit():
        raise _damaged(path, "it does not say its schema")
    _check_version(path, int(version))
    if not found.equals(arrow_schema(table, int(version)), check_metadata=False):
        raise _damaged(path, "its columns are not those of the table")


def _whole(data: bytes) -> int:
    """How many bytes from the start are whole messages."""
    source, good = pa.BufferReader(data), 0
    try:
        while True:
            pa.ipc.read_message(source)
            good = source.tell()
    except (EOFError, OSError, pa.ArrowException):
        return good + 8 if data[good : good + 8] == MESSAGE + bytes(4) else good  # the mark at the end


def _message_after(data: bytes, start: int) -> bool:
    """Whether a whole message lies somewhere behind `start`: then what is broken there is no torn tail."""
    at = data.find(MESSAGE, start)
    while at >= 0:
        try:
            pa.ipc.read_message(pa.py_buffer(data)[at:])
            return True
        except (EOFError, OSError, pa.ArrowException):
            at = data.find(MESSAGE, at + 1)
    return False


def _damaged(path: Path, why: str) -> RunError:
    return RunError(f"{path} is damaged: {why}. Delete this file to open the rest of the run without it, or train the run again.")

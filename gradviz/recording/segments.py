"""How rows lie on disk: Arrow IPC streams (zstd), one message a batch, each with a checksum of its own.

Arrow streams carry no checksum, so that a flipped byte could pass as a number. The CRC-32 of the batch's plain IPC form
travels in the batch's metadata and is taken again when it is read.
"""

import io
import os
import re
import zlib
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from gradviz.errors import GradvizError, unknown
from gradviz.recording.schema import TABLES, VERSION, Column

META = "run.json"
WEIGHTS = "weights.safetensors"
BEST = "best.safetensors"
CHECKPOINT = "checkpoint.safetensors"
SEQUENCES = "sequences.safetensors"  # of a watched model
CONTROL = "control.json"
FOLDER = "tables"
SEGMENT = re.compile(r"(\w+)-(\d{4,})\.arrows")
CODEC = "zstd"
CHECKSUM = b"crc32"
NOTE = b"note"

Row = Mapping[str, Any]
TYPES: dict[str, pa.DataType] = {
    "int16": pa.int16(),
    "int32": pa.int32(),
    "int64": pa.int64(),
    "double": pa.float64(),
    "bool": pa.bool_(),
    "string": pa.string(),
    "list<double>": pa.list_(pa.float64()),
}


def columns(table: str) -> tuple[Column, ...]:
    if table not in TABLES:
        raise unknown("table", table, TABLES)
    return TABLES[table]


def arrow_schema(table: str, version: int | None = None) -> pa.Schema:
    """The table's columns, as a version (or this one) had them, with their meanings and the version, so that a segment explains itself."""
    version = VERSION if version is None else version
    had = [item for item in columns(table) if item.since <= version]
    fields = [pa.field(item.name, TYPES[item.type], nullable=False, metadata={"meaning": item.meaning}) for item in had]
    return pa.schema(fields, metadata={"table": table, "version": str(version)})


def is_list(item: Column) -> bool:
    return item.type.startswith("list<")


def segments(folder: Path, table: str) -> list[Path]:
    """The table's files, oldest first."""
    return all_segments(folder).get(table, [])


def all_segments(folder: Path) -> dict[str, list[Path]]:
    """The files of every table that has any, oldest first: one look at the folder."""
    try:
        names = [match for name in os.listdir(folder / FOLDER) if (match := SEGMENT.fullmatch(name))]
    except (FileNotFoundError, NotADirectoryError):
        return {}
    found: dict[str, list[Path]] = {}
    for match in sorted(names, key=lambda match: int(match[2])):
        found.setdefault(match[1], []).append(folder / FOLDER / match[0])
    return found


@cache
def _names(table: str) -> tuple[frozenset[str], frozenset[str]]:
    """Of columns that hold one value, and of those that hold a list."""
    series = frozenset(item.name for item in columns(table) if is_list(item))
    return frozenset(item.name for item in columns(table)) - series, series


def checked_row(table: str, row: Row) -> tuple[dict[str, Any], int]:
    """A copy of a row, so that the caller may reuse its buffers, and its size in bytes."""
    plain, series = _names(table)
    if row.keys() != plain | series:
        wrong = sorted(row.keys() ^ (plain | series))
        raise GradvizError(f"a row of table {table!r} has missing or extra columns: {', '.join(wrong)}; see gradviz.recording.schema.")
    kept = {name: np.array(value, np.float64) if name in series else value for name, value in row.items()}
    lists = [kept[name] for name in row if name in series]
    if any(value.ndim != 1 or len(value) != len(lists[0]) for value in lists):
        raise GradvizError(
            f"the lists in a row of table {table!r} must be flat and of one length; they have shapes {[value.shape for value in lists]}."
        )
    return kept, 16 * len(kept) + sum(value.nbytes for value in lists)


def batch_of(table: str, rows: Sequence[Row]) -> pa.RecordBatch:
    return pa.record_batch([_array(item, [row[item.name] for row in rows]) for item in columns(table)], schema=arrow_schema(table))


def completed(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """A batch of an earlier version with the columns that came later, NaN throughout."""
    if batch.schema.names == schema.names:
        return batch
    unknown = pa.array(np.full(len(batch), np.nan))
    arrays = [batch.column(name) if name in batch.schema.names else unknown for name in schema.names]
    return pa.record_batch(arrays, schema=schema)


def _array(item: Column, values: list[Any]) -> pa.Array:
    if not is_list(item):
        return pa.array(values, TYPES[item.type], from_pandas=False)
    ends = np.concatenate([[0], np.cumsum([len(value) for value in values])]).astype(np.int32)
    return pa.ListArray.from_arrays(ends, np.concatenate(values), type=TYPES[item.type])


def checksum(batch: pa.RecordBatch) -> bytes:
    return b"%08x" % zlib.crc32(batch.serialize())


class Encoder:
    """Turns batches of one table into the bytes of one segment, message by message."""

    def __init__(self, table: str) -> None:
        self._sink = io.BytesIO()
        self._writer = pa.ipc.new_stream(self._sink, arrow_schema(table), options=pa.ipc.IpcWriteOptions(compression=CODEC))

    def encode(self, batch: pa.RecordBatch) -> bytes:
        """The next bytes of the segment; the first call's begin with the schema."""
        self._writer.write_batch(batch, custom_metadata={CHECKSUM: checksum(batch)})
        return self._take()

    def end(self) -> bytes:
        """The mark that says no batch follows."""
        self._writer.close()
        return self._take()

    def _take(self) -> bytes:
        data = self._sink.getvalue()
        self._sink.seek(0)
        self._sink.truncate()
        return data

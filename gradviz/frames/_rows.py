"""Single rows of a large table. Whole arrays of hundreds of training steps take gigabytes, and a picture shows a few of them: so what
stands beside the lists is kept in memory, and lists are read when they are asked for."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from gradviz.arrays import Integers
from gradviz.errors import RunError
from gradviz.frames._tables import KEEP, Stamp, stamp_of, wide
from gradviz.recording.reading import note, read_table
from gradviz.recording.segments import arrow_schema, columns, completed, is_list, segments

LARGE = ("timesteps", "probe")  # tables that grow with the length of the sequences and the number of units


@dataclass(frozen=True, eq=False)
class _Index:
    """facts: all columns but the lists; torn: what could not be read; ends: rows up to the end of each batch; places: its file, its
    first byte and the one after its last."""

    facts: pd.DataFrame
    torn: str
    ends: Integers
    places: list[tuple[Path, int, int]]


def facts(folder: Path, name: str) -> pd.DataFrame:
    """A table without its lists, one row per row on disk, numbered through. Shared: copy before handing it out."""
    found: pd.DataFrame = _index(folder, name, stamp_of(folder, name)).facts
    return found


def counted(folder: Path, name: str) -> tuple[int, str]:
    """How many rows a table has, and what could not be read of it."""
    if name not in LARGE:
        frame, torn = wide(folder, name)
        return len(frame), torn
    index = _index(folder, name, stamp_of(folder, name))
    return len(index.facts), index.torn


def picked(folder: Path, name: str, rows: Sequence[int]) -> pd.DataFrame:
    """Whole rows by their number in `facts`, in this order."""
    index = _index(folder, name, stamp_of(folder, name))
    wanted = np.asarray(rows, np.int64)
    owner = np.searchsorted(index.ends, wanted, "right")
    parts = {number: _batch(name, *index.places[number]) for number in np.unique(owner).tolist()}
    first = np.r_[0, index.ends]
    found = [parts[at].slice(int(row - first[at]), 1) for at, row in zip(owner.tolist(), wanted, strict=True)]
    frame: pd.DataFrame = pa.Table.from_batches(found, arrow_schema(name)).to_pandas()
    return frame


@lru_cache(maxsize=KEEP)
def _index(folder: Path, name: str, stamp: Stamp) -> _Index:
    """Reads everything once, batch by batch, checks its checksums, and keeps what is short."""
    table = read_table(folder, name, [item.name for item in columns(name) if not is_list(item)])
    ends = np.cumsum([len(chunk) for chunk in table.column(0).chunks], dtype=np.int64)
    places = [place for path in segments(folder, name) for place in _messages(path)]
    return _Index(table.to_pandas(), note(table), ends, places)


def _messages(path: Path) -> list[tuple[Path, int, int]]:
    """Where the batches of a file lie: its whole messages but the first, which is the schema."""
    found: list[tuple[Path, int, int]] = []
    with pa.OSFile(str(path)) as source, suppress(EOFError, OSError, pa.ArrowException):  # the mark of the end, or a torn tail
        at = 0
        while True:
            pa.ipc.read_message(source)
            found.append((path, at, source.tell()))
            at = source.tell()
    return found[1:]


def _batch(name: str, path: Path, first: int, end: int) -> pa.RecordBatch:
    try:
        with path.open("rb") as file:
            head = pa.ipc.read_schema(pa.ipc.read_message(file))
            file.seek(first)
            message = pa.ipc.read_message(pa.py_buffer(file.read(end - first)))
        return completed(pa.ipc.read_record_batch(message, head), arrow_schema(name))
    except (OSError, pa.ArrowException) as error:
        raise RunError(f"{path} cannot be read (any more): {error}.") from error

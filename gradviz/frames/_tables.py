"""Tables as frames, wide and tidy. Read once, and again when a segment has grown."""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gradviz.arrays import Array
from gradviz.errors import RunError
from gradviz.recording import reading
from gradviz.recording.schema import TABLES
from gradviz.recording.segments import all_segments, columns, is_list, segments

KEEP = 256  # frames held in memory
Stamp = tuple[tuple[str, int, int], ...]


def meanings(table: str) -> dict[str, str]:
    """What each column of a table is, units included."""
    return {item.name: item.meaning for item in columns(table)}


def wide(folder: Path, name: str) -> tuple[pd.DataFrame, str]:
    """A table as it lies on disk, and what could not be read of it. The frame is shared: hand out a copy, which takes no time, since
    pandas copies a column when it is written to."""
    columns(name)
    return _wide(folder, name, stamp_of(folder, name))


def tidy(folder: Path, name: str) -> pd.DataFrame:
    """A table with one row per entry of its lists. Shared as well."""
    columns(name)
    return _tidy(folder, name, stamp_of(folder, name))


def stamp(folder: Path) -> Stamp:
    """Changes whenever a segment of any table does."""
    return _stamp(folder, [path for paths in all_segments(folder).values() for path in paths])


def stamp_of(folder: Path, name: str) -> Stamp:
    """Changes whenever a segment of the table does."""
    return _stamp(folder, segments(folder, name))


def _stamp(folder: Path, paths: Sequence[Path]) -> Stamp:
    """Names, sizes and times of files."""
    try:
        return tuple((path.name, (facts := path.stat()).st_size, facts.st_mtime_ns) for path in sorted(paths))
    except OSError as error:
        raise RunError(f"{folder} cannot be read (any more): {error.strerror}.") from error


@lru_cache(maxsize=KEEP)
def _wide(folder: Path, name: str, stamp: Stamp) -> tuple[pd.DataFrame, str]:
    table = reading.read_table(folder, name)
    return table.to_pandas(), reading.note(table)


@lru_cache(maxsize=KEEP)
def _tidy(folder: Path, name: str, stamp: Stamp) -> pd.DataFrame:
    return explode(name, _wide(folder, name, stamp)[0])


def explode(name: str, rows: pd.DataFrame) -> pd.DataFrame:
    """The wide frame `rows` of table `name` with one row per entry of its lists and the entry's number beside it."""
    lists = [item.name for item in TABLES[name] if is_list(item)]
    if not lists:
        return rows
    lengths = rows[lists[0]].map(len).to_numpy(np.int64)
    tidy = rows.drop(columns=lists).loc[np.repeat(rows.index, lengths)].reset_index(drop=True)
    first = np.repeat(np.cumsum(lengths) - lengths, lengths)
    place = np.arange(len(first)) - first
    for column, values in _places(name, place, np.repeat(lengths, lengths), tidy).items():
        tidy[column] = values
    for column in lists:
        tidy[column] = np.concatenate([np.empty(0), *rows[column]])
    return tidy


def _places(name: str, place: Array, length: Array, tidy: pd.DataFrame) -> dict[str, Any]:
    """What the number of an entry means in each table."""
    match name:
        case "timesteps":
            return {"time": place, "lag": length - 1 - place}
        case "reach":
            return {"lag": place}
        case "probe":
            return {"time": place // tidy["units"], "unit": place % tidy["units"]}
        case _:
            return {"unit": place}

"""Frames as files for other programs. NaN and infinity stay what they are: NaN is a number that went wrong, not a missing entry."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import parquet

from gradviz.recording.segments import TYPES, columns


def write_parquet(table: str, frame: pd.DataFrame, path: Path) -> None:
    """zstd, with each column's meaning in its metadata."""
    parquet.write_table(_arrow(table, frame), path, compression="zstd")


def write_csv(table: str, frame: pd.DataFrame, path: Path) -> None:
    """UTF-8 with a header; nan, inf and -inf in words, numbers with all their digits."""
    frame.to_csv(path, index=False, na_rep="nan", lineterminator="\n", encoding="utf-8")


WRITERS: dict[str, Callable[[str, pd.DataFrame, Path], None]] = {"csv": write_csv, "parquet": write_parquet}


def _arrow(table: str, frame: pd.DataFrame) -> pa.Table:
    known = {item.name: item for item in columns(table)}
    arrays, fields = [], []
    for name in frame.columns:
        kind = TYPES[known[name].type] if name in known else pa.int64()
        kind = kind.value_type if pa.types.is_list(kind) else kind
        values = frame[name].to_numpy(object if kind == pa.string() else np.dtype(kind.to_pandas_dtype()))
        arrays.append(pa.array(values, kind, from_pandas=False))
        fields.append(
            pa.field(name, kind, nullable=False, metadata={"meaning": known[name].meaning if name in known else f"number of the {name}"})
        )
    return pa.Table.from_arrays(arrays, schema=pa.schema(fields))

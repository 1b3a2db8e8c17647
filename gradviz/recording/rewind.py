"""Take a run's tables back to an earlier step, so that a training that goes on from there leaves no step twice."""

from pathlib import Path

import pyarrow as pa

from gradviz.files import guard, replace
from gradviz.recording.reading import read_segment
from gradviz.recording.schema import TABLES
from gradviz.recording.segments import Encoder, arrow_schema, segments


def rewind(folder: Path, updates: int) -> dict[str, int]:
    """Remove the rows of step `updates` and later from all tables. Returns how many rows each table with any has left.

    Segment by segment, each replaced at once: cut short in between, nothing is lost that was to stay, and it can be done again.
    """
    left = {table: sum(_cut(path, table, updates) for path in segments(folder, table)) for table in TABLES}
    return {table: rows for table, rows in left.items() if rows}


def _cut(path: Path, table: str, updates: int) -> int:
    """Cut one segment; its torn tail goes as well. Returns the rows that are left."""
    batches, torn = read_segment(path, arrow_schema(table))
    kept = [batch.filter(pa.array(batch.column("step").to_numpy() < updates)) for batch in batches]
    rows, before = sum(map(len, kept)), sum(map(len, batches))
    if not rows:
        guard(path, path.unlink)
    elif torn or rows < before:
        encoder = Encoder(table)
        replace(path, b"".join([*(encoder.encode(batch) for batch in kept if len(batch)), encoder.end()]))
    return rows

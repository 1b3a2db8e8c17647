"""Writing a run's folder: run.json, tables/*.arrows and weights.safetensors.

Another process may read while this one writes. What `flush` has returned from survives the death of the process.
"""

import json
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from safetensors.numpy import save

from gradviz import __version__
from gradviz.arrays import Array
from gradviz.errors import GradvizError, RunError
from gradviz.files import beside, guard, replace
from gradviz.recording.reading import read_meta
from gradviz.recording.schema import TABLES, VERSION
from gradviz.recording.segments import FOLDER, META, WEIGHTS, Encoder, Row, batch_of, checked_row, segments

ROWS, BYTES, SECONDS = 1000, 4_000_000, 1.0  # a batch is written when one of these has gathered


class RunWriter:
    """Appends to one run. As a context manager it ends the run: "finished", "interrupted" (Ctrl-C) or "failed"."""

    def __init__(self, folder: Path, meta: dict[str, Any]) -> None:
        self.folder, self.meta = folder, meta
        self._waiting: dict[str, list[Row]] = {name: [] for name in TABLES}
        self._files: dict[str, _Segment] = {}
        self._counts: dict[str, int] = dict(meta.get("rows", {}))
        self._rows, self._bytes, self._flushed = 0, 0, time.monotonic()

    @classmethod
    def create(cls, folder: Path | str, meta: Mapping[str, Any], *, force: bool = False) -> "RunWriter":
        """Begin a run. A folder that holds one already is refused; `force` removes what gradviz wrote there and nothing else."""
        folder = Path(folder)
        if (folder / FOLDER).is_symlink():
            raise RunError(f"{folder / FOLDER} is a link; gradviz writes into folders of its own only.")
        if old := _written(folder):
            if not force:
                raise RunError(f"{folder} holds a run already; choose another name, or --force to replace it.")
            for path in old:
                guard(path, path.unlink)
        guard(folder, lambda: (folder / FOLDER).mkdir(parents=True, exist_ok=True))
        now = datetime.now(UTC).isoformat(timespec="seconds")
        first = {"schema": VERSION, "gradviz": __version__, "name": folder.name, "created": now, "status": "running", "error": ""}
        writer = cls(folder, {**first, "updates_done": 0, "seconds": 0.0, **meta})
        writer.update()
        return writer

    @classmethod
    def reopen(cls, folder: Path | str) -> "RunWriter":
        """Go on with a run. New rows go to new segments, whatever the tail of the old ones looks like."""
        writer = cls(Path(folder), read_meta(folder))
        writer.update(status="running", error="")
        return writer

    def append(self, table: str, row: Row) -> None:
        """Keep one row (column name → value; lists as arrays or sequences). It is on disk after `flush` at the latest."""
        kept, size = checked_row(table, row)
        self._waiting[table].append(kept)
        self._rows, self._bytes = self._rows + 1, self._bytes + size
        if self._rows >= ROWS or self._bytes >= BYTES or time.monotonic() - self._flushed >= SECONDS:
            self.flush()

    def rows(self, table: str) -> int:
        """How many rows a table has, those that wait included."""
        return self._counts.get(table, 0) + len(self._waiting[table])

    def flush(self) -> None:
        """Write all rows that wait."""
        for table, rows in self._waiting.items():
            if rows:
                self._write(table, rows)
                self._counts[table] = self._counts.get(table, 0) + len(rows)
                rows.clear()
        self._rows, self._bytes, self._flushed = 0, 0, time.monotonic()

    def _write(self, table: str, rows: list[Row]) -> None:
        if table not in self._files:
            self._files[table] = _Segment(self.folder, table)
        try:
            self._files[table].write(batch_of(table, rows))
        except GradvizError:
            del self._files[table]  # the rows still wait; another attempt begins a new segment
            raise

    def update(self, **meta: Any) -> None:
        """Change entries of run.json. Readers see the old file or the new one, never half of it.

        `rows` counts the rows written by now, so that a reader notices if some got lost.
        """
        self.meta |= {**meta, "rows": self._counts}
        replace(self.folder / META, json.dumps(self.meta, ensure_ascii=False, indent=1).encode())

    def save_weights(self, weights: Mapping[str, Array]) -> None:
        replace(self.folder / WEIGHTS, save({name: np.ascontiguousarray(value) for name, value in weights.items()}))

    def finish(self, status: str = "finished", error: str = "") -> None:
        """Write what waits, close the segments, and say in run.json how the run ended."""
        try:
            self.flush()
            for segment in self._files.values():
                segment.end()
        finally:
            self.close()
        self.update(status=status, error=error)

    def close(self) -> None:
        """Let go of the files without writing anything more."""
        for segment in self._files.values():
            segment.file.close()
        self._files.clear()

    def __enter__(self) -> "RunWriter":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if error is None:
            if self.meta["status"] == "running":
                self.finish()
            return
        try:
            self.finish("interrupted" if isinstance(error, KeyboardInterrupt) else "failed", str(error))
        except GradvizError as second:  # a full disk, say: the first error is the one to see
            error.add_note(str(second))


class _Segment:
    """One growing file. A message goes out in one write; if that fails, the file is cut back to the last whole one."""

    def __init__(self, folder: Path, table: str) -> None:
        number = max((int(path.stem.rsplit("-", 1)[1]) for path in segments(folder, table)), default=0) + 1
        self.path = folder / FOLDER / f"{table}-{number:04d}.arrows"
        self._encoder, self._good = Encoder(table), 0
        self.file = guard(self.path, lambda: open(self.path, "xb", buffering=0))  # noqa: SIM115

    def write(self, batch: Any) -> None:
        self._put(self._encoder.encode(batch))

    def end(self) -> None:
        self._put(self._encoder.end())

    def _put(self, data: bytes) -> None:
        left = memoryview(data)
        try:
            while left:  # an unbuffered write may stop early
                left = left[self.file.write(left) :]
        except OSError as error:
            self.file.truncate(self._good)
            self.file.close()
            raise GradvizError(f"cannot write {self.path}: {error.strerror}. What was written before stays readable.") from error
        self._good += len(data)


def _written(folder: Path) -> list[Path]:
    """The files of a run in `folder`, and only those."""
    own = [folder / name for name in (META, WEIGHTS, beside(folder / META).name, beside(folder / WEIGHTS).name)]
    tables = [path for name in TABLES for path in segments(folder, name)]
    return [path for path in own if path.is_file() or path.is_symlink()] + tables

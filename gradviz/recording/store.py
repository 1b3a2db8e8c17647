"""Writing a run's folder: run.json, tables/*.arrows, weights, best weights and checkpoint.

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
from gradviz.recording.best import Best
from gradviz.recording.checkpoint import Checkpoint, anew, save_checkpoint
from gradviz.recording.lock import FILE as LOCK
from gradviz.recording.lock import Lock
from gradviz.recording.reading import read_meta
from gradviz.recording.rewind import rewind
from gradviz.recording.schema import TABLES, VERSION
from gradviz.recording.segments import BEST, CHECKPOINT, FOLDER, META, SEQUENCES, WEIGHTS, Encoder, Row, batch_of, checked_row, segments

ROWS, BYTES, SECONDS = 1000, 4_000_000, 1.0  # a batch is written when one of these has gathered


class RunWriter:
    """Appends to one run, which nobody else may write meanwhile.

    As a context manager it ends the run: "finished", "interrupted" (Ctrl-C) or "failed".
    """

    def __init__(self, folder: Path, meta: dict[str, Any], lock: Lock) -> None:
        self.folder, self.meta, self._lock = folder, meta, lock
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
        if _written(folder) and not force:
            raise RunError(f"{folder} holds a run already; choose another name, or --force to replace it.")
        guard(folder, lambda: (folder / FOLDER).mkdir(parents=True, exist_ok=True))
        lock = Lock(folder)
        for path in _written(folder):
            guard(path, path.unlink)
        now = datetime.now(UTC).isoformat(timespec="seconds")
        first = {"schema": VERSION, "gradviz": __version__, "name": folder.name, "created": now, "status": "running", "error": ""}
        writer = cls(folder, {**first, "updates_done": 0, "seconds": 0.0, **meta}, lock)
        writer.update()
        return writer

    @classmethod
    def open(cls, folder: Path | str) -> "RunWriter":
        """Take a run in hand without changing it yet. New rows go to new segments, whatever the tail of the old ones looks like."""
        read_meta(folder)  # says what is wrong with the folder
        lock = Lock(Path(folder))
        return cls(Path(folder), read_meta(folder), lock)  # read again: now nobody changes it

    @classmethod
    def reopen(cls, folder: Path | str) -> "RunWriter":
        """Go on with a run."""
        writer = cls.open(folder)
        writer.update(status="running", error="")
        return writer

    def rewind(self, checkpoint: Checkpoint) -> None:
        """Take the tables back to a checkpoint."""
        self._counts = rewind(self.folder, checkpoint.updates)
        for table, rows in checkpoint.rows.items():
            if (left := self._counts.get(table, 0)) != rows:
                raise RunError(
                    f"{self.folder} is not whole: up to its checkpoint, table {table} has {left} rows of {rows}. {anew(self.folder)}"
                )

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

    @property
    def counts(self) -> dict[str, int]:
        """How many rows each table has on disk, by this writer and those before it."""
        return dict(self._counts)

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
        self._save(WEIGHTS, weights)

    def save_sequences(self, arrays: Mapping[str, Array]) -> None:
        """What a watched model read at its last recorded step; see `gradviz.recording.watched`."""
        self._save(SEQUENCES, arrays)

    def save_best(self, best: Best) -> None:
        """The weights with the lowest held-out loss so far; run.json says at which step, and what the loss is."""
        self._save(BEST, best.weights)
        self.update(best=best.facts)

    def save_checkpoint(self, checkpoint: Checkpoint) -> None:
        save_checkpoint(self.folder, checkpoint)

    def _save(self, name: str, weights: Mapping[str, Array]) -> None:
        replace(self.folder / name, save({key: np.ascontiguousarray(value) for key, value in weights.items()}))

    def finish(self, status: str = "finished", error: str = "") -> None:
        """Write what waits, close the segments, and say in run.json how the run ended."""
        try:
            try:
                self.flush()
                for segment in self._files.values():
                    segment.end()
            finally:
                self._close_files()
            self.update(status=status, error=error)
        finally:
            self.close()

    def close(self) -> None:
        """Let go of the run without writing anything more."""
        self._close_files()
        self._lock.release()

    def _close_files(self) -> None:
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
    files = [folder / name for name in (META, WEIGHTS, BEST, CHECKPOINT, SEQUENCES)]
    own = [*files, *map(beside, files), folder / LOCK]
    tables = [path for name in TABLES for path in segments(folder, name)]
    return [path for path in own if path.is_file() or path.is_symlink()] + tables

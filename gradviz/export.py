"""Recorded tables for other programs: one Parquet or CSV file a table, tidy."""

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from gradviz.errors import GradvizError, unknown
from gradviz.frames import WRITERS, Run
from gradviz.recording.schema import TABLES


def export_run(
    run: Run, folder: Path | str, format: str = "parquet", tables: Sequence[str] | None = None, *, force: bool = False
) -> list[Path]:
    """Write the run's tables (all of them if None) to `folder`/<table>.<format> and return the paths.

    List columns come out with one row per entry, as in `Run.tidy`. Files that exist are replaced with `force` only; nothing is
    written if one of them stands in the way.
    """
    if format not in WRITERS:
        raise unknown("export format", format, WRITERS)
    targets = {name: Path(folder) / f"{name}.{format}" for name in tables or TABLES}
    there = [path for path in targets.values() if path.exists()]
    if there and not force:
        raise GradvizError(f"{there[0]} exists already; choose another folder, or --force to replace it.")
    frames = {name: run.tidy(name) for name in targets}  # an unknown or damaged table is noticed before anything is written
    for name, path in targets.items():
        part = path.with_name(f".{path.name}.part")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            WRITERS[format](name, frames[name], part)
            os.replace(part, path)
        except OSError as error:
            with suppress(OSError):
                part.unlink()
            raise GradvizError(f"cannot write {path}: {error.strerror or error}. Give another folder.") from error
    return list(targets.values())

"""Recorded tables for other programs: one Parquet or CSV file a table, tidy; or one TensorBoard event file."""

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

from gradviz.errors import GradvizError, unknown
from gradviz.exchange.tensorboard import FILE, require, write_events
from gradviz.frames import WRITERS, Run
from gradviz.recording.schema import TABLES

TENSORBOARD = "tensorboard"
FORMATS = (*WRITERS, TENSORBOARD)


def export_run(
    run: Run, folder: Path | str, format: str = "parquet", tables: Sequence[str] | None = None, *, force: bool = False
) -> list[Path]:
    """Write the run's tables (all of them if None) to `folder`/<table>.<format> and return the paths.

    List columns come out with one row per entry, as in `Run.tidy`. With the format "tensorboard" all scalars and histograms go into one
    event file (see `gradviz.exchange.tensorboard`). Files that exist are replaced with `force` only; nothing is written if one of them
    stands in the way.
    """
    if format not in FORMATS:
        raise unknown("export format", format, FORMATS)
    names = list(tables or TABLES)
    targets = [Path(folder) / FILE] if format == TENSORBOARD else [Path(folder) / f"{name}.{format}" for name in names]
    there = [path for path in targets if path.exists()]
    if there and not force:
        raise GradvizError(f"{there[0]} exists already; choose another folder, or --force to replace it.")
    if format == TENSORBOARD:
        require()
        for name in names:
            run.facts(name)
        _write(targets[0], lambda part: write_events(run, part, names))
        return targets
    frames = {name: run.tidy(name) for name in names}  # an unknown or damaged table is noticed before anything is written
    for name, path in zip(names, targets, strict=True):
        _write(path, partial(WRITERS[format], name, frames[name]))
    return targets


def _write(path: Path, act: Callable[[Path], None]) -> None:
    """Let `act` write a file that is there whole or not at all."""
    part = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        act(part)
        os.replace(part, path)
    except OSError as error:
        raise GradvizError(f"cannot write {path}: {error.strerror or error}. Give another folder.") from error
    finally:
        with suppress(OSError):
            part.unlink()  # not there any more, if all went well

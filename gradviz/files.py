"""Files that are there whole or not at all."""

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from gradviz.errors import GradvizError

T = TypeVar("T")


def beside(path: Path) -> Path:
    """Where a file is written before it takes its place."""
    return path.with_name(f".{path.name}.part")


def replace(path: Path, data: bytes) -> None:
    """Write a file so that it is there whole or not at all."""
    part = beside(path)

    def write() -> None:
        try:
            part.write_bytes(data)
            os.replace(part, path)
        except OSError:
            with suppress(OSError):
                part.unlink()
            raise

    guard(path, write)


def guard(path: Path, act: Callable[[], T]) -> T:
    """Do something to the disk; where it fails, say what could not be written and why."""
    try:
        return act()
    except OSError as error:
        raise GradvizError(f"cannot write {path}: {error.strerror or error}. Give another folder, or make room there.") from error

"""The cache folder: token ids of large texts, in files that are mapped into memory.

It is the environment variable GRADVIZ_CACHE, or gradviz in XDG_CACHE_HOME, or ~/.cache/gradviz. It may be deleted at any time.

A text has two files: <name>.ids, the ids as they lie in memory, and <name>.json, which is written last and says how they lie. A file that
does not have the length and the checksum it should have is made anew.
"""

import json
import os
import zlib
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from gradviz.arrays import Integers
from gradviz.files import guard, replace

Kept = tuple[dict[str, Integers], dict[str, Any]]
KINDS = ("uint8", "uint16", "uint32")


def folder() -> Path:
    if given := os.environ.get("GRADVIZ_CACHE"):
        return Path(given)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "gradviz"


def write(name: str, kind: np.dtype[Any], pieces: Iterable[tuple[str, Integers]], facts: dict[str, Any]) -> Kept:
    """Keep the ids of parts, whose pieces come one part after the other, and plain facts; they are read back from the file."""
    path, counts, check = folder() / f"{name}.ids", dict[str, int](), 0
    partial = path.with_name(f"{path.name}.{os.getpid()}")

    def fill() -> None:
        nonlocal check
        partial.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("wb") as file:
            for part, piece in pieces:
                data = piece.tobytes()
                file.write(data)
                counts[part] = counts.get(part, 0) + len(piece)
                check = zlib.crc32(data, check)
        partial.replace(path)

    try:
        guard(partial, fill)
    finally:
        with suppress(OSError):
            partial.unlink()
    meta = {"kind": kind.name, "counts": counts, "crc32": check, "facts": facts}
    replace(path.with_suffix(".json"), json.dumps(meta).encode())
    kept = read(name)
    assert kept is not None, f"{path} was changed while it was written"
    return kept


def read(name: str) -> Kept | None:
    """Ids by part, mapped into memory, and the facts; None if they are not there or not whole."""
    path = folder() / f"{name}.ids"
    try:
        meta = json.loads(path.with_suffix(".json").read_bytes())
        kind, counts = np.dtype(meta["kind"]), {str(part): int(count) for part, count in meta["counts"].items()}
        total = sum(counts.values())
        if kind.name not in KINDS or path.stat().st_size != total * kind.itemsize:
            return None
        ids = np.memmap(path, kind, "r", shape=(total,))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    if _checksum(ids) != meta["crc32"]:
        return None
    starts = np.cumsum([0, *counts.values()])
    return {part: ids[starts[k] : starts[k + 1]] for k, part in enumerate(counts)}, meta["facts"]


def _checksum(ids: Integers, piece: int = 1 << 22) -> int:
    check = 0
    for start in range(0, len(ids), piece):
        check = zlib.crc32(ids[start : start + piece].tobytes(), check)
    return check

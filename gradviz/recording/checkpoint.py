"""Everything a training needs to go on as if it had not been interrupted, in one file.

One file, for two could be torn apart: the arrays of one update beside the facts of another. It replaces the older one at once, so that
there is always a whole one. Arrays lie in a .safetensors file, the rest as JSON in its header, with a checksum over both.
"""

import json
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from gradviz import __version__
from gradviz.arrays import Array
from gradviz.errors import RunError
from gradviz.files import replace
from gradviz.recording.segments import CHECKPOINT

VERSION = 2  # 2: options changed on the way, under the fact `changes`. Where there are none it is 1, which older versions read too
Tree = dict[str, Any]  # arrays at the ends, names without "/"


@dataclass(frozen=True)
class Checkpoint:
    """updates: how many are done; rows: how many each table had; arrays: a tree; facts: JSON values; digest: of what is learned."""

    updates: int
    rows: dict[str, int]
    arrays: Tree
    facts: dict[str, Any]
    digest: str


def save_checkpoint(folder: Path, checkpoint: Checkpoint) -> None:
    arrays = {name: np.asarray(array, order="C") for name, array in _flat(checkpoint.arrays).items()}
    said = {
        "schema": VERSION if checkpoint.facts.get("changes") else 1,
        "gradviz": __version__,
        "updates": checkpoint.updates,
        "rows": checkpoint.rows,
        "digest": checkpoint.digest,
        "facts": checkpoint.facts,
    }
    text = json.dumps(said, ensure_ascii=False)
    replace(folder / CHECKPOINT, save(arrays, {"checkpoint": text, "crc32": _checksum(text, arrays)}))


def read_checkpoint(folder: Path) -> Checkpoint:
    """The latest one. A RunError says what is wrong, and how to start anew."""
    path = folder / CHECKPOINT
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise RunError(
            f"{folder} has no checkpoint to go on from: it ended before the first one, or an older gradviz wrote it. {anew(folder)}"
        ) from None
    except OSError as error:
        raise RunError(f"{path} cannot be read: {error.strerror}.") from error
    try:
        said, arrays = _parse(data)
        if said["schema"] not in range(1, VERSION + 1):
            raise RunError(
                f"{path} has schema {said['schema']}, written by gradviz {said['gradviz']}; this is gradviz {__version__}, which goes on "
                f"from schemas up to {VERSION}. Resume with that gradviz. {anew(folder, 'Or start')}"
            )
        return Checkpoint(said["updates"], said["rows"], _tree(arrays), said["facts"], said["digest"])
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError, SafetensorError) as error:
        raise RunError(f"{path} is damaged: {error}. The tables can still be read. {anew(folder)}") from error


def anew(folder: Path, start: str = "Start") -> str:
    """What to do where a run cannot go on."""
    return f"{start} anew with `gradviz train … --out {folder.parent} --name {folder.name} --force`."


def _parse(data: bytes) -> tuple[dict[str, Any], dict[str, Array]]:
    arrays = load(data)
    header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])["__metadata__"]
    if header["crc32"] != _checksum(header["checkpoint"], arrays):
        raise ValueError("its checksum is wrong")
    return json.loads(header["checkpoint"]), arrays


def _checksum(text: str, arrays: dict[str, Array]) -> str:
    """Of the facts, and of each array's name, type, shape and numbers."""
    crc = zlib.crc32(text.encode())
    for name in sorted(arrays):
        array = arrays[name]
        crc = zlib.crc32(f"{name} {array.dtype.str} {array.shape}".encode(), crc)
        crc = zlib.crc32(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data, crc)
    return f"{crc:08x}"


def _flat(tree: Tree, above: str = "") -> dict[str, Array]:
    flat: dict[str, Array] = {}
    for name, item in tree.items():
        flat |= _flat(item, f"{above}{name}/") if isinstance(item, dict) else {f"{above}{name}": item}
    return flat


def _tree(flat: dict[str, Array]) -> Tree:
    tree: Tree = {}
    for name, array in flat.items():
        *above, last = name.split("/")
        place = tree
        for part in above:
            place = place.setdefault(part, {})
        place[last] = array.copy()  # those of a file cannot be written to
    return tree

"""Weights as .safetensors: a header that is checked, and numbers. Nothing in such a file can run.

A file of PyTorch's own kind (.pt, .pth, .bin) is a pickle, which runs code when it is opened, and is refused.
"""

import dataclasses
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, deserialize
from safetensors.numpy import save

from gradviz import __version__, options
from gradviz.arrays import Array, Parameters
from gradviz.batch import Signature
from gradviz.bridges.layout import GATES, Prefixes
from gradviz.bridges.weights import from_torch, to_torch
from gradviz.cells import CELLS, Cell
from gradviz.errors import GradvizError
from gradviz.files import replace
from gradviz.network import Network

HEADER = 100_000_000  # the format's own limit of its header
KINDS = {"F64": np.float64, "F32": np.float32, "F16": np.float16}
PICKLES = (b"PK\x03\x04", b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")  # zip archive; pickle protocols 2 to 5


def save_weights(network: Network, path: Path | str, prefixes: Prefixes | None = None) -> None:
    """Write the parameters as .safetensors, under PyTorch's names where PyTorch has such a module, else under gradviz's own.

    The file says what cell they are of. `safetensors.torch.load_file` opens it; see `to_torch` for prefixes.
    """
    name = CELLS.name_of(network.model.cell)
    there = name in GATES and len(network.parts.parts) == 1
    arrays = to_torch(network, prefixes) if there or prefixes else network.parameters
    facts = {"format": "pt", "gradviz": __version__, "gradviz.cell": json.dumps({"name": name, **options.to_dict(network.model.cell)})}
    if prefixes is None or None not in (prefixes.readout, prefixes.embedding):  # a part of a network has no signature
        facts["gradviz.signature"] = json.dumps(dataclasses.asdict(network.signature))
    replace(Path(path), save({key: np.ascontiguousarray(array) for key, array in arrays.items()}, facts))


def load_weights(
    path: Path | str,
    network: Network | None = None,
    *,
    cell: Cell | None = None,
    signature: Signature | None = None,
    prefixes: Prefixes | None = None,
) -> Network:
    """The network whose weights a .safetensors file holds, or `network` with them: PyTorch's, `save_weights`' or a run's. See `from_torch`.

    What gradviz wrote says its cell and signature itself.
    """
    arrays, facts = _read(Path(path))
    try:
        if "gradviz.cell" in facts:
            rest = json.loads(facts["gradviz.cell"])
            cell = cell or options.from_dict(CELLS[rest.pop("name")], rest)
        if "gradviz.signature" in facts and network is None:
            signature = signature or _signature(json.loads(facts["gradviz.signature"]))
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise GradvizError(f"{path} is damaged: what it says of its network makes no sense ({error}).") from error
    try:
        return from_torch(arrays, network, cell=cell, signature=signature, prefixes=prefixes)
    except GradvizError as error:
        raise type(error)(f"{path}: {error}") from error


def _signature(values: dict[str, Any]) -> Signature:
    wanted = {"inputs": int, "outputs": int, "tokens": bool, "loss": str, "at": str, "decoder": int}
    if {name: type(value) for name, value in values.items()} != wanted:
        raise ValueError(f"signature {values}")
    return Signature(**values)


def _read(path: Path) -> tuple[Parameters, dict[str, str]]:
    """Arrays by name, in float64 or float32, and the file's metadata."""
    data, length = _bytes(path)
    try:
        entries = deserialize(data)  # type: ignore[no-untyped-call]
        facts = json.loads(data[8 : 8 + length]).get("__metadata__") or {}
        strange = [f"{name} ({entry['dtype']})" for name, entry in entries if entry["dtype"] not in (*KINDS, "BF16")]
        if strange:
            raise GradvizError(f"{path} holds {', '.join(strange)}; weights are F64, F32, F16 or BF16. Leave the others out.")
        return {name: _array(entry) for name, entry in entries}, facts
    except (SafetensorError, ValueError, OverflowError) as error:
        raise GradvizError(f"{path} is damaged or no .safetensors file: {error}.") from error


def _bytes(path: Path) -> tuple[bytes, int]:
    """The whole file and the length of its header, once its first bytes make sense: nothing large is read in vain."""
    if path.exists() and not path.is_file():
        raise GradvizError(f"{path} is no file; weights are one .safetensors file.")
    try:
        with path.open("rb") as file:
            start, size = file.read(8), os.fstat(file.fileno()).st_size
            length = int.from_bytes(start, "little")
            if len(start) == 8 and length <= min(HEADER, size - 8):
                return start + file.read(), length
    except OSError as error:
        raise GradvizError(f"{path} cannot be read: {error.strerror}.") from error
    if start.startswith(PICKLES):
        raise GradvizError(
            f"{path} is a pickle, as torch.save writes it: opening one can run any code, so gradviz opens none. With PyTorch, convert it: "
            'safetensors.torch.save_file(torch.load("weights.pt", weights_only=True), "weights.safetensors").'
        )
    raise GradvizError(f"{path} is no .safetensors file, or not all of it: its {size} bytes do not begin with the length of a header.")


def _array(entry: dict[str, Any]) -> Array:
    """float16 and bfloat16, the upper half of a float32, become float32."""
    data, shape = entry["data"], entry["shape"]
    if entry["dtype"] == "BF16":
        wide = np.frombuffer(data, "<u2").astype("<u4") << 16
        return wide.view("<f4").reshape(shape)
    values: Array = np.frombuffer(data, KINDS[entry["dtype"]]).reshape(shape)
    return values.astype(np.float32) if entry["dtype"] == "F16" else values

"""A text that a reader brings along to train on: looked at before it is kept, and kept below the folder of runs."""

import hashlib
import re
from pathlib import Path

from gradviz.errors import GradvizError
from gradviz.files import guard, replace

FOLDER = ".texts"  # below the folder of runs; hidden, so that nobody looks for runs in it
MEGABYTES = 5
PIECES = 25  # a text must have so many times the length of a sequence: a twentieth of it is held out


def checked(name: str, data: bytes, length: int) -> str:
    """The text, or a GradvizError that says why nothing can be learned from it. length: characters of a sequence."""
    if len(data) > MEGABYTES * 2**20:
        raise GradvizError(
            f"{name} has {len(data) / 2**20:.1f} megabytes; at most {MEGABYTES} can be uploaded. For a larger text use the command line."
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise GradvizError(
            f"{name} is not UTF-8 text: byte {data[error.start]:#04x} at offset {error.start}. Save it as UTF-8 and choose it again."
        ) from error
    if "\0" in text:
        raise GradvizError(f"{name} is no text: it has a zero byte at offset {text.index(chr(0))}. Choose a plain text file.")
    if len(text) < PIECES * length:
        raise GradvizError(
            f"{name} has {len(text)} characters; sequences of {length} need at least {PIECES * length}. "
            "Choose a longer text or shorter sequences."
        )
    return text


def keep(name: str, data: bytes, runs: Path) -> Path:
    """Keep a text that was looked at. Its name there is made from its own and its content: the same text is kept once."""
    folder = runs.resolve() / FOLDER
    if folder.is_symlink():
        raise GradvizError(f"{folder} is a link; texts are kept in the folder of runs only.")
    guard(folder, lambda: folder.mkdir(parents=True, exist_ok=True))
    plain = re.sub(r"[^A-Za-z0-9]+", "-", Path(name).stem)[:40].strip("-") or "text"
    path = folder / f"{plain}-{hashlib.sha256(data).hexdigest()[:12]}.txt"
    if not path.is_file() or path.is_symlink():
        replace(path, data)
    return path

"""A text to learn from: the one that comes with Python, a file, or a folder of files. It is read piece by piece, as often as wanted."""

import codecs
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from pydoc_data.topics import topics

from gradviz.errors import GradvizError

PIECE = 1 << 20  # bytes read at once


@dataclass(frozen=True)
class Corpus:
    """source: where the text comes from, in words; files: in the order in which they are read, none for the built-in text."""

    source: str
    files: tuple[Path, ...] = ()

    def pieces(self) -> Iterator[str]:
        """The text, in pieces of no particular length. Files follow one another on a new line, without their byte order marks."""
        if not self.files:
            yield "".join(topics[name] for name in sorted(topics))
        for number, path in enumerate(self.files):
            last = ""
            for piece in _decoded(path):
                last = piece[-1]
                yield piece
            if last != "\n" and number < len(self.files) - 1:
                yield "\n"


def built_in() -> Corpus:
    """The texts of Python's own help(), in the order of their names: half a million characters, which vary with Python's version."""
    return Corpus("the help texts of Python, pydoc_data.topics")


def at(path: str | Path) -> Corpus:
    """A UTF-8 file, or all files in a folder and the folders in it, in the order of their paths; hidden ones and links are left out."""
    path = Path(path)
    if not path.is_dir():
        return Corpus(str(path), (path,))
    found = []
    for folder, folders, names in os.walk(path):
        folders[:] = [name for name in folders if not name.startswith(".")]
        inside = [Path(folder, name) for name in names if not name.startswith(".")]
        found += [file for file in inside if file.is_file() and not file.is_symlink()]
    if not found:
        raise GradvizError(f"the folder {path} holds no files; give a folder of UTF-8 texts, or one file.")
    return Corpus(str(path), tuple(sorted(found)))


def _decoded(path: Path) -> Iterator[str]:
    decoder, done = codecs.getincrementaldecoder("utf-8")(), 0
    try:
        with path.open("rb") as file:
            while data := file.read(PIECE):
                piece = _decode(decoder, data, path, done)
                piece = piece.removeprefix("\ufeff") if not done else piece
                done += len(data)
                if piece:
                    yield piece
    except OSError as error:
        raise GradvizError(f"cannot read the text {path}: {error.strerror}. Give the path of a UTF-8 text file, or of a folder.") from error
    _decode(decoder, b"", path, done)


def _decode(decoder: codecs.IncrementalDecoder, data: bytes, path: Path, done: int) -> str:
    """`done`: bytes read before; no data ends the text."""
    waiting = len(decoder.getstate()[0])  # the beginning of a character whose rest is still to come
    try:
        return decoder.decode(data, final=not data)
    except UnicodeDecodeError as error:
        raise GradvizError(
            f"the text {path} is not UTF-8: byte {error.object[error.start]:#04x} at offset {done - waiting + error.start}. Save it as "
            "UTF-8, or take it out of the folder, then try again."
        ) from error

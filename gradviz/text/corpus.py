"""A text to learn from: the one that comes with Python, or a file."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from pydoc_data.topics import topics

from gradviz.errors import GradvizError


@dataclass(frozen=True)
class Corpus:
    """A text and where it comes from."""

    text: str
    source: str

    @property
    def sha256(self) -> str:
        """Of the text in UTF-8: two runs with the same value read the same text."""
        return hashlib.sha256(self.text.encode()).hexdigest()


def built_in() -> Corpus:
    """The texts of Python's own help(), in the order of their names: half a million characters, which vary with Python's version."""
    return Corpus("".join(topics[name] for name in sorted(topics)), "the help texts of Python, pydoc_data.topics")


def read(path: str | Path) -> Corpus:
    """A UTF-8 file as it is, without a byte order mark."""
    path = Path(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise GradvizError(f"cannot read the text {path}: {error.strerror}. Give the path of a UTF-8 text file.") from error
    try:
        text = data.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise GradvizError(
            f"the text {path} is not UTF-8: byte {data[error.start]:#04x} at offset {error.start}. Save it as UTF-8, then try again."
        ) from error
    if not text:
        raise GradvizError(f"the text {path} is empty; give a file with text in it.")
    return Corpus(text, str(path))

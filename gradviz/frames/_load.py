"""From folders to runs."""

from collections.abc import Iterable
from pathlib import Path

from gradviz.errors import RunError
from gradviz.frames._labels import label_runs
from gradviz.frames._run import Run
from gradviz.recording.reading import find_runs, read_meta


def load(path: Path | str) -> Run:
    """The run in a folder. A run without tables yet has empty frames; a folder that holds no run is a RunError."""
    return label_runs([Run(Path(path), read_meta(path), "")])[0]


def load_runs(where: Path | str | Iterable[Path | str]) -> list[Run]:
    """All runs in a folder, or the runs of several folders, in the order of every comparison, each with a label of its own."""
    if not isinstance(where, str | Path):
        return label_runs([load(path) for path in where])
    found = find_runs(where)
    if not found:
        read_meta(where)  # says what is wrong
        raise RunError(f"there are no runs in {where}.")
    return label_runs([load(path) for path in found])

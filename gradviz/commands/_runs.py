"""What train and compare share: where runs go, what they are called, and what is said at the end."""

import argparse
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from gradviz.commands._console import printable, relative, say
from gradviz.commands._scores import scores
from gradviz.commands._table import show_runs
from gradviz.errors import GradvizError, RunError
from gradviz.flags import Given

if TYPE_CHECKING:
    from gradviz.frames import Run

OUT = "gradviz-runs"


def add_where(parser: argparse.ArgumentParser) -> None:
    """What to learn and where to put it."""
    parser.add_argument("text", nargs="?", metavar="TEXT", help="a UTF-8 text file to learn: short for --task text --task.file TEXT")
    parser.add_argument("--out", type=Path, default=Path(OUT), metavar="FOLDER", help=f"folder for the runs (default ./{OUT})")
    parser.add_argument("--force", action="store_true", help="replace a run of the same --name")


def with_text(given: Given, text: str | None) -> Given:
    """The positional text file as the two flags it stands for."""
    if text is None:
        return given
    if given.get("task", ["text"]) != ["text"] or "task.file" in given:
        raise GradvizError(f"the text file {text!r} stands for --task text --task.file {text!r}: do not give another task or file as well.")
    return {**given, "task": ["text"], "task.file": [text]}


def make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise GradvizError(f"cannot make the folder {folder}: {error.strerror}. Give another --out.") from error


def check_out(out: Path, force: bool) -> None:
    """Whether a file can be written there: said before the work, not after."""
    if out.is_dir():
        raise GradvizError(f"{out} is a folder; give the name of a file.")
    if out.exists() and not force:
        raise GradvizError(f"{out} exists already. Give another name with -o, or say --force to replace it.")


def finish(runs: Sequence["Run"], folder: Path) -> None:
    """The table of the runs just made, and what to do next."""
    show_runs(runs)
    for run in runs:
        for line in [*scores(run), *run.answers]:
            say(printable(f"{run.name}: {line}"))
    say(f"Recorded in {relative(folder)}. To look at it:\n  gradviz dashboard {shlex.quote(relative(folder))}")


def readable(asked: Sequence[Path]) -> "list[Run]":
    """The runs asked for. One named by itself must be readable; of a folder of runs a damaged one is left out, and that is said."""
    from gradviz.frames import load
    from gradviz.recording.reading import find_runs

    runs = []
    for path in asked:
        below = find_runs(path) if path.is_dir() else []
        if path.is_dir() and not below and not (path / "run.json").exists():
            raise RunError(f"there are no runs in {path}; give a run folder, or a folder of runs.")
        for folder in below or [path]:
            try:
                runs.append(load(folder))
            except RunError as error:
                if folder == path:
                    raise
                print(f"gradviz: left out: {error}", file=sys.stderr)
    return runs

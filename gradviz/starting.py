"""Trainings as processes of their own, which go on when whoever started them has gone.

A process is the command line itself. What it says goes into a file in its run's folder, which it holds locked as long as it lives: so
anybody can tell whether it does, and after a failed start what it said last.
"""

import os
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gradviz.config import Experiment
from gradviz.demo import experiments
from gradviz.errors import GradvizError
from gradviz.files import guard
from gradviz.flags import Flag, all_flags
from gradviz.naming import check_name, name_of
from gradviz.recording.lock import hold, taken
from gradviz.recording.segments import META

LOG = "train.log"
DEMO = ".demo.log"
AT_ONCE = 8  # trainings that may run at the same time
TAIL = 4000  # bytes of a log in which its last message is looked for

COMMAND = (sys.executable, "-m", "gradviz")

_children: list[subprocess.Popen[bytes]] = []  # kept until they have ended, so that none is left over as a zombie


@dataclass(frozen=True)
class Begun:
    """A training that has been started and has recorded nothing yet. error: what it said if it has ended so, else empty."""

    name: str
    error: str


def start(experiment: Experiment, out: Path | str) -> Path:
    """Train an experiment in a process of its own, into a new folder below `out`, which is returned at once. Its name is the experiment's,
    or made from it; one that is taken gets a number. What is wrong with it shows in `begun` a moment later."""
    out = Path(out).resolve()
    check_name(experiment.name or name_of(experiment))
    if len(_busy(out)) >= AT_ONCE:
        raise GradvizError(f"{AT_ONCE} trainings are running already; wait until one has ended, or stop one.")
    folder = _reserved(out, experiment.name or name_of(experiment))
    _launch(["train", *typed(experiment), f"--out={out}", f"--name={folder.name}"], folder / LOG)
    return folder


def start_again(folder: Path | str) -> None:
    """Go on with a run that has ended before its time, in a process of its own."""
    folder = Path(folder).resolve()
    _launch(["resume", str(folder)], folder / LOG)


def typed(experiment: Experiment) -> list[str]:
    """The flags of `gradviz train` that make this experiment; those at their default and its name are left out."""
    values = experiment.to_dict()
    return [text for flag in all_flags() if flag.name != "name" for text in _flag(flag, values)]


def _flag(flag: Flag, values: dict[str, Any]) -> list[str]:
    *above, last = flag.path
    for part in above:
        values = values[part]
    if flag.registry is not None:
        chosen = values[last]["name"]
        return [] if chosen == flag.field.metadata["default"] else [f"--{flag.name}={chosen}"]
    owner = flag.owners.get(values["name"]) if flag.chooser else flag.field
    if owner is None or values[last] == owner.default:
        return []
    if flag.is_switch:
        return [f"--{'' if values[last] else 'no-'}{flag.name}"]
    return [f"--{flag.name}={values[last]}"]


def begun(out: Path | str) -> list[Begun]:
    """Trainings below `out` that were started here and have no run yet, by name."""
    _reap()
    logs = [log for log in _logs(Path(out)) if not (log.parent / META).exists()]
    return [Begun(log.parent.name, "" if taken(log) else said(log)) for log in logs]


def forget(folder: Path) -> None:
    """Remove what a start that failed has left: its log, and its folder if nothing else is in it."""
    if folder.is_symlink() or (folder / META).exists():
        return
    with suppress(OSError):
        (folder / LOG).unlink()
        folder.rmdir()


def said(log: Path) -> str:
    """The last message in a log: what the command line gave as its reason, or else the last line."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - TAIL))
            lines = file.read(TAIL).decode("utf-8", "replace").splitlines()
    except OSError as error:
        return f"what it said cannot be read: {error.strerror}."
    lines = [line.strip() for line in lines if line.strip()]
    reasons = [line.removeprefix("gradviz: ") for line in lines if line.startswith("gradviz: ")]
    return (reasons or lines or ["it ended without a word."])[-1]


# ---------------------------------------------------------------------- the demo


@dataclass(frozen=True)
class Demo:
    """running: whether it is being made; error: what it said last if it has ended; began: whether it was ever started here."""

    running: bool
    error: str
    began: bool


def start_demo(out: Path | str, *, quick: bool = False) -> None:
    """Make the demo's runs in `out`. A GradvizError if that is going on already."""
    out = Path(out).resolve()
    guard(out, lambda: out.mkdir(parents=True, exist_ok=True))
    _launch(["demo", f"--out={out}", *(["--quick"] if quick else [])], out / DEMO)


def demo(out: Path | str) -> Demo:
    _reap()
    log = Path(out) / DEMO
    began = log.is_file() and not log.is_symlink()
    running = began and taken(log)
    return Demo(running, said(log) if began and not running else "", began)


def demo_names() -> list[str]:
    return sorted(experiments())


# ---------------------------------------------------------------------- processes


def _reserved(out: Path, name: str) -> Path:
    """A new folder of this name, or of the first name-2, name-3 … that is free: of two who ask, each gets one."""
    guard(out, lambda: out.mkdir(parents=True, exist_ok=True))
    number, folder = 1, out / name
    while True:
        try:
            folder.mkdir()
            return folder
        except FileExistsError:
            number += 1
            folder = out / f"{name}-{number}"
        except OSError as error:
            raise GradvizError(f"cannot make the folder {folder}: {error.strerror}.") from error


def _busy(out: Path) -> list[Path]:
    return [log for log in _logs(out) if taken(log)]


def _logs(out: Path) -> list[Path]:
    """Those in `out` itself: links may lead anywhere."""
    return [log for log in sorted(out.glob(f"*/{LOG}")) if not log.is_symlink() and not log.parent.is_symlink()]


def _launch(arguments: list[str], log: Path) -> None:
    """Run the command line in a session of its own, so that neither Ctrl-C in a terminal nor the end of this process reaches it."""
    _reap()
    follow = os.O_NOFOLLOW if "O_NOFOLLOW" in dir(os) else 0
    number = guard(log, lambda: os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | follow, 0o644))
    try:
        if not hold(number):
            raise GradvizError(f"{log.parent.name} is being worked on already; wait until that has ended.")
        os.ftruncate(number, 0)
        nothing = subprocess.DEVNULL
        _children.append(subprocess.Popen([*COMMAND, *arguments], stdin=nothing, stdout=number, stderr=number, start_new_session=True))
    finally:
        os.close(number)


def _reap() -> None:
    _children[:] = [child for child in _children if child.poll() is None]

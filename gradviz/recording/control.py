"""What another process asks of a training while it runs: pause, go on, stop, another clipping threshold.

It lies as one small file in the run's folder, {"pause": true, "stop": true, "threshold": 0.5}, each entry as needed. The trainer takes it
away between two updates. The file comes from outside: it may be anything, and it is never more than a request.
"""

import json
import os
import stat
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gradviz.clipping import CLIPPING, Clipping
from gradviz.errors import GradvizError, RunError
from gradviz.files import beside, replace
from gradviz.options import from_dict
from gradviz.recording.reading import read_meta
from gradviz.recording.segments import CONTROL

MOST = 1000  # bytes of a request
KNOWN = ("pause", "stop", "threshold")


@dataclass(frozen=True)
class Wish:
    """pause: True to pause, False to go on, None to leave that as it is; threshold: the new value of the clipping rule's dial."""

    pause: bool | None = None
    stop: bool = False
    threshold: float | None = None


def ask(folder: Path | str, wish: Wish) -> None:
    """Ask a training that runs; it answers between two updates. What was asked before and not taken yet still holds.

    Raises: a RunError for a run that is not in training; a GradvizError for a threshold that its clipping rule cannot have.
    """
    folder = Path(folder)
    meta = read_meta(folder)
    if meta.get("status") != "running":
        raise RunError(f"{folder} is not in training: it is {meta.get('status')}.")
    if wish.threshold is not None:
        rule_of(meta).turned(wish.threshold)
    before = _waiting(folder / CONTROL)
    said = {
        "pause": before.pause if wish.pause is None else wish.pause,
        "stop": before.stop or wish.stop,
        "threshold": before.threshold if wish.threshold is None else wish.threshold,
    }
    replace(folder / CONTROL, json.dumps({name: value for name, value in said.items() if value is not None}).encode())


def _waiting(path: Path) -> Wish:
    """What was asked and not taken yet; nothing if there is nothing that could be obeyed."""
    try:
        return _parsed(path.read_bytes()) if stat.S_ISREG((facts := os.lstat(path)).st_mode) and facts.st_size <= MOST else Wish()
    except (OSError, GradvizError):
        return Wish()


def rule_of(meta: dict[str, Any]) -> Clipping:
    """The clipping rule that a run has now: the one it began with, and what was changed since."""
    try:
        said = dict(meta["experiment"]["training"]["clipping"])
        rule: Clipping = from_dict(CLIPPING[said.pop("name")], said)
        for change in meta.get("changes") or []:
            rule = rule.turned(change["after"])
    except (KeyError, TypeError, ValueError) as error:
        raise RunError(f"this run does not say how it clips: {error}") from error
    return rule


class Mailbox:
    """The trainer's end."""

    def __init__(self, folder: Path) -> None:
        self._path, self._refused = folder / CONTROL, (0, 0)

    def clear(self) -> None:
        """Forget what was asked of a training that has ended."""
        with suppress(OSError):
            os.unlink(self._path)

    def take(self) -> Wish | None:
        """What is asked, once; None if nothing is, which costs one look at the folder. A GradvizError for what cannot be understood,
        once as well."""
        try:
            facts = os.lstat(self._path)
        except OSError:
            return None
        if (facts.st_ino, facts.st_mtime_ns) == self._refused:
            return None
        if not stat.S_ISREG(facts.st_mode):
            self._refused = facts.st_ino, facts.st_mtime_ns  # a folder, say, may have come to stay
            self.clear()
            raise GradvizError(f"{CONTROL} is not a plain file; it was left unread.")
        try:
            taken = beside(self._path)
            os.replace(self._path, taken)  # one that comes now is the next
            with taken.open("rb") as file:
                data = file.read(MOST + 1)
            os.unlink(taken)
        except OSError as error:
            self._refused = facts.st_ino, facts.st_mtime_ns
            raise GradvizError(f"{CONTROL} cannot be read: {error.strerror}.") from error
        return _parsed(data)


def _parsed(data: bytes) -> Wish:
    if len(data) > MOST:
        raise GradvizError(f"{CONTROL} is longer than {MOST} bytes; it was left unread.")
    try:
        said = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise GradvizError(f"{CONTROL} is not JSON: {error}") from error
    if not isinstance(said, dict) or not set(said) <= set(KNOWN):
        raise GradvizError(f"{CONTROL} must be an object with no other entries than {', '.join(KNOWN)}.")
    for name, kinds in (("pause", (bool,)), ("stop", (bool,)), ("threshold", (int, float))):
        if said.get(name) is not None and type(said[name]) not in kinds:
            raise GradvizError(
                f"{CONTROL}: {name} is {str(said[name])[:40]!r}; it must be {'a number' if len(kinds) > 1 else 'true or false'}."
            )
    return Wish(said.get("pause"), bool(said.get("stop")), said.get("threshold"))

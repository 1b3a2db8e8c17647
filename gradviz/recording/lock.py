"""One writer a run. The operating system holds the lock, so that it ends with its process, however that ends."""

import os
import sys
import weakref
from pathlib import Path

from gradviz.errors import RunError

FILE = ".lock"  # where a folder itself cannot be locked


class Lock:
    """Holds a folder until `release`, or until nobody knows the lock any more."""

    def __init__(self, folder: Path) -> None:
        number = _opened(folder)
        self._end = weakref.finalize(self, os.close, number) if number is not None else None
        if number is not None and not _taken(number):
            self.release()
            raise RunError(f"{folder} is being written by another process. Wait until that ends, or stop it first.")

    def release(self) -> None:
        if self._end is not None:
            self._end()


def taken(path: Path) -> bool:
    """Whether another process holds this folder or file. Where that cannot be known: no."""
    try:
        number = os.open(path, os.O_RDONLY | NONBLOCK)
    except OSError:
        return False
    try:
        return not _taken(number, shared=True)
    finally:
        os.close(number)


def hold(number: int) -> bool:
    """Lock an open file, for as long as any process has it open that inherits it. False if another one holds it."""
    return _taken(number)


if sys.platform == "win32":
    import msvcrt

    NONBLOCK = 0

    def _opened(folder: Path) -> int | None:
        try:
            return os.open(folder / FILE, os.O_RDWR | os.O_CREAT)
        except OSError:  # what is wrong with the folder shows when something is written
            return None

    def _taken(number: int, *, shared: bool = False) -> bool:
        try:
            msvcrt.locking(number, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    NONBLOCK = os.O_NONBLOCK  # a pipe without a writer would make whoever asks wait

    def _opened(folder: Path) -> int | None:
        try:
            return os.open(folder, os.O_RDONLY)
        except OSError:  # what is wrong with the folder shows when something is written
            return None

    def _taken(number: int, *, shared: bool = False) -> bool:
        try:
            fcntl.flock(number, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:  # some network file systems know no locks: better unlocked than not at all
            return True
        return True

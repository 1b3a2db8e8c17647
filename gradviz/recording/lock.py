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


if sys.platform == "win32":
    import msvcrt

    def _opened(folder: Path) -> int | None:
        try:
            return os.open(folder / FILE, os.O_RDWR | os.O_CREAT)
        except OSError:  # what is wrong with the folder shows when something is written
            return None

    def _taken(number: int) -> bool:
        try:
            msvcrt.locking(number, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _opened(folder: Path) -> int | None:
        try:
            return os.open(folder, os.O_RDONLY)
        except OSError:  # what is wrong with the folder shows when something is written
            return None

    def _taken(number: int) -> bool:
        try:
            fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:  # some network file systems know no locks: better unlocked than not at all
            return True
        return True

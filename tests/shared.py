"""What takes long to make is made once, though several processes run the tests."""

import fcntl
import os
from collections.abc import Callable
from pathlib import Path

import pytest


def once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """The folder `name` that all processes of this test run share. `make` fills it, in the first that wants it; the others wait for that,
    and make it themselves should the first have failed or died. Not to be written to by tests."""
    base = factory.getbasetemp()
    top = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "shared"
    top.mkdir(exist_ok=True)
    made = top / name
    with (top / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # goes with the process that holds it
        if not made.exists():
            fresh = Path(factory.mktemp(name)) / name
            make(fresh)
            fresh.rename(made)
    return made

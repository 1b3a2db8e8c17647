"""What the tests share is made once, whole, and made again after a failure."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.shared import once


def test_it_is_made_once(tmp_path_factory: pytest.TempPathFactory) -> None:
    made: list[Path] = []
    folders = {once(tmp_path_factory, "thing", lambda folder: (folder.mkdir(), made.append(folder))) for _ in range(3)}
    assert len(made) == len(folders) == 1
    assert folders.pop().is_dir()


def test_what_failed_leaves_nothing(tmp_path_factory: pytest.TempPathFactory) -> None:
    def half(folder: Path) -> None:
        folder.mkdir()
        raise OSError("no")

    with pytest.raises(OSError, match="no"):
        once(tmp_path_factory, "half", half)
    whole = once(tmp_path_factory, "half", lambda folder: (folder.mkdir(), (folder / "all").touch()))
    assert [path.name for path in whole.iterdir()] == ["all"]


def test_others_wait_for_the_one_that_makes_it(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Each takes the lock on a file of its own opening, as processes do."""
    made: list[Path] = []

    def make(folder: Path) -> None:
        time.sleep(0.1)
        made.append(folder)
        folder.mkdir()

    with ThreadPoolExecutor(3) as pool:
        assert all(folder.is_dir() for folder in pool.map(lambda _: once(tmp_path_factory, "between", make), range(3)))
    assert len(made) == 1

"""The command line inside the test's own process."""

from collections.abc import Callable
from pathlib import Path

import pytest

from gradviz import cli

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to stand in: commands write where they stand."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    return tmp_path


@pytest.fixture
def gradviz(here: Path, capsys: pytest.CaptureFixture[str]) -> Command:
    def run(*words: str) -> tuple[int, str, str]:
        """Exit status, stdout, stderr."""
        try:
            status = cli.main(words)
        except SystemExit as end:  # argparse: --help, --version, a missing argument
            status = end.code if isinstance(end.code, int) else 0
        said = capsys.readouterr()
        return status, said.out, said.err

    return run

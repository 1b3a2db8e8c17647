"""The documents say what is so."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from gradviz import extend
from gradviz.commands import COMMANDS
from gradviz.flags import all_flags
from tests.documents import ROOT, blocks_in, files_in

FOLDERS = {registry.package.replace(".", "/"): registry for registry in extend.REGISTRIES}
KINDS_OF_COMMAND = ("COMMAND", "NAME", "{command}")  # placeholders
DOCUMENTS = ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md")


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_registry_s_readme_names_its_entries_and_no_others(folder: str) -> None:
    text = (ROOT / folder / "README.md").read_text(encoding="utf-8")
    named = re.findall(r"^\| `(\w+)`", text, flags=re.MULTILINE)
    assert sorted(named) == FOLDERS[folder].names()
    assert len(text.splitlines()) < 40


def test_the_readme_s_python_runs_as_it_stands(tmp_path: Path) -> None:
    code = "\n".join(blocks_in("README.md"))
    assert "gradviz.train(" in code
    command = [sys.executable, "-W", "error", "-c", code]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert "norm_before" in done.stdout
    assert "layers.0.forward.cell (40, 8, 16)" in done.stdout
    assert (tmp_path / "waterfall.svg").read_text(encoding="utf-8").startswith("<?xml")
    assert (tmp_path / "report.html").stat().st_size > 10_000


@pytest.mark.parametrize("block", [*blocks_in("README.md"), *blocks_in("gradviz/dynamics/README.md")])
def test_a_block_of_a_readme_s_python_runs_alone(block: str, tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", block], cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr


def test_the_readme_s_two_commands_are_there_to_the_letter() -> None:
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    assert "python -m pip install . && gradviz demo" in lines
    assert 'python -m pip install -e ".[test]" && python -m pytest' in lines


def test_nobody_is_told_to_install_by_name() -> None:
    for document in DOCUMENTS:
        assert not re.search(r"pip install (-U )?gradviz", (ROOT / document).read_text(encoding="utf-8"))


def known_options() -> set[str]:
    """Everything that begins with two dashes and that some command takes."""
    files = [ROOT / "gradviz/cli.py", *(ROOT / "gradviz/commands").glob("*.py")]
    written = {option for file in files for option in re.findall(r'"(--[\w-]+)"', file.read_text(encoding="utf-8"))}
    return written | {f"--{flag.name}" for flag in all_flags()} | {"--help"}


@pytest.mark.parametrize("document", [*DOCUMENTS, "gradviz/cli.py", *(f"gradviz/commands/{name}.py" for name in COMMANDS.names())])
def test_commands_and_flags_in_the_documents_exist(document: str) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    lines = ["".join(found) for found in re.findall(r"^ *gradviz ([a-z].+)$|`gradviz ([^`]+)`", text, flags=re.MULTILINE)]
    if document == "README.md":
        assert len(lines) >= 5
    for line in lines:
        words = line.split("   ")[0].split()
        assert {"--extend", *COMMANDS.names(), *KINDS_OF_COMMAND} & set(words), line
        assert {word for word in words if word.startswith("--")} <= known_options() | {"--FLAG"}, line


def test_contributing_shows_a_file_of_each_kind() -> None:
    assert set(files_in("CONTRIBUTING.md")) == {"leaky.py", "spread.py", "spread_over_training.py", "soft.py"}


def test_every_file_a_document_names_exists() -> None:
    for document in DOCUMENTS:
        text = (ROOT / document).read_text(encoding="utf-8")
        for path in re.findall(r"`((?:gradviz|tests|dashboards|reports|benchmarks)/[\w./-]*|\.ci/run|\w+\.toml|\w+\.md)`", text):
            assert (ROOT / path).exists(), f"{document} names {path}"

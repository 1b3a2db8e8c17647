"""A wheel holds what the tree holds, nothing more and nothing less, all of it inside `gradviz`."""

import email
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

import gradviz

ROOT = Path(__file__).parents[2]
INSTALLED_AS = {"gradviz": "gradviz", "dashboards": "gradviz/dashboards", "reports": "gradviz/reports"}
LEFT_OUT = {"README.md", "__pycache__"}  # for people who read the repository; what Python makes by itself


def tree() -> dict[str, Path]:
    """Every file that belongs into a wheel, by its name there."""
    found = {}
    for folder, place in INSTALLED_AS.items():
        for path in (ROOT / folder).rglob("*"):
            inside = path.relative_to(ROOT / folder)
            if path.is_file() and not LEFT_OUT & set(inside.parts):
                found[f"{place}/{inside.as_posix()}"] = path
    return found


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """Built from a copy that holds nothing but the sources: no older build, no egg-info."""
    pytest.importorskip("build", reason="the package `build` is not installed: pip install -e '.[test]'")
    copy, out = tmp_path_factory.mktemp("copy"), tmp_path_factory.mktemp("wheel")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy / name)
    for folder in INSTALLED_AS:
        shutil.copytree(ROOT / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__"))
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(copy)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return zipfile.ZipFile(next(out.glob("*.whl")))


def test_the_wheel_s_files_are_the_tree_s(wheel: zipfile.ZipFile) -> None:
    inside = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert sorted(inside - set(tree())) == [], "only in the wheel"
    assert sorted(set(tree()) - inside) == [], "only in the tree: add the package or the package data to pyproject.toml"


def test_their_bytes_are_the_same(wheel: zipfile.ZipFile) -> None:
    for name, path in tree().items():
        assert wheel.read(name) == path.read_bytes(), name


def test_name_version_command_and_licence(wheel: zipfile.ZipFile) -> None:
    folder = f"gradviz_rnn-{gradviz.__version__}.dist-info"
    about = email.message_from_bytes(wheel.read(f"{folder}/METADATA"))
    assert (about["Name"], about["Version"], about["Requires-Python"]) == ("gradviz-rnn", gradviz.__version__, ">=3.11")
    assert b"gradviz = gradviz.cli:main" in wheel.read(f"{folder}/entry_points.txt")
    assert wheel.read(f"{folder}/licenses/LICENSE") == (ROOT / "LICENSE").read_bytes()


def test_constraints_pin_every_direct_dependency_and_hold_no_address() -> None:
    from packaging.requirements import Requirement

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    assert not [line for line in lines if "://" in line or "@" in line]
    pins = [Requirement(line) for line in lines if line and not line.startswith("#")]
    for wanted in map(Requirement, [*project["dependencies"], *project["optional-dependencies"]["test"]]):
        pinned = [pin for pin in pins if pin.name.lower() == wanted.name.lower()]
        assert pinned, wanted
        assert all(wanted.specifier.contains(str(pin.specifier).removeprefix("==")) for pin in pinned), wanted

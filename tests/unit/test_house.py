"""The house keeps its own rules: sizes, directions that import-linter cannot see, and nothing that does not belong."""

import ast
import re
import subprocess
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted(path for folder in ("gradviz", "dashboards", "reports") for path in (ROOT / folder).rglob("*.py"))
LONGEST_FILE, LONGEST_FUNCTION = 250, 40


def names(paths: list[Path]) -> list[str]:
    return [str(path.relative_to(ROOT)) for path in paths]


def functions(tree: ast.AST) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines from the first statement after the docstring to the last."""
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def imports(tree: ast.AST) -> set[str]:
    """Modules that are imported, wherever the import stands."""
    plain = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    return plain | {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module}


@pytest.mark.parametrize("path", SOURCES, ids=names(SOURCES))
def test_files_and_functions_are_short(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= LONGEST_FILE
    long = {function.name: body_lines(function) for function in functions(ast.parse(text)) if body_lines(function) > LONGEST_FUNCTION}
    assert not long


@pytest.mark.parametrize("path", SOURCES, ids=names(SOURCES))
def test_nothing_that_runs_data_or_opens_the_door(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    assert not imports(tree) & {"pickle", "marshal", "shelve", "dill", "cloudpickle"}
    called = {node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
    assert not called & {"eval", "exec", "hasattr"}
    assert not re.search(r"\b(TODO|FIXME|XXX)\b", text)


def test_only_the_command_line_knows_the_pages() -> None:
    """dashboards/ and reports/ lie beside the package, where import-linter does not connect them with it."""
    for path in SOURCES:
        inside = path.relative_to(ROOT).parts
        above = {name.split(".")[1] for name in imports(ast.parse(path.read_text(encoding="utf-8"))) if name.startswith("gradviz.")}
        above &= {"dashboards", "reports", "commands", "cli"}
        allowed = {
            "dashboards": {"dashboards", "reports"},
            "reports": {"reports"},
            "gradviz/commands": {"dashboards", "reports", "commands"},
            "gradviz/cli.py": {"commands"},
            "gradviz/__main__.py": {"cli"},
            "gradviz/__init__.py": {"reports"},  # for type checkers; opened when first used
        }
        keys = (inside[0], "/".join(inside[:2]))
        assert above <= set().union(*(allowed.get(key, set()) for key in keys)), path


@pytest.mark.slow
def test_imports_run_one_way() -> None:
    """The contracts in pyproject.toml: layers, and who may know which package."""
    tool = Path(sysconfig.get_path("scripts")) / "lint-imports"
    done = subprocess.run([tool, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 broken" in done.stdout

"""`import gradviz` is cheap, and everything it promises is there."""

import subprocess
import sys

import pytest

import gradviz

HEAVY = ("pandas", "plotly", "matplotlib", "streamlit", "jinja2", "pyarrow", "torch", "rich", "safetensors")
CORE = ("Experiment()", "Network", "GradvizError", "hooks")  # an experiment opens the registries


def loaded_after(code: str) -> set[str]:
    """Which of the heavy packages a fresh process has loaded after running `code`."""
    show = f"import sys; print(*(name for name in {(*HEAVY, 'numpy')!r} if name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", f"{code}\n{show}"], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_importing_gradviz_loads_nothing_heavy() -> None:
    assert loaded_after("import gradviz") == set()


@pytest.mark.parametrize("name", CORE)
def test_the_core_needs_numpy_alone(name: str) -> None:
    assert loaded_after(f"import gradviz; gradviz.{name}") <= {"numpy"}


def test_the_check_sees_what_is_loaded() -> None:
    assert "pandas" in loaded_after("import gradviz; gradviz.load")


def test_every_promised_name_is_there() -> None:
    for name in gradviz.__all__:
        assert getattr(gradviz, name) is not None
    assert set(gradviz.__all__) <= set(dir(gradviz))


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        gradviz.nonsense  # noqa: B018


def test_the_promise_to_type_checkers_is_the_promise_kept() -> None:
    """The imports under TYPE_CHECKING and the table behind __getattr__ name the same things in the same places."""
    import ast
    from pathlib import Path

    tree = ast.parse(Path(gradviz.__file__).read_text(encoding="utf-8"))
    (guarded,) = [node for node in tree.body if isinstance(node, ast.If)]
    said = {alias.asname: node.module for node in guarded.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    homes = {name: home.rpartition(".")[0] if home == f"gradviz.{name}" else home for name, home in gradviz._HOME.items()}
    assert said == homes

"""Packages that gradviz does without until somebody asks for what they do."""

from importlib import import_module
from typing import Any

from gradviz.errors import GradvizError


def optional(module: str, extra: str, what: str) -> Any:
    """The module; or an error that names the extra which brings it. what: what it is needed for, such as "TensorBoard event files"."""
    try:
        return import_module(module)
    except ImportError as error:
        package = module.split(".")[0]
        raise GradvizError(
            f"{what} need the package {package}: `python -m pip install {package}`, or install gradviz with its extra {extra}, "
            f'python -m pip install ".[{extra}]".'
        ) from error

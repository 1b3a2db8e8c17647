"""Options are frozen dataclasses. This module gives their fields help and limits, and turns them into plain dicts and back.

A field made with `entry` holds an entry of a registry, which is itself a frozen dataclass of options.
The command line makes its flags from the same fields.
"""

import dataclasses
from dataclasses import Field, field, fields
from typing import Any, TypeVar, cast

from gradviz.errors import GradvizError, unknown
from gradviz.registry import Registry

T = TypeVar("T")


def option(default: Any, help: str, *, choices: tuple[str, ...] = (), low: float | None = None, high: float | None = None) -> Any:
    """A field with a help text and the values it may take (`low` and `high` included)."""
    return field(default=default, metadata={"help": help, "choices": choices, "low": low, "high": high})


def entry(registry: Registry[Any], default: str, help: str) -> Any:
    """A field that holds an entry of `registry`; `default` is the name of the entry it begins with."""
    return field(default_factory=lambda: registry[default](), metadata={"help": help, "registry": registry, "default": default})


def check(options: Any) -> None:
    """Compare every field with its choices and limits; call it from `__post_init__`."""
    for item in fields(options):
        value, where = getattr(options, item.name), f"{type(options).__name__}.{item.name}"
        choices, low, high = (item.metadata.get(key) for key in ("choices", "low", "high"))
        if choices and value not in choices:
            raise unknown(where, value, choices)
        if isinstance(value, (int, float)) and not ((low is None or value >= low) and (high is None or value <= high)):
            span = f"at least {low:g}" if high is None else f"at most {high:g}" if low is None else f"between {low:g} and {high:g}"
            raise GradvizError(f"{where} is {value:g}; it must be {span}.")


def to_dict(options: Any) -> dict[str, Any]:
    """Plain values only, ready for JSON. Entries of registries carry their name under `name`."""
    return {item.name: _plain(item, getattr(options, item.name)) for item in fields(options)}


def _plain(item: Field[Any], value: Any) -> Any:
    if registry := item.metadata.get("registry"):
        return {"name": registry.name_of(value), **to_dict(value)}
    return to_dict(value) if dataclasses.is_dataclass(value) else value


def from_dict(kind: type[T], values: dict[str, Any]) -> T:
    """The inverse of `to_dict`. A field that does not exist, or a value of the wrong type, is an error that names it."""
    known = {item.name: item for item in fields(cast(Any, kind))}
    for name in values:
        if name not in known:
            raise unknown(f"option of {kind.__name__}", name, known)
    return kind(**{name: _revive(kind, known[name], value) for name, value in values.items()})


def _revive(kind: type, item: Field[Any], value: Any) -> Any:
    if registry := item.metadata.get("registry"):
        rest = dict(value)
        return from_dict(registry[rest.pop("name")], rest)
    if isinstance(item.type, type) and dataclasses.is_dataclass(item.type):
        return from_dict(item.type, value)
    return convert(f"{kind.__name__}.{item.name}", item, value)


def convert(where: str, item: Field[Any], value: Any) -> Any:
    """`value` as the field's own type (int, float, bool or str); an int will do for a float."""
    wanted = type(item.default)
    if wanted is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if type(value) is not wanted:
        raise GradvizError(f"{where} is {value!r}; it must be of type {wanted.__name__}.")
    return value

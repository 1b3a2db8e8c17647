"""Flags of the command line, generated from the option dataclasses: nobody keeps a second list.

A scalar field becomes --units; a field that holds an entry of a registry becomes --cell, and the options of all its entries become
--cell.activation, --task.length …, each usable with the entries that have it.
"""

import argparse
import itertools
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import Field, dataclass, fields, is_dataclass
from typing import Any

from gradviz.config import Experiment
from gradviz.errors import GradvizError, unknown
from gradviz.registry import Registry

Given = dict[str, list[str]]  # flag name → the values asked for, as typed


@dataclass(frozen=True)
class Flag:
    """name: as typed, without dashes; path: where its value lies in Experiment.to_dict();
    owners: the field behind it, by the entry that has it ("" if it belongs to no entry); chooser: the flag that picks the entry."""

    name: str
    path: tuple[str, ...]
    owners: dict[str, Field[Any]]
    chooser: str = ""

    @property
    def field(self) -> Field[Any]:
        return next(iter(self.owners.values()))

    @property
    def registry(self) -> Registry[Any] | None:
        return self.field.metadata.get("registry")

    @property
    def is_switch(self) -> bool:
        return self.field.default is True or self.field.default is False

    @property
    def is_path(self) -> bool:
        return self.path[-1] == "file"


def all_flags(kind: type = Experiment, path: tuple[str, ...] = ()) -> list[Flag]:
    """Every flag of an experiment, in the order of its fields."""
    return [flag for item in fields(kind) for flag in _of_field(item, path)]


def _of_field(item: Field[Any], path: tuple[str, ...]) -> Iterator[Flag]:
    here, name = (*path, item.name), item.name.replace("_", "-")
    registry = item.metadata.get("registry")
    if registry is None and isinstance(item.type, type) and is_dataclass(item.type):
        yield from all_flags(item.type, here)
        return
    yield Flag(name, here, {"": item})
    if registry is not None:
        yield from _of_entries(registry, name, here)


def _of_entries(registry: Registry[Any], chooser: str, path: tuple[str, ...]) -> Iterator[Flag]:
    owners: dict[str, dict[str, Field[Any]]] = {}
    for entry in registry:
        for item in fields(registry[entry]):
            owners.setdefault(item.name, {})[entry] = item
    for name, having in owners.items():
        yield Flag(f"{chooser}.{name.replace('_', '-')}", (*path, name), having, chooser)


def add_flags(parser: argparse.ArgumentParser, flags: Iterable[Flag], *, many: bool = False) -> None:
    """Put the flags on a parser, one group per part of the experiment. `many`: values may be lists with commas."""
    groups: dict[str, Any] = {}
    for flag in flags:
        title = flag.path[0]
        group = groups[title] = groups.get(title) or parser.add_argument_group(title)
        help = help_of(flag).replace("%", "%%")
        if flag.is_switch:
            group.add_argument(f"--{flag.name}", action=argparse.BooleanOptionalAction, default=argparse.SUPPRESS, help=help)
        else:
            group.add_argument(f"--{flag.name}", metavar=_metavar(flag, many), default=argparse.SUPPRESS, help=help)


def _metavar(flag: Flag, many: bool) -> str:
    if flag.is_path:
        return "FILE"
    word = "NAME" if flag.registry else {int: "N", float: "X"}.get(type(flag.field.default), "NAME")
    return f"{word},…" if many else word


def help_of(flag: Flag) -> str:
    """What it means, what it may be, what it is if not given, and which entries have it."""
    if flag.registry is not None:
        return f"{flag.field.metadata['help']}: {', '.join(flag.registry)} (default {flag.field.metadata['default']})"
    if "" in flag.owners:
        return f"{_meaning(flag.field)} (default {_shown(flag.field.default)})"
    said: dict[str, list[str]] = {}
    for entry, item in flag.owners.items():
        said.setdefault(_meaning(item), []).append(f"{entry}: {_shown(item.default)}")
    return "; ".join(f"{meaning} ({', '.join(entries)})" for meaning, entries in said.items())


def _meaning(item: Field[Any]) -> str:
    choices = item.metadata.get("choices")
    text: str = item.metadata.get("help", item.name)
    return f"{text}: {', '.join(filter(None, choices))}" if choices else text


def _shown(default: Any) -> str:
    return {True: "on", False: "off"}[default] if isinstance(default, bool) else str(default) if default != "" else "none"


def given_in(arguments: argparse.Namespace, flags: Iterable[Flag], *, many: bool = False) -> Given:
    """What was typed. Paths and free text are never split at commas."""
    typed = vars(arguments)
    found = {flag.name: typed.get(flag.name.replace("-", "_")) for flag in flags}
    return {flag.name: _split(flag, found[flag.name], many) for flag in flags if found[flag.name] is not None}


def _split(flag: Flag, value: Any, many: bool) -> list[str]:
    text = str(value)
    free = isinstance(flag.field.default, str) and not flag.field.metadata.get("choices")
    if not many or (free and flag.registry is None):
        return [text]
    parts = [part.strip() for part in text.split(",")]
    if not all(parts):
        raise GradvizError(f"--{flag.name} is {text!r}: there is an empty place beside a comma.")
    return list(dict.fromkeys(parts))


def experiments(flags: Sequence[Flag], given: Given) -> list[tuple[dict[str, str], Experiment]]:
    """All combinations of what was given, each with the values that made it; options an entry lacks are left out of its runs."""
    _check_owners(flags, given)
    asked = [flag for flag in flags if flag.name in given]
    made: list[tuple[dict[str, str], Experiment]] = []
    for values in itertools.product(*(given[flag.name] for flag in asked)):
        combination = dict(zip((flag.name for flag in asked), values, strict=True))
        used = {flag.name: combination[flag.name] for flag in asked if _entry(flag, flags, combination) in flag.owners}
        if used not in [other for other, _ in made]:
            made.append((used, build(flags, used)))
    return made


def _entry(flag: Flag, flags: Iterable[Flag], combination: dict[str, str]) -> str:
    """Which entry a combination has chosen for an option's chooser; "" for a flag that belongs to none."""
    if not flag.chooser:
        return ""
    chooser = next(item for item in flags if item.name == flag.chooser)
    default: str = chooser.field.metadata["default"]
    return combination.get(chooser.name, default)


def _check_owners(flags: Sequence[Flag], given: Given) -> None:
    """Each option given must belong to at least one chosen entry, and each chosen entry must exist."""
    choosers = {flag.name: flag for flag in flags if flag.registry is not None}
    chosen = {name: given.get(name, [flag.field.metadata["default"]]) for name, flag in choosers.items()}
    for name, entries in chosen.items():
        for entry in entries:
            if entry not in (registry := choosers[name].registry or ()):
                raise unknown(f"{name} (given with --{name})", entry, registry)
    for flag in flags:
        if flag.name in given and flag.chooser and not set(chosen[flag.chooser]) & set(flag.owners):
            entry = chosen[flag.chooser][0]
            has = [f"--{item.name}" for item in flags if item.chooser == flag.chooser and entry in item.owners]
            raise GradvizError(
                f"--{flag.name} is no option of the {flag.chooser} {entry!r}, which has: {', '.join(has) or 'none'}. "
                f"It belongs to: {', '.join(flag.owners)}."
            )


def build(flags: Sequence[Flag], used: dict[str, str]) -> Experiment:
    """One experiment from flag values as typed."""
    tree: dict[str, Any] = {}
    for flag in flags:
        if flag.name not in used:
            continue
        *parents, last = flag.path
        place = tree
        for part in parents:
            place = place.setdefault(part, {})
        if flag.registry is not None:
            place.setdefault(last, {})["name"] = used[flag.name]
        elif flag.chooser:
            place.setdefault("name", _entry(flag, flags, used))
            place[last] = convert(flag, flag.owners[place["name"]], used[flag.name])
        else:
            place[last] = convert(flag, flag.field, used[flag.name])
    return Experiment.from_dict(tree)


def convert(flag: Flag, item: Field[Any], text: str) -> Any:
    """A typed value as the field's own type."""
    if isinstance(item.default, bool):
        return text == "True"
    if isinstance(item.default, str):
        return os.path.expanduser(text) if flag.is_path else text
    try:
        return int(text) if isinstance(item.default, int) else float(text)
    except ValueError:
        wanted = "a whole number" if isinstance(item.default, int) else "a number"
        raise GradvizError(f"--{flag.name} is {text!r}; it must be {wanted}, such as {item.default}.") from None

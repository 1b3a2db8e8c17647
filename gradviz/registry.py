"""A folder that holds many things of one kind: each file is an entry, and the entry is named like its file.

An entry is the one class in the file that derives from the folder's base class. Files that begin with an underscore are helpers.
Nobody keeps a second list: the command line, dashboards, reports, tests and docs enumerate the folder.
"""

import importlib
import importlib.util
import inspect
import pkgutil
import sys
from collections.abc import Iterator
from dataclasses import is_dataclass
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any, Generic, TypeVar

from gradviz.errors import GradvizError, unknown

T = TypeVar("T")


class Registry(Generic[T]):
    """The entries of one folder by name; entries from other files can be added with `add`."""

    def __init__(self, package: str, base: type[T], kind: str) -> None:
        self.package, self.base, self.kind = package, base, kind

    @cached_property
    def _entries(self) -> dict[str, type[T]]:
        folder = importlib.import_module(self.package).__path__
        names = [module.name for module in pkgutil.iter_modules(folder) if not module.name.startswith("_")]
        return {name: self._entry_of(importlib.import_module(f"{self.package}.{name}")) for name in sorted(names)}

    def entries_in(self, module: ModuleType) -> list[type[T]]:
        """The concrete classes that `module` itself defines for this registry."""
        found = [item for item in vars(module).values() if inspect.isclass(item) and issubclass(item, self.base)]
        return [item for item in found if item.__module__ == module.__name__ and not inspect.isabstract(item)]

    def _entry_of(self, module: ModuleType) -> type[T]:
        found = self.entries_in(module)
        if len(found) != 1:
            wanted = f"one {self.kind}, a class derived from {self.base.__name__}"
            raise GradvizError(f"{module.__name__} must define {wanted}; it defines {len(found)}.")
        return found[0]

    def add(self, name: str, entry: type[T]) -> None:
        """Make a class from elsewhere an entry. A name that is taken is refused: nothing is replaced in silence."""
        self.check(name, entry)
        self._entries[name] = entry

    def check(self, name: str, entry: type[T]) -> None:
        """Whether a class could be added: the name is free, and it is a dataclass if the others are."""
        if name in self._entries and self._entries[name] is not entry:
            raise GradvizError(f"there is a {self.kind} called {name!r} already; give the file another name.")
        if not is_dataclass(entry) and any(map(is_dataclass, self._entries.values())):
            raise GradvizError(f"the {self.kind} {entry.__name__} must be a dataclass: write @dataclass(frozen=True) above it.")

    def names(self) -> list[str]:
        return list(self._entries)

    def name_of(self, item: T | type[T]) -> str:
        """The name under which a class, or the class of an instance, is registered."""
        wanted = item if inspect.isclass(item) else type(item)
        for name, entry in self._entries.items():
            if entry is wanted:
                return name
        raise unknown(self.kind, wanted.__name__, self._entries)

    def __getitem__(self, name: str) -> type[T]:
        try:
            return self._entries[name]
        except KeyError:
            raise unknown(self.kind, name, self._entries) from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)


def load_file(path: Path, registries: list[Registry[Any]], *, required: bool = True) -> list[tuple[str, str]]:
    """Run one Python file and register what it defines, each under the file's name. Returns (kind, name) pairs.

    required: a file that defines nothing for these registries is an error.
    """
    if not path.is_file():
        raise GradvizError(f"no extension file at {path}.")
    spec = importlib.util.spec_from_file_location(f"gradviz_extension_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise GradvizError(f"{path} is not a Python file.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    added = [(registry, entry) for registry in registries for entry in registry.entries_in(module)]
    if required and not added:
        raise GradvizError(f"{path} defines nothing gradviz knows: derive a class from one of the bases in gradviz.extend.")
    for registry, entry in added:  # all or nothing
        registry.check(path.stem, entry)
    for registry, entry in added:
        registry.add(path.stem, entry)
    return [(registry.kind, path.stem) for registry, _ in added]

"""Properties of a text that a unit may have learned to notice, one a file."""

from gradviz.language.properties._base import Property
from gradviz.registry import Registry

PROPERTIES: Registry[Property] = Registry(__name__, Property, "property")  # type: ignore[type-abstract]

__all__ = ["PROPERTIES", "Property"]

"""Kinds of report, one a file: which pictures it shows, in which order."""

from gradviz.registry import Registry
from gradviz.reports.kinds._base import Kind, Picture, Section

KINDS: Registry[Kind] = Registry(__name__, Kind, "kind of report")  # type: ignore[type-abstract]

__all__ = ["KINDS", "Kind", "Picture", "Section"]

"""The pages of the dashboard, one a file. The navigation enumerates this folder."""

from gradviz.dashboards.views._base import View
from gradviz.registry import Registry

VIEWS: Registry[View] = Registry(__name__, View, "view")  # type: ignore[type-abstract]


def ordered() -> dict[str, type[View]]:
    """The views by name, in the order of the navigation."""
    return dict(sorted(((name, VIEWS[name]) for name in VIEWS), key=lambda item: item[1].order))


__all__ = ["VIEWS", "View", "ordered"]

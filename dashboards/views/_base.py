"""What a view is: one page of the dashboard."""

from abc import ABC, abstractmethod
from typing import ClassVar


class View(ABC):
    """Base of all views. order: place in the navigation; title: at most about 24 characters; icon: a Material symbol;
    charts: entries of `gradviz.charts` that this page is the evidence for."""

    order: ClassVar[int]
    title: ClassVar[str]
    icon: ClassVar[str]
    charts: ClassVar[tuple[str, ...]] = ()

    @abstractmethod
    def draw(self) -> None:
        """Put the page on the screen. There is at least one run when this is called."""

"""What a view is: one page of the dashboard."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

from gradviz.dashboards import state
from gradviz.frames import Run


class View(ABC):
    """Base of all views. section: heading of the navigation it stands under; order: its place there, over all sections; title: at most
    about 24 characters; icon: a Material symbol; charts: entries of `gradviz.charts` that this page is the evidence for.
    shows_runs: the page is about runs that are there. Then the sidebar offers a choice of them, and without any the page is not drawn;
    report: the kind of report that tells most of what this page shows."""

    section: ClassVar[str] = "Explore"
    shows_runs: ClassVar[bool] = True
    report: ClassVar[str] = "compare"
    order: ClassVar[int]
    title: ClassVar[str]
    icon: ClassVar[str]
    charts: ClassVar[tuple[str, ...]] = ()

    def runs(self) -> Sequence[Run]:
        """The runs that this page is about."""
        return state.chosen()

    @abstractmethod
    def draw(self) -> None:
        """Put the page on the screen. With `shows_runs` there is at least one run when this is called."""

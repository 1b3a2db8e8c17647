"""What a chart is: options that turn recorded runs into a description."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

from gradviz.charts._description import Description
from gradviz.frames import Run


class Chart(ABC):
    """Base of all charts. One is a frozen dataclass of options (which layer, which training step …), each with a default.

    needs: tables of the run it reads (`gradviz.recording.schema`); network: whether it also asks the run's own network, a language model
    with its weights, about a text; exact: whether it takes the run's network and data up again and computes from them, which takes
    longer than reading tables; about_runs: false if it shows a model, the same whatever runs it is given, and `frame` has no column
    "run"; purpose: one line for galleries and menus.
    """

    needs: ClassVar[tuple[str, ...]]
    network: ClassVar[bool] = False
    exact: ClassVar[bool] = False
    about_runs: ClassVar[bool] = True
    purpose: ClassVar[str]

    @abstractmethod
    def describe(self, runs: Sequence[Run]) -> Description:
        """The picture of one or several runs. With nothing to show: a description whose `missing` says what to record."""

    def tokens(self, runs: Sequence[Run]) -> tuple[str, ...]:
        """The words among which an option `token` or `position` chooses one, counted from 0; empty if runs have read different ones, or
        the chart has no such option."""
        return ()

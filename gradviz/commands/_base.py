"""What a command is: its flags, and what it does with them."""

import argparse
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar


class Command(ABC):
    """Base of all commands. summary: one line for `gradviz --help`; details: what `gradviz NAME --help` says above the flags."""

    summary: ClassVar[str]
    details: ClassVar[str] = ""

    @abstractmethod
    def arguments(self, parser: argparse.ArgumentParser) -> None:
        """Put the command's flags on its parser."""

    def late_arguments(self, parser: argparse.ArgumentParser, typed: Sequence[str]) -> None:  # noqa: B027 — most commands have none
        """Flags that depend on what was typed, such as those of the chart that was named. Asked only of the command that was typed."""

    @abstractmethod
    def run(self, arguments: argparse.Namespace) -> int | None:
        """Do it. A request that cannot be met is a GradvizError. Returns the exit status, None for 0."""

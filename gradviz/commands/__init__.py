"""Commands, one a file. What is slow to import (pandas, plotly, Streamlit) is imported by the command that needs it, when it runs."""

from gradviz.commands._base import Command
from gradviz.registry import Registry

COMMANDS: Registry[Command] = Registry(__name__, Command, "command")  # type: ignore[type-abstract]

__all__ = ["COMMANDS", "Command"]

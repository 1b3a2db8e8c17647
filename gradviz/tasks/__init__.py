"""Tasks, one a file."""

from gradviz.registry import Registry
from gradviz.tasks._base import Data, Task

TASKS: Registry[Task] = Registry(__name__, Task, "task")  # type: ignore[type-abstract]

__all__ = ["TASKS", "Data", "Task"]

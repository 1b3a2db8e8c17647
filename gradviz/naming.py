"""What runs are called: a run's name is the name of its folder."""

import re
from collections.abc import Mapping
from pathlib import Path

from gradviz.cells import CELLS
from gradviz.clipping import CLIPPING
from gradviz.config import Experiment
from gradviz.errors import GradvizError
from gradviz.tasks import TASKS


def name_of(experiment: Experiment, more: Mapping[str, str] | None = None) -> str:
    """text-lstm, adding-gru-norm …; `more`: further flags that tell runs apart."""
    clipping = CLIPPING.name_of(experiment.training.clipping)
    parts = [TASKS.name_of(experiment.task), CELLS.name_of(experiment.model.cell), *([clipping] if clipping != "none" else [])]
    parts += [value if re.search("[a-z]", value) else f"{flag.rsplit('.', 1)[-1]}{value}" for flag, value in (more or {}).items()]
    return "-".join(re.sub(r"[^\w.+]+", "_", part) for part in parts)


def free(folder: Path) -> Path:
    """The folder itself, or the first of folder-2, folder-3 … that does not exist."""
    number, found = 1, folder
    while found.exists():
        number += 1
        found = folder.with_name(f"{folder.name}-{number}")
    return found


def check_name(name: str, flag: str = "--name") -> str:
    """A run's name is the name of its folder, inside --out."""
    if Path(name).name != name or name in (".", "..") or not name.isprintable():
        raise GradvizError(f"{flag} is {name!r}; it must be a plain folder name, without / and control characters.")
    return name

"""Only what lies in the folder of runs is opened: links in it that lead elsewhere are found here, and said to be left out."""

import os
from pathlib import Path

from gradviz.recording.segments import META

WHY = (
    "It is a link that leads out of the folder, and this page opens only what lies in the folder itself. "
    "Put the run here in place of the link, or start “gradviz dashboard” with the folder that holds it."
)


def leading_out(top: Path) -> list[Path]:
    """Symbolic links in `top` that lead out of it to something of a run: to a folder with runs, or from inside a run folder.

    Hidden folders are not looked into, and a link to a place inside is no matter: it is not followed, for what it shows is found there.
    """
    inside, found = os.path.realpath(top), []
    for where, below, names in os.walk(top):  # does not follow links to folders
        here = Path(where)
        of_run = META in names or here.parent.joinpath(META).exists()
        for path in (here / name for name in (*below, *names)):
            leads_out = path.is_symlink() and not Path(os.path.realpath(path)).is_relative_to(inside)
            if leads_out and (of_run or _holds_runs(path)):
                found.append(path)
        below[:] = [name for name in below if not name.startswith(".")]
    return sorted(found)


def _holds_runs(folder: Path) -> bool:
    """Whether there is a run in `folder` or in a folder of it; what cannot be read holds none."""
    try:
        return (folder / META).exists() or any((path / META).exists() for path in folder.iterdir())
    except OSError:
        return False

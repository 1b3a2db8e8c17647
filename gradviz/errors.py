"""What gradviz raises when a request cannot be met: one message that says what was wrong, where, and what would be right."""

import difflib
from collections.abc import Iterable


class GradvizError(Exception):
    """A request that cannot be met. The command line prints the message and exits with status 2."""


class NonFiniteError(GradvizError):
    """NaN or infinity where only numbers make sense, such as in real-valued inputs."""


class ShapeError(GradvizError):
    """Arrays whose shapes do not fit together."""


class RunError(GradvizError):
    """A run folder that is missing, broken, or written by a newer gradviz."""


def unknown(kind: str, name: object, known: Iterable[str]) -> GradvizError:
    """An error for a name that is not there: it lists what is, the closest first."""
    names = sorted(known)
    close = difflib.get_close_matches(str(name), names, n=1)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    return GradvizError(f"unknown {kind} {str(name)!r}.{hint} There is: {', '.join(names) or 'none'}.")

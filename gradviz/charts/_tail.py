"""The end of the text that a run learned from: held out in training, and long enough to look for units in it."""

from pathlib import Path

from gradviz.errors import GradvizError
from gradviz.frames import Run
from gradviz.text.corpus import at, built_in

SHARE = 0.05  # of the text, if the run does not say how much it held out
WIDEST = 4  # bytes of a character in UTF-8, at most


def tail(run: Run, most: int) -> str:
    """At most the last `most` characters of the run's text, no more than it held out; empty if the text is not there any more."""
    facts = run.meta.get("facts") or {}
    count = min(most, int(float(run.setting("task", "held_out") or SHARE) * int(facts.get("characters") or most / SHARE)))
    file = run.setting("task", "file")
    if not file:
        return "".join(built_in().pieces())[-count:] if count else ""
    try:
        text = ""
        for path in reversed(at(file).files):
            if len(text) < count:
                text = _end(path, WIDEST * count) + text
        return text[-count:] if count else ""
    except (GradvizError, OSError):
        return ""


def _end(path: Path, size: int) -> str:
    """The last `size` bytes of a file as text; a character that begins before them is left out."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - size))
        return file.read().decode("utf-8", "ignore")

"""The end of the text that a run learned from: held out in training, and long enough to look for units in it.

A run says which file that was. Whoever made the run may not be whoever looks at it, so the file is believed only if it is the very text
that was learned: its SHA-256 is the one that the run stored.
"""

import hashlib
from functools import lru_cache

from gradviz.errors import GradvizError
from gradviz.frames import Run
from gradviz.text.corpus import Corpus, at, built_in

MOST = 100_000_000  # bytes; a larger text would have to be read for too long


def tail(run: Run, most: int) -> str:
    """At most the last `most` characters of the run's text, no more than it held out; empty if the text is not there any more."""
    facts = run.meta.get("facts") or {}
    splits = facts.get("splits") or {}
    held_out = splits.get("validation", 0) / max(1, sum(splits.values()))
    count = min(most, int(held_out * int(facts.get("characters") or 0)))
    file = run.setting("task", "file")
    try:
        corpus = at(file) if file else built_in()
        stamp = tuple((status.st_size, status.st_mtime_ns) for status in (path.stat() for path in corpus.files))
        return _end(corpus, stamp, str(facts.get("sha256")), count)
    except (GradvizError, OSError):
        return ""


@lru_cache(maxsize=8)
def _end(corpus: Corpus, stamp: tuple[tuple[int, int], ...], sha256: str, count: int) -> str:
    """The last `count` characters; empty if the text is another one, or too large. stamp: what tells that a file has changed."""
    if not count or sum(size for size, _ in stamp) > MOST:
        return ""
    digest, end = hashlib.sha256(), ""
    for piece in corpus.pieces():
        digest.update(piece.encode())
        end = (end + piece)[-count:]
    return end if digest.hexdigest() == sha256 else ""

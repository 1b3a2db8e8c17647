"""Where a sentence ends.

"line": at every line break; "sentence": after . ! ? or …, with the quotes and brackets that close behind it, where white space follows, and
at a blank line; "none": nowhere. The white space that separates two sentences is no part of either: the token EOS stands in its place. The
end of a text ends its last sentence.
"""

import re
from collections.abc import Iterable, Iterator

ENDS = ("none", "line", "sentence")
MARK = "\ud800"  # half of a surrogate pair: no UTF-8 text has one, so that none can forge a mark
_LINE = re.compile(r"\s*\n\s*")
_SENTENCE = re.compile(r"([.!?…]+[\"'”’»)\]}]*)\s+|\s*\n\s*\n\s*")


def marked(text: str, ends: str) -> str:
    """The text with a mark in place of what separates sentences."""
    if ends == "line":
        return _LINE.sub(MARK, text)
    if ends == "sentence":
        return _SENTENCE.sub(lambda found: (found[1] or "") + MARK, text)
    return text


def whole(pieces: Iterable[str]) -> Iterator[str]:
    """The same text, cut only where white space ends: no word, no white space and no end of a sentence lies across such a cut."""
    waiting: list[str] = []
    for piece in pieces:
        cut = _last_cut(piece, waiting[-1][-1] if waiting else "")
        if cut is None:
            waiting.append(piece)
            continue
        if before := "".join([*waiting, piece[:cut]]):
            yield before
        waiting = [piece[cut:]]
    if waiting:
        yield "".join(waiting)


def _last_cut(piece: str, before: str) -> int | None:
    """The last place in a piece where white space ends; `before`: the character in front of it."""
    place = len(piece) - 1
    while place > 0 and (piece[place].isspace() or not piece[place - 1].isspace()):
        place -= 1
    if place > 0:
        return place
    return 0 if piece and before.isspace() and not piece[0].isspace() else None

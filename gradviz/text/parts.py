"""A corpus in three parts that share no character: training, test and validation, in this order."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from gradviz.errors import GradvizError
from gradviz.text.corpus import Corpus
from gradviz.text.sentences import whole

NAMES = ("training", "test", "validation")
Watch = Callable[[str, int, int], None]  # what is being done, how many characters of how many


@dataclass(frozen=True)
class Parts:
    """ends: how many characters lie before the end of each part; sha256: of the whole text in UTF-8."""

    corpus: Corpus
    sha256: str
    ends: tuple[int, int, int]

    @property
    def characters(self) -> int:
        return self.ends[-1]

    def pieces(self, part: str) -> Iterator[str]:
        """One part, cut only where white space ends."""
        return whole(self._range(part))

    def _range(self, part: str) -> Iterator[str]:
        place = NAMES.index(part)
        first, last = (0, *self.ends)[place], self.ends[place]
        done = 0
        for piece in self.corpus.pieces():
            inside = piece[max(first - done, 0) : max(last - done, 0)]
            done += len(piece)
            if inside:
                yield inside
            if done >= last:
                return


def divide(corpus: Corpus, test: float, validation: float, watch: Watch, *, words: bool = False) -> Parts:
    """Read the text once, to count its characters and to know it again: `validation` of it at the end, `test` of it before that.
    words: no word lies across the end of a part."""
    digest, count = hashlib.sha256(), 0
    for piece in corpus.pieces():
        digest.update(piece.encode())
        count += len(piece)
        watch("reading", count, 0)
    if not count:
        raise GradvizError(f"the text {corpus.source} is empty; give a file with text in it.")
    behind = round(validation * count)
    first, second = count - behind - round(test * count), count - behind
    if words:
        first, second = _next_word(corpus, first), _next_word(corpus, second)
    return Parts(corpus, digest.hexdigest(), (first, second, count))


def _next_word(corpus: Corpus, place: int) -> int:
    """Where the next word begins, from a place in the text on."""
    done, before = 0, ""
    for piece in corpus.pieces():
        for k in range(max(place - done, 0), len(piece)):
            if (piece[k - 1] if k else before).isspace() and not piece[k].isspace():
                return done + k
        done, before = done + len(piece), piece[-1]
    return done

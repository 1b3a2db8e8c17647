"""A text as token ids: its vocabulary counted, its parts encoded, piece by piece, so that no text is too large.

The ids of a large text go into a file in the cache folder and are mapped into memory: a batch reads what it needs. The file's name is made
of the text's SHA-256 and of everything else that decides the ids, so the same text is encoded once.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from gradviz.arrays import Integers
from gradviz.errors import GradvizError
from gradviz.text import cache
from gradviz.text.parts import NAMES, Parts, Watch
from gradviz.text.vocabulary import Rules, Vocabulary

LARGE = 2_000_000  # characters; the ids of a smaller text stay in memory
LAYOUT = 1  # of the files in the cache


@dataclass(frozen=True)
class Limits:
    """size: most tokens of a vocabulary, 0 for no limit; minimum: how often a token must occur."""

    size: int
    minimum: int


@dataclass(frozen=True)
class Encoded:
    """ids: of each part, by its name, unsigned and not to be written to."""

    vocabulary: Vocabulary
    ids: dict[str, Integers]


def encode(parts: Parts, rules: Rules, limits: Limits, watch: Watch) -> Encoded:
    """The vocabulary of the training part, and the ids of all parts."""
    key = hashlib.sha256(json.dumps([LAYOUT, parts.sha256, parts.ends, *map(repr, (rules, limits))]).encode()).hexdigest()
    if parts.characters < LARGE:
        vocabulary = _vocabulary(parts, rules, limits, watch)
        return Encoded(vocabulary, {name: np.concatenate(list(_ids(parts, name, vocabulary, watch))) for name in NAMES})
    kept = cache.read(key)
    if kept is None:
        vocabulary = _vocabulary(parts, rules, limits, watch)
        arrays = ((name, piece) for name in NAMES for piece in _ids(parts, name, vocabulary, watch))
        kept = cache.write(key, _smallest(vocabulary), arrays, vocabulary.to_facts())
    ids, facts = kept
    return Encoded(Vocabulary.from_facts(facts), {name: ids.get(name, np.zeros(0, np.uint8)) for name in NAMES})


def _vocabulary(parts: Parts, rules: Rules, limits: Limits, watch: Watch) -> Vocabulary:
    counts: Counter[str] = Counter()
    done = 0
    for piece in parts.pieces("training"):
        counts.update(rules.tokens(piece))
        done += len(piece)
        watch("counting", done, parts.characters)
    if len(counts) < 2:
        only = f"one distinct token, {next(iter(counts))!r}" if counts else "no token"
        raise GradvizError(
            f"the training part of the text ({parts.corpus.source}) has {only}: there is nothing to predict. Use another text."
        )
    return Vocabulary.of(counts, rules, limits.size, limits.minimum)


def _ids(parts: Parts, name: str, vocabulary: Vocabulary, watch: Watch) -> Iterator[Integers]:
    """The ids of a part, piece by piece; its end ends a sentence."""
    kind, done = _smallest(vocabulary), (0, *parts.ends)[NAMES.index(name)]
    last = eos = vocabulary.eos
    yield np.zeros(0, kind)
    for piece in parts.pieces(name):
        ids = vocabulary.encode_piece(piece)
        done += len(piece)
        watch("encoding", done, parts.characters)
        if len(ids):
            last = int(ids[-1])
            yield ids.astype(kind)
    if eos is not None and last != eos:
        yield np.array([eos], kind)


def _smallest(vocabulary: Vocabulary) -> np.dtype[np.unsignedinteger]:
    return np.min_scalar_type(len(vocabulary) - 1)

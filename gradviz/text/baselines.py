"""What counting tokens scores, without any network: the lines that a language model has to beat.

Counts are kept of what occurs and of nothing else, so that a vocabulary may be large; they are taken from the first `MOST` tokens.
"""

import numpy as np

from gradviz.arrays import Array, Integers

SMOOTHING = 0.1  # added to every count, so that what was never seen is unlikely and not impossible
MOST = 10_000_000


def frequencies(train: Integers, test: Integers, tokens: int) -> float:
    """Cross-entropy (nats per token) of `test` under the token frequencies of `train`."""
    counts = np.bincount(train[:MOST], minlength=tokens) + SMOOTHING
    return float(-np.log(counts / counts.sum())[test[:MOST]].mean())


def pairs(train: Integers, test: Integers, tokens: int) -> float:
    """Cross-entropy (nats per token) of `test`, each token predicted from the one before by the pairs in `train`."""
    known, asked = train[:MOST].astype(np.int64), test[:MOST].astype(np.int64)
    together = _counted(known[:-1] * tokens + known[1:])
    before = np.bincount(known[:-1], minlength=tokens)
    chances = (_look_up(together, asked[:-1] * tokens + asked[1:]) + SMOOTHING) / (before[asked[:-1]] + SMOOTHING * tokens)
    return float(-np.log(chances).mean())


def trigrams(train: Integers, test: Integers, tokens: int) -> float:
    """Cross-entropy (nats per token) of `test`, each token predicted from the two before; see `chances`."""
    return float(-np.log(chances(train[:MOST], test[:MOST], tokens)[2:]).mean())


def chances(train: Integers, test: Integers, tokens: int, order: int = 3) -> Array:
    """(len(test),) the probability of each token after the order - 1 before it, of which there are fewer at the beginning.

    Witten and Bell 1991, method C, with the model of one order less for what a context never showed: of a context seen n times, followed by
    k distinct tokens, P(w) = (count(w) + k · P'(w)) / (n + k). P' of no context is 1/tokens.
    """
    known, asked = train.astype(np.int64), test.astype(np.int64)
    chance = np.full(len(asked), 1 / tokens)
    for length in range(order):  # of the context
        if len(known) <= length or len(asked) <= length:
            break
        grams, counts = _counted(_codes(known, length + 1, tokens))
        contexts, starts = np.unique(grams // tokens, return_index=True)
        seen, kinds = np.add.reduceat(counts, starts), np.diff([*starts, len(grams)])
        wanted = _codes(asked, length + 1, tokens)
        n, k = (_look_up((contexts, values), wanted // tokens) for values in (seen, kinds))
        own, below = _look_up((grams, counts), wanted), chance[length:]
        chance[length:] = np.where(n > 0, (own + k * below) / np.maximum(n + k, 1), below)
    return chance


def _codes(ids: Integers, length: int, tokens: int) -> Integers:
    """One number for every run of so many neighbours."""
    code = np.zeros(len(ids) - length + 1, np.int64)
    for place in range(length):
        code = code * tokens + ids[place : len(ids) - length + 1 + place]
    return code


def _counted(codes: Integers) -> tuple[Integers, Integers]:
    """Which numbers occur, ascending, and how often."""
    return np.unique(codes, return_counts=True)


def _look_up(table: tuple[Integers, Integers], wanted: Integers) -> Integers:
    """The values of a table of (keys, values); 0 for a key that it has not."""
    keys, values = table
    if not len(keys):
        return np.zeros(len(wanted), np.int64)
    place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[place] == wanted, values[place], 0)

"""What counting letters scores, without any network: the lines that a language model has to beat."""

import numpy as np

from gradviz.arrays import Integers

SMOOTHING = 0.1  # added to every count, so that what was never seen is unlikely and not impossible


def letter_frequencies(train: Integers, test: Integers, tokens: int) -> float:
    """Cross-entropy (nats per token) of `test` under the token frequencies of `train`."""
    counts = np.bincount(train, minlength=tokens) + SMOOTHING
    return float(-np.log(counts / counts.sum())[test].mean())


def letter_pairs(train: Integers, test: Integers, tokens: int) -> float:
    """Cross-entropy (nats per token) of `test`, each token predicted from the one before by the pairs in `train`."""
    pairs = np.bincount(train[:-1] * tokens + train[1:], minlength=tokens * tokens)
    counts = pairs.reshape(tokens, tokens) + SMOOTHING
    return float(-np.log(counts / counts.sum(axis=1, keepdims=True))[test[:-1], test[1:]].mean())

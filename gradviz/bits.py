"""A loss in nats in the two other ways people say it. Mean over tokens, of a network that gives probabilities."""

import numpy as np

WORD = {"character": "bits per character", "word": "bits per word"}  # by what a token is


def bits(nats: float) -> float:
    """The same in bits: nats / ln 2."""
    return nats / float(np.log(2))


def perplexity(nats: float) -> float:
    """exp(nats): among how many equally likely tokens the network is as unsure; infinite where a float ends."""
    with np.errstate(over="ignore"):
        return float(np.exp(nats))

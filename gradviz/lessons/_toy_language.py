"""A language of two words: the model of lessons 3 and 4, whose weights are set by hand."""

from functools import lru_cache

import numpy as np

from gradviz.arrays import Array, Integers
from gradviz.batch import NOTHING, Signature
from gradviz.cells.rnn import RNN
from gradviz.config import Model
from gradviz.language import Choice, LanguageModel
from gradviz.language.model import log_softmax, passes
from gradviz.lessons._small import FIRST, network
from gradviz.text.vocabulary import EOS, UNK, Vocabulary

WORDS = ("cats", "sleep", "UNK", "EOS")  # in the order in which they lie on [0, 1)
END = WORDS.index("EOS")
IDS = np.array([2, 3, 0, 1])  # of WORDS in the vocabulary, where UNK and EOS come first
PLAIN = "cats sleep"

# As on paper: a column of W_IH is what one word does to the two units, a row of W_HY what they do to the chance of one word.
W_IH = np.array([[2.0, 0.0, 1.0, 0.0], [0.0, 2.0, 0.0, 0.0]])
W_HY = np.array([[-2.0, -2.0], [3.0, -2.0], [0.0, 0.0], [-1.0, 3.0]])
B_Y = np.array([1.0, 0.0, -1.0, -1.0])
W_HH = 0.5

Written = tuple[int, ...]  # indices in WORDS


@lru_cache(maxsize=2)
def model(history: bool = True) -> LanguageModel:
    """h_t = tanh(0.5 h_{t−1} + W_IH x_t), logits W_HY h_t + B_Y. Without history the state before is not heard: W_hh = 0."""
    at = np.argsort(IDS)
    weights = {
        f"{FIRST}.weight_hh": W_HH * history * np.eye(2),
        f"{FIRST}.weight_ih": W_IH.T[at],
        "readout.weight": W_HY[at].T,
        "readout.bias": B_Y[at],
    }
    made = network(Model(cell=RNN(), units=2), Signature(4, 4, True, "softmax"), weights)
    return LanguageModel(made, Vocabulary("word", (UNK, EOS, "cats", "sleep"), "line", lower=True), "the toy model")


@lru_cache(maxsize=8192)
def after(written: Written, temperature: float = 1.0) -> Array:
    """(4,) the probabilities of the next word of WORDS, after those that are written."""
    toy = model()
    read = toy.before(np.append(IDS[list(written)], NOTHING))
    *_, last = passes(toy.fresh(), read)
    logs = log_softmax(last.outputs[-1, 0])
    return np.asarray(Choice(temperature, avoid_unknown=False).probabilities(logs)[IDS])


@lru_cache(maxsize=64)
def sentences(most: int, temperature: float = 1.0) -> list[tuple[Integers, Array]]:
    """All sentences of up to `most` tokens, EOS counted, by their length 1, 2 …: (sentence, token) of WORDS without EOS, and (sentence,)
    probabilities."""
    toy = model()
    found: list[tuple[Integers, Array]] = []
    prefixes, chances = np.zeros((1, 0), np.int64), np.ones(1)
    for _ in range(most):
        read = np.column_stack([np.full(len(prefixes), NOTHING), IDS[prefixes]])
        logs = log_softmax(toy.fresh().forward(read.T).outputs[-1] / temperature)
        each = chances[:, None] * np.exp(logs[:, IDS])
        found.append((prefixes, each[:, END]))
        others = np.delete(np.arange(len(WORDS)), END)
        prefixes = np.column_stack([np.repeat(prefixes, len(others), axis=0), np.tile(others, len(prefixes))])
        chances = each[:, others].ravel()
    return found


def spoken(written: Written) -> str:
    """The words of a sentence."""
    return " ".join(WORDS[word] for word in written)

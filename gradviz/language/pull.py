"""Connectivity (Madsen 2019): how much each earlier token moves one later prediction.

It is the norm of ∂z⟨p⟩_k / ∂x⟨t⟩: of one logit, that of token k in the prediction at position p, with respect to the input vector of each
earlier token, its embedding or, without one, its one-hot vector.
"""

from itertools import pairwise

import numpy as np

from gradviz.arrays import Array, Integers, norm
from gradviz.errors import GradvizError
from gradviz.language.model import Source, beginnings, model_of
from gradviz.language.sentence import encoded
from gradviz.network import Network

LONGEST = 400  # tokens whose whole matrix is still quick to compute
NUMBERS = 4_000_000  # of all outputs of the copies that go through the network together


def connectivity(run: Source, text: str, position: int, k: int | None = None) -> Array:
    """(position,) the norm for each token before `position`, the oldest first; in double precision, by one backward pass. What stands in
    an earlier sentence does not count, and has 0, if the model learned sentences one by one.

    position: which token's prediction is looked at, counted from 0 in the text; the number of tokens is the one that would come after it.
    k: id of the token whose logit is looked at; by default the one that really stands there, or the likeliest after the end.
    """
    model = model_of(run)
    ids = encoded(model, text)
    tokens = len(model.vocabulary)
    if not 0 <= position <= len(ids):
        raise GradvizError(f"the position is {position}; this text has {len(ids)} tokens, so it must be between 0 and {len(ids)}.")
    if k is not None and not 0 <= k < tokens:
        raise GradvizError(f"k is {k}; the vocabulary has {tokens} tokens, so it must be between 0 and {tokens - 1}.")
    network = model.fresh()
    inputs = model.before(np.append(ids, 0))[: position + 1]
    begin = beginnings(inputs)[-1]
    forward = network.forward(inputs[begin:, None])
    if k is None:
        k = int(ids[position] if position < len(ids) else forward.outputs[-1, 0].argmax())
    d_outputs = np.zeros_like(forward.outputs)
    d_outputs[-1, 0, k] = 1
    gradient = network.backward(forward, d_outputs, parameters=False, tokens=True).inputs
    assert gradient is not None
    return np.concatenate([np.zeros(begin), norm(gradient[1:, 0], axis=-1)])  # the first input is no token


def connectivity_all(run: Source, text: str) -> Array:
    """(n, n) row p: the norms for the prediction of the token at position p, of the token that stands there; zero from column p on, where
    what is read does not matter to it any more. For texts of at most 400 tokens."""
    model = model_of(run)
    ids = encoded(model, text)
    if len(ids) > LONGEST:
        raise GradvizError(f"the text has {len(ids)} tokens; all pairs are measured for at most {LONGEST}. Use a part of it.")
    network, inputs, found = model.fresh(), model.before(ids), np.zeros((len(ids), len(ids)))
    for begin, end in pairwise([*beginnings(inputs), len(ids)]):
        part = slice(begin, end)
        found[part, part] = _triangle(network, inputs[part], ids[part])
    return found


def _triangle(network: Network, inputs: Integers, ids: Integers) -> Array:
    """(n, n) of a text that is read in one go."""
    found = np.zeros((len(ids), len(ids)))
    together = max(NUMBERS // (len(ids) * network.signature.outputs), 1)
    for start in range(0, len(ids), together):
        rows = range(start, min(start + together, len(ids)))
        found[rows.start : rows.stop, : rows.stop - 1] = _rows(network, inputs, ids, rows)
    return found


def _rows(network: Network, inputs: Integers, ids: Integers, rows: range) -> Array:
    """(row, time) for some positions: a copy of the text for each of them."""
    inputs = np.repeat(inputs[: rows.stop, None], len(rows), axis=1)
    forward = network.forward(inputs)
    d_outputs = np.zeros_like(forward.outputs)
    d_outputs[rows, np.arange(len(rows)), ids[rows.start : rows.stop]] = 1
    gradient = network.backward(forward, d_outputs, parameters=False, tokens=True).inputs
    assert gradient is not None
    return norm(gradient[1:], axis=-1).T

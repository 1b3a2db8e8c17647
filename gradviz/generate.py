"""Answers without teacher forcing: every step reads what the network itself said one step before."""

from dataclasses import replace

import numpy as np

from gradviz.arrays import Array, Integers
from gradviz.batch import Batch
from gradviz.errors import GradvizError
from gradviz.network import Network


def answers(network: Network, batch: Batch) -> Array | Integers:
    """The most likely class ids (time, batch), or the values (time, batch, value), of every step.

    Of what was the right answer to the step before, only the first step is taken from the batch. An encoder–decoder network reads such
    answers in its decoder; another one in its inputs, if they are tokens, or in their last features (`shapes.one_to_many`). Behind the
    end of a sequence the answers mean nothing. The whole network runs once for every step, so interventions act as they do in training.
    """
    read = np.array(batch.answered.inputs)
    tokens, outputs = _tokens(network, read), network.signature.outputs
    said: Array | Integers = read
    for step in range(1, len(read) + 1):
        decoder = None if batch.decoder is None else replace(batch.decoder, inputs=read)
        run = network.forward(read if decoder is None else batch.inputs, batch.lengths, decoder=decoder, reuse=True)
        said = run.outputs.argmax(axis=2) if tokens else run.outputs
        if step < len(read):
            (read if tokens else read[..., -outputs:])[step] = said[step - 1]
    return said


def _tokens(network: Network, read: Array | Integers) -> bool:
    """Whether answers are tokens; what cannot be read again is refused."""
    signature = network.signature
    if network.parts.top.directions != ("forward",):
        raise GradvizError("this network cannot read its own answers: it reads backward, too, and would need those to come.")
    side = signature.of_decoder if signature.at == "decoded" else signature
    fits = side.inputs >= side.outputs and side.tokens == (side.loss == "softmax")
    if signature.at == "last" or not fits or (read.ndim == 2) != side.tokens:
        reads = f"{side.inputs} {'kinds of tokens' if side.tokens else 'features'}"
        says = f"{side.outputs} {'classes' if side.loss == 'softmax' else 'values'}, {'once' if side.at == 'last' else 'at every step'}"
        raise GradvizError(f"this network cannot read its own answers: it reads {reads} and answers with {says}.")
    return side.tokens

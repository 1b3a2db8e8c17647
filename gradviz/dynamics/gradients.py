"""The gradient of a batch in double precision, as tools that compare gradients want it."""

from gradviz.arrays import Parameters
from gradviz.batch import Batch
from gradviz.network import Network


def gradient(network: Network, batch: Batch, reduction: str = "mean") -> Parameters:
    """By parameter, whole arrays. reduction: of the "mean" loss per counted step, or of the "sum" over time, mean over the batch."""
    run = network.forward(batch.inputs, batch.lengths, decoder=batch.decoder, reuse=True)
    return network.backward(run, network.loss(run, batch, reduction=reduction).d_outputs).parameters

"""Whether hand-written gradients are derivatives, all entries of an array in one look: fast enough for every combination of everything."""

from dataclasses import replace

import numpy as np

from gradviz.batch import Batch
from gradviz.gradcheck import STEP, TOLERANCE, Check, _gradients, _random_states
from gradviz.network import Network


def along(network: Network, batch: Batch, seed: int = 0) -> list[Check]:
    """As `gradcheck`, of parameters, inputs and initial states, but array by array along a random direction v: Im f(x + ihv)/h is Σ v ∂f/∂x.

    No part of v is small, so one wrong entry among thousands shows as if it had been looked at alone; `gradcheck`, entry by entry, looks
    at some. Errors of several entries that cancel along v would have to be made for it. Interventions of the network are honoured.
    """
    exact, rng, step = network.astype("complex128", hooks=True), np.random.default_rng(seed), STEP["complex"]
    initial = _random_states(exact, batch, rng)
    gradients = _gradients(network.astype("float64", hooks=True), batch, initial)
    arrays = {**exact.parameters, **{f"initial {place} {k}": state for place, states in initial.items() for k, state in enumerate(states)}}
    inputs, decoder = batch.inputs, batch.decoder
    if not exact.signature.tokens:
        arrays["inputs"] = inputs = batch.inputs.astype(exact.dtype)
    if decoder is not None and decoder.inputs.ndim == 3:
        decoder = replace(decoder, inputs=decoder.inputs.astype(exact.dtype))
        arrays["decoder inputs"] = decoder.inputs
    checks = []
    for name, array in arrays.items():
        direction = rng.uniform(0.5, 1.5, array.shape) * rng.choice([-1, 1], array.shape)
        kept = array.copy()
        array += 1j * step * direction
        run = exact.forward(inputs, batch.lengths, initial, decoder=decoder, reuse=True)
        slope = complex(exact.loss(run, batch).mean).imag / step
        array[...] = kept
        error = abs(slope - (direction * gradients[name]).sum()) / max(float(np.abs(gradients[name]).max()), 1e-8)
        checks.append(Check(name, float(error), array.size, bool(error <= TOLERANCE["complex"])))
    return checks

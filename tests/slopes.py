"""Whether hand-written gradients are derivatives, all entries of all arrays in one look: fast enough for every combination."""

from collections.abc import Callable, Iterable
from dataclasses import replace

import numpy as np

from gradviz.batch import Batch
from gradviz.gradcheck import STEP, TOLERANCE, Check, _gradients, _random_states
from gradviz.network import Network

H, LIMIT = STEP["complex"], TOLERANCE["complex"]
Arrays = dict[str, np.ndarray]


def along(network: Network, batch: Batch, seed: int = 0) -> list[Check]:
    """As `gradcheck`, of parameters, inputs and initial states, but along a random direction v: Im f(x + ihv)/h is Σ v ∂f/∂x.

    No part of v is small measured by the largest gradient of its array, so one wrong entry among thousands shows as if it had been looked
    at alone; `gradcheck`, entry by entry, looks at some. Errors that cancel along v would have to be made for it. If something is wrong it
    is looked at array by array, to say where. Interventions of the network are honoured.
    """
    exact, rng = network.astype("complex128", hooks=True), np.random.default_rng(seed)
    initial = _random_states(exact, batch, rng)
    gradients = _gradients(network.astype("float64", hooks=True), batch, initial)
    arrays = {**exact.parameters, **{f"initial {place} {k}": state for place, states in initial.items() for k, state in enumerate(states)}}
    inputs, decoder = batch.inputs, batch.decoder
    if not exact.signature.tokens:
        arrays["inputs"] = inputs = batch.inputs.astype(exact.dtype)
    if decoder is not None and decoder.inputs.ndim == 3:
        decoder = replace(decoder, inputs=decoder.inputs.astype(exact.dtype))
        arrays["decoder inputs"] = decoder.inputs

    def loss() -> complex:
        return complex(exact.loss(exact.forward(inputs, batch.lengths, initial, decoder=decoder, reuse=True), batch).mean)

    directions = {name: _direction(array.shape, gradients[name], rng) for name, array in arrays.items()}
    error = _error(arrays, arrays, directions, gradients, loss)
    errors = dict.fromkeys(arrays, error)
    if not error <= LIMIT:
        errors = {name: _error([name], arrays, directions, gradients, loss) for name in arrays}
    return [Check(name, errors[name], array.size, errors[name] <= LIMIT) for name, array in arrays.items()]


def _direction(shape: tuple[int, ...], gradient: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return rng.uniform(0.5, 1.5, shape) * rng.choice([-1, 1], shape) / max(float(np.abs(gradient).max()), 1e-8)


def _error(names: Iterable[str], arrays: Arrays, directions: Arrays, gradients: Arrays, loss: Callable[[], complex]) -> float:
    """Of the slope along the directions of these arrays together."""
    kept = {name: arrays[name].copy() for name in names}
    for name in kept:
        arrays[name] += 1j * H * directions[name]
    slope = loss().imag / H
    for name, array in kept.items():
        arrays[name][...] = array
    return float(abs(slope - sum((directions[name] * gradients[name]).sum() for name in kept)))

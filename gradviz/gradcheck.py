"""The oracle: the hand-written backward pass against derivatives of the forward pass alone, in double precision.

Complex step (Squire and Trapp 1998): Im f(x + ih)/h with h = 1e-30 has no cancellation, so it is exact to rounding. Where a function is
not analytic (relu at its kink), central differences serve.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from gradviz.arrays import Array
from gradviz.batch import Batch
from gradviz.network import Network
from gradviz.passes import States

STEP = {"complex": 1e-30, "central": 1e-6}
TOLERANCE = {"complex": 1e-10, "central": 1e-6}
Method = Literal["complex", "central"]


@dataclass(frozen=True)
class Check:
    """name: parameter, "inputs", "decoder inputs", or "initial <place> <state>"; error: largest difference, relative to the largest
    gradient of this array; entries: how many were compared; passed: error within the method's tolerance."""

    name: str
    error: float
    entries: int
    passed: bool


def gradcheck(network: Network, batch: Batch, *, method: Method = "complex", most: int = 200, seed: int = 0) -> list[Check]:
    """Compare every parameter, the inputs and the initial states; of large arrays `most` entries, drawn with `seed`.

    Interventions of the network are honoured. Gradients are compared untruncated: a truncated one is not the derivative of the loss.
    """
    exact = network.astype("complex128" if method == "complex" else "float64", hooks=True)
    rng = np.random.default_rng(seed)
    initial = _random_states(exact, batch, rng)
    inputs = batch.inputs if exact.signature.tokens else batch.inputs.astype(exact.dtype)
    gradients = _gradients(network.astype("float64", hooks=True), batch, initial)
    arrays = {**exact.parameters, **{f"initial {place} {k}": state for place, states in initial.items() for k, state in enumerate(states)}}
    if not exact.signature.tokens:
        arrays["inputs"] = inputs
    decoder = batch.decoder
    if decoder is not None and decoder.inputs.ndim == 3:
        decoder = replace(decoder, inputs=decoder.inputs.astype(exact.dtype))
        arrays["decoder inputs"] = decoder.inputs

    def loss() -> complex:
        run = exact.forward(inputs, batch.lengths, initial, decoder=decoder, reuse=True)
        return complex(exact.loss(run, batch).mean)

    return [_compare(name, array, gradients[name], loss, _some(array, most, rng), method) for name, array in arrays.items()]


def worst(checks: list[Check]) -> Check:
    """The check with the largest error; NaN is larger than any."""
    return max(checks, key=lambda check: np.inf if np.isnan(check.error) else check.error)


def _random_states(network: Network, batch: Batch, rng: np.random.Generator) -> States:
    shape = (batch.size, network.model.units)
    states = network.model.cell.states
    names = [f"layers.{layer}.{direction}" for layer, direction in network.parts.bottom.places]
    return {name: tuple(rng.normal(0, 0.5, shape).astype(network.dtype) for _ in states) for name in names}


def _gradients(network: Network, batch: Batch, initial: States) -> dict[str, Array]:
    real = {place: tuple(state.real for state in states) for place, states in initial.items()}
    run = network.forward(batch.inputs, batch.lengths, real, decoder=batch.decoder)
    gradients = network.backward(run, network.loss(run, batch).d_outputs)
    out = dict(gradients.parameters)
    for place, states in gradients.initial.items():
        out |= {f"initial {place} {k}": state for k, state in enumerate(states)}
    read = {"inputs": gradients.inputs, "decoder inputs": gradients.decoder_inputs}
    return out | {name: array for name, array in read.items() if array is not None}


def _some(array: Array, most: int, rng: np.random.Generator) -> Iterator[tuple[int, ...]]:
    """Places to compare: all of a small array, `most` of a large one."""
    chosen = np.arange(array.size) if array.size <= most else rng.choice(array.size, most, replace=False)
    return (tuple(int(k) for k in np.unravel_index(place, array.shape)) for place in chosen)


def _compare(
    name: str, array: Array, gradient: Array, loss: Callable[[], complex], places: Iterator[tuple[int, ...]], method: Method
) -> Check:
    step, differences, entries = STEP[method], [0.0], 0
    for place in places:
        entries += 1
        kept = array[place]
        if method == "complex":
            array[place] = kept + 1j * step
            slope = loss().imag / step
        else:
            array[place] = kept + step
            above = loss().real
            array[place] = kept - step
            slope = (above - loss().real) / (2 * step)
        array[place] = kept
        differences.append(abs(slope - gradient[place]))
    error = float(np.max(differences)) / max(float(np.abs(gradient).max()), 1e-8)  # NumPy's maximum lets NaN through, Python's may not
    return Check(name, error, entries, error <= TOLERANCE[method])

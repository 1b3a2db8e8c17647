"""Random networks and what theory says of them."""

import math
from collections.abc import Iterator

import numpy as np

from gradviz.arrays import Array
from gradviz.batch import Signature
from gradviz.cells import CELLS
from gradviz.config import Model
from gradviz.dynamics.jacobians import Trajectory, follow
from gradviz.network import Network


def couplings(units: int, gain: float, seed: int) -> Array:
    """N(0, gain²/units)."""
    return gain * np.random.default_rng([seed, units]).standard_normal((units, units)) / math.sqrt(units)


def map_of(units: int, gain: float, steps: int, seed: int) -> Trajectory:
    """h_t = tanh(J h_{t-1}) as a recurrent network without input, from a random state."""
    network = Network(Model(cell=CELLS["rnn"](), units=units), Signature(1, 1, False, "squared"), dtype="float64")
    network.parameters["layers.0.forward.weight_hh"][0] = couplings(units, gain, seed).T
    network.parameters["layers.0.forward.bias"][...] = 0
    return follow(network, np.zeros((steps, 1)), np.tanh(np.random.default_rng([seed, 1]).standard_normal(units)))


def rate_network(units: int, gain: float, step: float, steps: int, seed: int) -> Iterator[Array]:
    """Jacobians of h ← (1 − dt) h + dt J tanh(h), no unit coupled to itself, after the first 50 time constants."""
    matrix = couplings(units, gain, seed)
    np.fill_diagonal(matrix, 0)
    state = np.random.default_rng([seed, 2]).standard_normal(units)
    for at in range(-round(50 / step), steps):
        squashed = np.tanh(state)
        if at >= 0:
            yield ((1 - step) * np.eye(units) + step * matrix * (1 - squashed**2))[None]
        state = (1 - step) * state + step * matrix @ squashed


def mean_field(gain: float) -> float:
    """½ ln χ, the largest exponent of the map in large chaotic networks: χ = g² ⟨tanh'(x)²⟩ with x ~ N(0, q), q = g² ⟨tanh(x)²⟩."""
    z = np.linspace(-8, 8, 4001)
    weight = np.exp(-z * z / 2)
    weight /= weight.sum()
    q = 1.0
    for _ in range(200):
        q = gain**2 * float(weight @ np.tanh(math.sqrt(q) * z) ** 2)
    return 0.5 * math.log(gain**2 * float(weight @ (1 - np.tanh(math.sqrt(q) * z) ** 2) ** 2))


def gaussian_exponents(units: int) -> Array:
    """½ [ln(2/N) + ψ((N − i + 1)/2)] for a product of matrices whose entries N(0, 1/N) are drawn anew at every step (Newman 1986)."""
    return 0.5 * (math.log(2 / units) + np.array([_digamma((units - i) / 2) for i in range(units)]))


def _digamma(x: float) -> float:
    """ψ(x) = ψ(x + 1) − 1/x, and its series from 10 on."""
    total = 0.0
    while x < 10:
        total, x = total - 1 / x, x + 1
    return total + math.log(x) - 1 / (2 * x) - 1 / (12 * x**2) + 1 / (120 * x**4)

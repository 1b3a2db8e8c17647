"""What all GRUs share: the new state is a mixture of the old one and the candidate, h_t = z · h_{t-1} + (1 − z) · n."""

import numpy as np

from gradviz.arrays import Array
from gradviz.cells._base import one_minus_square


def mix(share: Array, old: Array, new: Array, out: Array) -> None:
    """share · old + (1 − share) · new, as new + share · (old − new)."""
    np.subtract(old, new, out=out)
    np.multiply(out, share, out=out)
    np.add(out, new, out=out)


def blend_derivatives(share: Array, old: Array, new: Array, factors: Array) -> None:
    """Fill the factors (update, candidate, keep) of the mixture: (h_{t-1} − n) z (1 − z), (1 − z)(1 − n²) and z."""
    update, candidate, keep = factors
    np.subtract(1, share, out=update)
    one_minus_square(new, update, out=candidate)
    np.multiply(update, share, out=update)
    np.subtract(old, new, out=keep)
    np.multiply(update, keep, out=update)
    np.copyto(keep, share)


def sigmoid_slope(gate: Array, partner: Array, out: Array) -> None:
    """σ' times its partner: gate (1 − gate) · partner, in place."""
    np.subtract(1, gate, out=out)
    np.multiply(out, gate, out=out)
    np.multiply(out, partner, out=out)

"""Weight decay as a penalty: the gradient of factor/2 · ‖p‖², added to that of the loss (L2 regularization)."""

from gradviz.arrays import Array


def penalized(gradient: Array, array: Array, factor: float) -> Array:
    """gradient + factor · array; the very same gradient if there is no factor."""
    return gradient + factor * array if factor else gradient

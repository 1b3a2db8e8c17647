"""The recurrent weights by themselves: how far they stretch, and how fast they turn.

They are two numbers, and only one of them bounds a gradient (Pascanu, Mikolov and Bengio 2013, section 2.1). The spectral radius ρ, the
largest |eigenvalue|, says how a linear network grows in the long run. The largest singular value σ₁ says how much one step can stretch:
‖∂h_t/∂h_{t-1}‖ ≤ γ σ₁ with γ = sup |f'|, 1 for tanh and ReLU. So σ₁ < 1/γ is sufficient for vanishing and σ₁ > 1/γ is necessary for
exploding.
"""

from dataclasses import dataclass

import numpy as np

from gradviz.errors import NonFiniteError
from gradviz.network import Network


@dataclass(frozen=True)
class Recurrent:
    """Of one block (gate) of one layer: radius ρ and stretch σ₁; bound: the largest factor per step of a plain RNN's gradient, γ σ₁; NaN
    for gated cells, whose gradient has other ways."""

    layer: str
    block: str
    radius: float
    stretch: float
    bound: float

    @property
    def must_vanish(self) -> bool:
        """Whether the bound alone decides: every gradient fades."""
        return self.bound < 1

    @property
    def can_explode(self) -> bool:
        """Whether the bound leaves room for an explosion. It does not say that there is one."""
        return self.bound > 1


def recurrent(network: Network) -> list[Recurrent]:
    """Every block of every layer."""
    found = []
    for layer, direction in network.parts.places:
        name = f"layers.{layer}.{direction}"
        weights = network.parameters[f"{name}.weight_hh"].astype(np.float64)
        if not np.isfinite(weights).all():
            raise NonFiniteError(f"{name}.weight_hh holds NaN or infinity; its spectrum is not defined.")
        for block, matrix in zip(network.model.cell.blocks, weights, strict=True):
            radius = float(np.abs(np.linalg.eigvals(matrix)).max())
            stretch = float(np.linalg.norm(matrix, 2))
            found.append(Recurrent(name, block, radius, stretch, stretch if network.model.cell.family == "rnn" else np.nan))
    return found

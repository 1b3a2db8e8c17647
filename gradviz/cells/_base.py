"""What a cell is: the mathematics of one step, forward and backward, on arrays. It knows no loop, no hook, no recorder.

Arrays are gate-major: the pre-activations of a sequence are (block, time, batch, unit), so that every gate is one contiguous
(time, batch, unit) array and every step of it one contiguous slice. Three tricks make a step cheap:

- sigmoid(x) = 1/(1 + exp(-x)): the minus is folded into the weights of the gates, and one exp does all of them. The form is exact for
  gates that are nearly shut as well, where (1 + tanh(x/2))/2 has no digits left;
- everything in the backward pass that does not depend on the incoming gradient is a *factor*, computed for all steps at once;
- nothing is allocated inside the loop over time.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from gradviz.arrays import Array, Parameters


@dataclass(slots=True)
class Step:
    """Views of one time step into the buffers of a sequence.

    block: (block, batch, unit), on entry the input's share of the pre-activations, on exit the activations; rows: the same,
    block by block; sigmoids: the leading blocks that are gates; before, after: states h_{t-1} and h_t (and c); extra: what the
    cell keeps for its backward pass; factors, d_block, d_after: local derivatives, gradients of the pre-activations, and total
    gradients of the states after the step; d_extra: gradients the cell keeps besides; product, spare: scratch; side: scratch like
    d_block, whose blocks lie side by side in memory, and wide: the same memory, (batch, block · unit).
    """

    block: Array
    rows: tuple[Array, ...]
    sigmoids: Array
    before: tuple[Array, ...]
    after: tuple[Array, ...]
    extra: tuple[Array, ...]
    factors: Array
    d_block: Array
    d_after: tuple[Array, ...]
    d_extra: tuple[Array, ...]
    product: Array
    spare: Array
    side: Array
    wide: Array


@dataclass(frozen=True)
class Sequence:
    """The same buffers over all steps: block, factors, d_block (·, time, batch, unit); the others (time, batch, unit)."""

    block: Array
    before: tuple[Array, ...]
    after: tuple[Array, ...]
    extra: tuple[Array, ...]
    factors: Array
    d_block: Array
    d_after: tuple[Array, ...]
    d_extra: tuple[Array, ...]

    def part(self, steps: slice) -> "Sequence":
        """The same buffers over some of the steps."""
        before, after, extra, d_after, d_extra = (
            tuple(array[steps] for array in arrays) for arrays in (self.before, self.after, self.extra, self.d_after, self.d_extra)
        )
        return Sequence(
            block=self.block[:, steps], before=before, after=after, extra=extra,
            factors=self.factors[:, steps], d_block=self.d_block[:, steps], d_after=d_after, d_extra=d_extra,
        )  # fmt: skip


@dataclass(frozen=True)
class Weights:
    """One layer's weights made ready for a pass.

    ih: (block, input, unit), hh: (block, unit, unit), bias: (block, unit), with the minus of the sigmoids folded in;
    back: (block · unit, unit), the blocks of hh as it is, transposed, one below the other; own: what the cell has besides, as it is
    unless the cell prepares it. Biases that a layer lacks are zero.
    """

    ih: Array
    hh: Array
    bias: Array
    back: Array
    own: Parameters


class Cell(ABC):
    """Base of all cells. A cell is a frozen dataclass of options.

    blocks: rows of the pre-activation, the gates (sigmoids) first; gates: how many of them are gates; states: what is carried
    from step to step, the layer's output first; extra, d_extra: names of further buffers; factors: for each local derivative,
    the state or block whose gradient it multiplies and the block (or "") whose pre-activation it leads to;
    stages: method names of a step forward, each with the points it makes, in order.
    """

    family: ClassVar[str] = "other"
    blocks: ClassVar[tuple[str, ...]]
    gates: ClassVar[int] = 0
    states: ClassVar[tuple[str, ...]] = ("hidden",)
    extra: ClassVar[tuple[str, ...]] = ()
    d_extra: ClassVar[tuple[str, ...]] = ()
    factors: ClassVar[tuple[tuple[str, str], ...]]
    stages: ClassVar[tuple[tuple[str, tuple[str, ...]], ...]]

    def shapes(self, inputs: int, units: int, *, bias: bool = True) -> dict[str, tuple[int, ...]]:
        """Names and shapes of the parameters of one layer and direction."""
        count = len(self.blocks)
        shapes = {"weight_ih": (count, inputs, units), "weight_hh": (count, units, units), "bias": (count, units), **self.own_shapes(units)}
        return {name: shape for name, shape in shapes.items() if bias or not name.startswith("bias")}

    def own_shapes(self, units: int) -> dict[str, tuple[int, ...]]:
        """Names and shapes of parameters that only this cell has; the names of biases begin with "bias"."""
        return {}

    def begin(self, name: str, shape: tuple[int, ...], rng: np.random.Generator) -> Array:
        """How a parameter of `own_shapes` begins: at zero, unless the cell says otherwise."""
        return np.zeros(shape)

    def prepare(self, parameters: Parameters) -> Weights:
        """Fold the minus of sigmoid(x) = 1/(1 + exp(-x)) into the weights of the gates."""
        ih, hh = parameters["weight_ih"], parameters["weight_hh"]
        missing = {name: np.zeros(shape, hh.dtype) for name, shape in self.shapes(*ih.shape[1:]).items() if name not in parameters}
        given = {**missing, **parameters}
        sign = np.array([-1] * self.gates + [1] * (len(self.blocks) - self.gates), dtype=hh.dtype)
        wide = sign[:, None, None]
        own = {name: given[name] for name in self.own_shapes(hh.shape[2])}
        return Weights(ih * wide, hh * wide, given["bias"] * sign[:, None], hh.transpose(0, 2, 1).reshape(-1, hh.shape[1]), own)

    @abstractmethod
    def local_derivatives(self, tape: Sequence) -> None:
        """Fill `tape.factors` for all steps at once."""

    def output_slope(self, tape: Sequence, weights: Weights) -> Array:
        """∂h_t/∂c_t of a cell with a second state, within a step and with interventions folded in, (time, batch, unit): its own
        factor that leads from hidden to no block."""
        slope: Array = tape.factors[self.factors.index(("hidden", ""))]
        return slope

    @abstractmethod
    def back(self, weights: Weights, step: Step, carry: tuple[Array, ...]) -> None:
        """One step backward. `step.d_after[0]` holds the total gradient of h_t; the cell fills the other states' totals and
        `d_block`. `carry` comes with the gradients of the states other than h that arrive through time and leaves with those
        of all states before the step."""

    def recurrent_gradients(self, tape: Sequence) -> Parameters:
        """Gradients of the recurrent weights, all steps in one product: Σ_t h_{t-1}ᵀ δ_t."""
        return {"weight_hh": products(tape.before[0], tape.d_block)}

    def moved(self, tape: Sequence, weights: Weights, change: Array) -> Sequence:
        """The tape whose recurrent products read not their inputs but how these change if h_{t-1} changes by `change` (time, batch, unit).
        A cell overrides it if a product reads something else than the state."""
        return replace(tape, before=(change, *tape.before[1:]))

    @abstractmethod
    def point_gradients(self, tape: Sequence) -> dict[str, Array]:
        """Gradient of the loss with respect to each block's activation (not pre-activation), (time, batch, unit) by block."""

    def label(self, block: str) -> str:
        """The block's hook point: gate.<name> or its plain name."""
        return f"gate.{block}" if self.blocks.index(block) < self.gates else block


def products(states: Array, gradients: Array) -> Array:
    """Σ over time and batch of statesᵀ·gradients: (time, batch, n) and (block, time, batch, m) give (block, n, m)."""
    blocks, steps, size, units = gradients.shape
    total: Array = np.matmul(states.reshape(steps * size, -1).T, gradients.reshape(blocks, steps * size, units))
    return total


def gathered(step: Step, weights: Weights, out: Array) -> None:
    """What the gradients in `step.side` send to the state before, Σ over blocks of δ Uᵀ. Side by side they take one product, a third
    faster in small layers than one for each block, which would have to be summed."""
    np.matmul(step.wide, weights.back, out=out)


def sigmoids(gates: Array) -> None:
    """Activate gates, in place; their pre-activations come with the sign turned."""
    np.exp(gates, out=gates)
    np.add(gates, 1, out=gates)
    np.reciprocal(gates, out=gates)


def one_minus_square(value: Array, partner: Array, out: Array) -> None:
    """tanh' times its partner: (1 − value²) · partner, in place."""
    np.multiply(value, value, out=out)
    np.subtract(1, out, out=out)
    np.multiply(out, partner, out=out)

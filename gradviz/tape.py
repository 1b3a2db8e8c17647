"""The buffers of one layer and direction over a sequence, allocated once, and a view of every step into them.

States have one slot more than there are steps: the initial state stands before the first step in the order of reading. A layer
that reads forward goes from slot t to slot t + 1, one that reads backward from slot t + 1 to slot t, so that every array is in
the order of the sequence whichever way it was read.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import DTypeLike

from gradviz.arrays import Array
from gradviz.cells import Cell, Sequence, Step, Weights
from gradviz.cores import halves

LARGE = 4_000_000  # multiplications of a recurrent step: below, two threads wait for Python's lock more than they gain


@dataclass(frozen=True)
class Part:
    """Some of the batch's examples, whose loop over time is their own. carry: gradients of the states that arrive through time."""

    rows: slice
    steps: list[Step]
    carry: tuple[Array, ...]

    def of(self, array: Array | None, t: int) -> Array | None:
        """Step t of an array (time, batch or 1, …), these examples' share of it."""
        return None if array is None else array[t] if array.shape[1] == 1 else array[t, self.rows]


class Tape:
    """`separate_read` gives the state as a step reads it a buffer of its own, for interventions on the point `recurrent`."""

    def __init__(
        self, cell: Cell, shape: tuple[int, int, int], dtype: DTypeLike, *, backward: bool = False, separate_read: bool = False
    ) -> None:
        steps, size, units = shape
        self.cell, self.shape, self.is_backward = cell, shape, backward
        blocks = len(cell.blocks)
        self.states = tuple(np.zeros((steps + 1, size, units), dtype) for _ in cell.states)
        after, before = (slice(0, -1), slice(1, None)) if backward else (slice(1, None), slice(0, -1))
        reads = [state[before] for state in self.states]
        if separate_read:
            reads[0] = np.zeros(shape, dtype)
        self.sequence = Sequence(
            block=np.empty((blocks, *shape), dtype),
            before=tuple(reads),
            after=tuple(state[after] for state in self.states),
            extra=tuple(np.empty(shape, dtype) for _ in cell.extra),
            factors=np.empty((len(cell.factors), *shape), dtype),
            d_block=np.empty((blocks, *shape), dtype),
            d_after=tuple(np.empty(shape, dtype) for _ in cell.states),
            d_extra=tuple(np.empty(shape, dtype) for _ in cell.d_extra),
        )
        self.carry = tuple(np.zeros((size, units), dtype) for _ in cell.states)
        self._product, self._spare = np.empty((blocks, size, units), dtype), np.empty((size, units), dtype)
        self._side = np.empty((size, blocks, units), dtype)
        large = size > 1 and blocks * size * units * units >= LARGE
        self.parts = [self._part(rows) for rows in halves(size)] if large else [self.whole]
        self.direct: Array = np.zeros(0, dtype)
        self.weights: Weights | None = None  # of the last backward pass
        self.through: tuple[Array, ...] | None = None
        self.passes: dict[str, Array] = {}
        self.held: dict[int, Array] = {}  # by state: where it kept what it was before the step
        self.padding: Array | None = None

    @cached_property
    def whole(self) -> Part:
        """The whole batch in one part, as interventions want it."""
        return self._part(slice(0, self.shape[1]))

    def _part(self, rows: slice) -> Part:
        steps = [self._step(t, rows) for t in range(self.shape[0])]
        return Part(rows, steps, tuple(array[rows] for array in self.carry))

    def _step(self, t: int, rows: slice) -> Step:
        buffers = self.sequence
        block = buffers.block[:, t, rows]
        return Step(
            block=block,
            rows=tuple(block),
            sigmoids=block[: self.cell.gates],
            before=tuple(state[t, rows] for state in buffers.before),
            after=tuple(state[t, rows] for state in buffers.after),
            extra=tuple(array[t, rows] for array in buffers.extra),
            factors=buffers.factors[:, t, rows],
            d_block=buffers.d_block[:, t, rows],
            d_after=tuple(array[t, rows] for array in buffers.d_after),
            d_extra=tuple(array[t, rows] for array in buffers.d_extra),
            product=self._product[:, rows],
            spare=self._spare[rows],
            side=self._side[rows].transpose(1, 0, 2),
            wide=self._side[rows].reshape(-1, len(block) * self.shape[2]),
        )

    @property
    def order(self) -> range:
        """Time steps in the order in which the layer reads them."""
        return range(self.shape[0] - 1, -1, -1) if self.is_backward else range(self.shape[0])

    @property
    def initial(self) -> tuple[Array, ...]:
        """The states before the first step, (batch, unit) each; writable."""
        return tuple(state[-1 if self.is_backward else 0] for state in self.states)

    def source(self, place: int) -> Array:
        """A state before each step, (time, batch, unit), as it is and not as a step may read it."""
        return self.states[place][1:] if self.is_backward else self.states[place][:-1]

    def held_at(self, point: str) -> list[Array]:
        """Where a state was held still, if it was."""
        return [held for place, held in self.held.items() if self.cell.states[place] == point]

    @property
    def final(self) -> tuple[Array, ...]:
        """The states after the last step, (batch, unit) each."""
        return tuple(state[0 if self.is_backward else -1] for state in self.states)

    def keep_through(self, wanted: bool) -> None:
        """Whether the next backward pass keeps what arrives through time: total − direct would lose all its digits once it is small."""
        self.through = tuple(np.empty_like(array) for array in self.sequence.d_after) if wanted else None

    def visible(self, array: Array) -> Array:
        """`array` (time, batch, unit) with zeros in the padding."""
        return array if self.padding is None else np.where(self.padding, np.zeros((), array.dtype), array)

    def values(self, point: str) -> Array:
        """Activations at a point (hidden, cell, gate.forget, candidate …), (time, batch, unit)."""
        if point in self.cell.states:
            return self.visible(self.sequence.after[self.cell.states.index(point)])
        return self.visible(self.sequence.block[self.cell.blocks.index(point.removeprefix("gate."))])

    def gradients(self, point: str, kind: str = "total") -> Array:
        """Gradient of the loss with respect to a point. For the hidden state `kind` may also be "direct" (what arrives at step
        t from above) or "through_time" (what arrives from the next step, if `keep_through` was asked for); the two sum to "total".
        For the cell state direct is what arrives in the same step from the direct part of h."""
        if point not in self.cell.states:
            return self.visible(self._of_block(point.removeprefix("gate.")))
        place = self.cell.states.index(point)
        if kind == "total":
            return self.visible(self.sequence.d_after[place])
        if kind == "direct":
            return self.visible(self._through_output(self.direct) if place else self.direct)
        assert self.through is not None, "keep_through before the backward pass"
        arrived = self.through[place]
        return self.visible(arrived + self._through_output(self.through[0]) if place else arrived)

    def _of_block(self, block: str) -> Array:
        """Gradient at a block's activation: none where the state it leads to was replaced."""
        gradient = self.cell.point_gradients(self.sequence)[block]
        for state in self.cell.states:
            if (state, block) in self.cell.factors and state in self.passes:
                gradient = np.where(self.passes[state], gradient, np.zeros((), gradient.dtype))
        return gradient

    def _through_output(self, d_hidden: Array) -> Array:
        """What of a gradient at h_t reaches c_t in the same step."""
        assert self.weights is not None, "a backward pass first"
        with np.errstate(all="ignore"):
            return d_hidden * self.cell.output_slope(self.sequence, self.weights)

"""The only loops over time: one layer in one direction, forward and backward, with lengths, truncation and interventions."""

from functools import partial

import numpy as np

from gradviz.arrays import Array, Integers, Parameters
from gradviz.batch import NOTHING
from gradviz.cells import Weights
from gradviz.cells._base import products
from gradviz.cores import WORTH, halves, together
from gradviz.errors import GradvizError
from gradviz.hooks import Change, applied
from gradviz.tape import Part, Tape


def project(inputs: Array | Integers, weights: Weights, out: Array) -> None:
    """All input products of a sequence at once, into `out` (block, time, batch, unit). Tokens pick rows instead."""
    if inputs.ndim == 2:
        _pick(inputs, weights, out)
        return
    blocks, steps, size, units = out.shape
    rows, into = inputs.reshape(steps * size, -1), out.reshape(blocks, steps * size, units)

    def some(part: slice) -> None:
        np.matmul(rows[part], weights.ih, out=into[:, part])
        np.add(into[:, part], weights.bias[:, None], out=into[:, part])

    together([partial(some, part) for part in halves(len(rows))], rows.size * blocks * units)


def _pick(tokens: Integers, weights: Weights, out: Array) -> None:
    """The row of each token and the bias; of no token, -1, the bias alone. It is added to whatever is fewer, the tokens or their kinds."""
    if tokens.size < weights.ih.shape[1]:
        np.take(weights.ih, tokens, axis=1, out=out, mode="wrap")
        out[:, tokens == NOTHING] = 0
        np.add(out, weights.bias[:, None, None], out=out)
        return
    rows = np.zeros((len(out), weights.ih.shape[1] + 1, out.shape[3]), out.dtype)  # -1 picks the last
    rows[:, :-1] = weights.ih
    rows += weights.bias[:, None]
    np.take(rows, tokens, axis=1, out=out, mode="wrap")


def forward(tape: Tape, weights: Weights, inputs: Array | Integers, changes: dict[str, list[Change]], where: str = "") -> None:
    """Fill the tape. `tape.initial` must be set; `tape.padding` (time, batch, 1) is true where a sequence has ended."""
    project(inputs, weights, tape.sequence.block)
    tape.passes, tape.held = {}, {}
    with np.errstate(all="ignore"):  # infinities and NaN are recorded and located, not warned about
        if changes:
            _forward_with_changes(tape, weights, changes, where)
            return
        together([partial(_forward, tape, weights, part) for part in tape.parts], WORTH)


def _forward(tape: Tape, weights: Weights, part: Part) -> None:
    """The loop forward. States stand still in the padding."""
    stages, steps = [getattr(tape.cell, name) for name, _ in tape.cell.stages], part.steps
    for t in tape.order:
        for stage in stages:
            stage(weights, steps[t])
        if (padding := part.of(tape.padding, t)) is not None:
            for after, before in zip(steps[t].after, steps[t].before, strict=True):
                np.copyto(after, before, where=padding)


def _forward_with_changes(tape: Tape, weights: Weights, changes: dict[str, list[Change]], where: str) -> None:
    """The same loop with interventions, which see the whole batch."""
    before = tape.sequence.before[0]
    sources = [tape.source(place) for place in range(len(tape.states))]
    for t in tape.order:
        step = tape.whole.steps[t]
        if "recurrent" in changes:
            np.copyto(before[t], sources[0][t])
            _change(tape, changes, "recurrent", t, before[t], where)
        for name, points in tape.cell.stages:
            getattr(tape.cell, name)(weights, step)
            for point in points:
                if point in changes:
                    _change(tape, changes, point, t, _slot(tape, point, t), where)
        if tape.padding is not None:
            for after, source in zip(step.after, sources, strict=True):
                np.copyto(after, source[t], where=tape.padding[t])


def _slot(tape: Tape, point: str, t: int) -> Array:
    step, cell = tape.whole.steps[t], tape.cell
    return step.after[cell.states.index(point)] if point in cell.states else step.rows[cell.blocks.index(point.removeprefix("gate."))]


def _change(tape: Tape, changes: dict[str, list[Change]], point: str, t: int, array: Array, where: str) -> None:
    for change in changes[point]:
        answer = applied(change, t, array, f"{where}.{point}")
        if answer is not None:
            np.copyto(array, answer.values, casting="same_kind")
            kept = np.zeros(array.shape, bool) if answer.passes is None else answer.passes.astype(bool)
            for earlier in (tape.passes.setdefault(point, np.ones(tape.shape, bool)), *tape.held_at(point)):
                earlier[t] &= kept
            if answer.held is not None:
                _hold_still(tape, point, t, array, answer.held.astype(bool), f"{where}.{point}")


def _hold_still(tape: Tape, point: str, t: int, array: Array, held: Array, where: str) -> None:
    """Put back what a state was before the step, and remember that its gradient goes there."""
    if point not in tape.cell.states:
        raise GradvizError(f"{where} is no state and cannot be held at what it was before; the states are {', '.join(tape.cell.states)}.")
    place = tape.cell.states.index(point)
    np.copyto(array, tape.source(place)[t], where=held)
    tape.passes[point][t] &= ~held
    tape.held.setdefault(place, np.zeros(tape.shape, bool))[t] |= held


def backward(tape: Tape, weights: Weights, direct: Array, d_final: tuple[Array | None, ...], truncation: int = 0) -> tuple[Array, ...]:
    """Backpropagation through time. direct: (time, batch, unit), what arrives at h_t from above, zero in the padding;
    d_final: gradient with respect to each final state, or None. Returns the gradients of the initial states.

    truncation: the gradient does not cross every so-many-th step, counted from where each sequence's reading begins; 0 never cuts.
    """
    tape.direct, tape.weights = direct, weights
    for array, gradient in zip(tape.carry, d_final, strict=True):
        array[...] = 0 if gradient is None else gradient
    with np.errstate(all="ignore"):
        parts = [tape.sequence.part(steps) for steps in halves(tape.shape[0])]
        together([partial(tape.cell.local_derivatives, part) for part in parts], 20 * tape.sequence.factors.size)
        _fold_passes(tape)
        ends = _truncated(tape, truncation)
        together([partial(_backward, tape, weights, part, ends) for part in tape.parts], WORTH)
    return tuple(array.copy() for array in tape.carry)


def _backward(tape: Tape, weights: Weights, part: Part, ends: Array | None) -> None:
    """The loop backward. ends: where truncation cuts, (time, batch or 1, 1), or None."""
    carry, cell, cut, rows = part.carry, tape.cell, tape.passes.get("recurrent"), part.rows
    for t in reversed(tape.order):
        step, padding, end = part.steps[t], part.of(tape.padding, t), part.of(ends, t)
        if tape.through is not None:
            for array, arriving in zip(tape.through, carry, strict=True):
                np.copyto(array[t, rows], arriving)
        np.add(tape.direct[t, rows], carry[0], out=step.d_after[0])
        held = None if padding is None else _hold(carry, step.d_after[0], padding)
        cell.back(weights, step, carry)
        if cut is not None:
            np.copyto(carry[0], 0, where=~cut[t, rows])  # a product would make NaN of infinity
        for place, still in tape.held.items():
            np.add(carry[place], step.d_after[place], out=carry[place], where=still[t, rows])
        if end is not None:
            for array in carry:
                np.copyto(array, 0, where=end)
        if held is not None:
            for array, kept in zip(carry, held, strict=True):
                np.add(array, kept, out=array)


def _truncated(tape: Tape, truncation: int) -> Array | None:
    """(time, batch or 1, 1) true where the gradient does not go on to the step read before; None if it always does."""
    if not truncation:
        return None
    place = np.array(tape.order)[:, None, None]  # how many steps were read before; its own inverse, so also step by place
    if tape.is_backward and tape.padding is not None:
        place = place - tape.padding.sum(axis=0)
    return np.asarray((place % truncation == 0) & (place > 0))


def _hold(carry: tuple[Array, ...], d_hidden: Array, padding: Array) -> list[Array]:
    """Take the gradients of ended sequences out of this step: they wait at the state that stood still."""
    held = [np.where(padding, array, 0) for array in carry]
    for array in (*carry, d_hidden):
        np.copyto(array, 0, where=padding)
    return held


def _fold_passes(tape: Tape) -> None:
    """An intervention's cut becomes part of the local derivatives, so that the loop need not know of it."""
    cell = tape.cell
    for factor, names in zip(tape.sequence.factors, cell.factors, strict=True):
        for name in names:
            point = name if name in cell.states or not name else cell.label(name)
            if point in tape.passes:
                np.multiply(factor, tape.passes[point], out=factor)


def parameter_gradients(tape: Tape, inputs: Array | Integers, tokens: int) -> Parameters:
    """Gradients of a layer's parameters, all steps in one product each. tokens: how many kinds there are, if inputs are tokens."""
    d_block = tape.sequence.d_block

    def of_inputs() -> Parameters:
        ih = scatter(inputs, d_block, tokens) if inputs.ndim == 2 else products(inputs, d_block)
        return {"weight_ih": ih, "bias": d_block.sum(axis=(1, 2))}

    def of_states() -> Parameters:
        return tape.cell.recurrent_gradients(tape.sequence)

    with np.errstate(all="ignore"):
        inputs_share, states_share = together([of_inputs, of_states], d_block.size * d_block.shape[-1])
    return {**inputs_share, **states_share}


def scatter(tokens: Integers, gradients: Array, kinds: int) -> Array:
    """Σ of gradients (block, time, batch, unit) over the places of each token: (block, kinds, unit)."""
    present, sums = by_token(tokens, gradients)
    total = np.zeros((len(gradients), kinds, sums.shape[2]), gradients.dtype)
    total[:, present] = sums
    return total


def by_token(tokens: Integers, gradients: Array) -> tuple[Integers, Array]:
    """The tokens that occur (n,), ascending, and the sums of gradients over the places of each, (block, n, unit). Where there is no
    token, -1, they go nowhere.

    Sorted by token, each sum runs over neighbours: four times as fast as `np.add.reduceat`, and no one-hot matrix is made.
    """
    flat = tokens.ravel()
    order = np.argsort(flat, kind="stable")
    present, starts = np.unique(flat[order], return_index=True)
    ends = np.append(starts[1:], flat.size)
    if present[0] == NOTHING:
        present, starts, ends = present[1:], starts[1:], ends[1:]
    rows = gradients.reshape(len(gradients), flat.size, -1).take(order, axis=1)
    sums = np.empty((len(gradients), len(present), rows.shape[2]), gradients.dtype)
    for place, (start, end) in enumerate(zip(starts, ends, strict=True)):
        np.add.reduce(rows[:, start:end], axis=1, out=sums[:, place])
    return present, sums


def input_gradients(tape: Tape, weights_ih: Array) -> Array:
    """(time, batch, input): what a layer passes down. weights_ih: (block, input, unit), as the parameters have it."""
    steps, size, units = tape.shape
    flat = tape.sequence.d_block.reshape(len(weights_ih), steps * size, units)
    total: Array = np.empty((steps * size, weights_ih.shape[1]), flat.dtype)

    def some(part: slice) -> None:
        np.matmul(flat[0, part], weights_ih[0].T, out=total[part])
        for gradient, weight in zip(flat[1:], weights_ih[1:], strict=True):
            total[part] += gradient[part] @ weight.T

    with np.errstate(all="ignore"):
        together([partial(some, part) for part in halves(len(total))], flat.size * weights_ih.shape[1])
    return total.reshape(steps, size, -1)

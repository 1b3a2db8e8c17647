"""What lesson 1 computes and draws: three examples in one array, and what their padding does."""

from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import numpy as np
import pandas as pd

from gradviz.arrays import Array, Integers
from gradviz.batch import Batch
from gradviz.charts import Description
from gradviz.charts._description import Axis, Heat, Line, Mark, Panel, Points, log10
from gradviz.lessons._play import Play, control
from gradviz.lessons._small import unit
from gradviz.lessons._table import blank, table
from gradviz.lessons._words import spelled
from gradviz.losses import softmax
from gradviz.shapes import many_to_many
from gradviz.wording import percent

WEIGHT = 0.5
KINDS = 10  # of tokens
LIMITS = (-4.0, 0.0)  # powers of ten of the gradient
PADDING = "//"
FINE = 6  # steps, up to which a phone has room for a digit behind the point


@dataclass(frozen=True)
class Padded:
    """Three examples whose inputs are all 1, one after the other and through the padding. Arrays are (time, example); mask: true where a
    cell is real; states: of a unit that reads on in the padding; gradient: ∂L/∂x, L the mean of (h − x)²; last: (example,) the state of
    a pass that knows the lengths."""

    mask: Array
    states: Array
    gradient: Array
    last: Array

    @property
    def ends(self) -> Integers:
        """(example,) the lengths."""
        return np.asarray(self.mask.sum(axis=0))


@lru_cache(maxsize=64)
def read(lengths: tuple[int, ...], masked: bool) -> Padded:
    """masked: whether the loss counts real cells alone."""
    ones = [np.ones((length, 1)) for length in lengths]
    batch, network = many_to_many(ones, ones), unit(WEIGHT)
    counted = batch if masked else Batch(batch.inputs, batch.targets)
    last = network.forward(batch.inputs, batch.lengths).final["layers.0.forward"][0][:, 0]
    run = network.forward(batch.inputs)
    gradient = network.backward(run, network.loss(run, counted).d_outputs).inputs
    assert gradient is not None, "inputs that are values have a gradient"
    return Padded(batch.mask, run.outputs[..., 0], gradient[..., 0], last)


def place_of(example: int, step: int, lengths: tuple[int, ...]) -> tuple[int, ...]:
    """Where input `step` of example `example`, both counted from 1, stands in the array: its indices."""
    numbered = [100.0 * i + np.arange(1, length + 1) for i, length in enumerate(lengths, 1)]
    return tuple(int(at) for at in np.argwhere(many_to_many(numbered, numbered).inputs == 100 * example + step)[0])


def even_guess(lengths: tuple[int, ...], masked: bool) -> float:
    """Nats per cell of a model that guesses evenly among `KINDS` tokens and is sure of the padding, which is token 0."""
    mask = read(lengths, masked).mask
    outputs = np.zeros((*mask.shape, KINDS))
    outputs[~mask, 0] = 1000.0
    weights = mask.astype(np.float64) if masked else np.ones(mask.shape)
    losses, _ = softmax(outputs, mask.astype(np.int64), weights)
    return float((weights * losses).sum() / weights.sum())


@dataclass(frozen=True)
class Cells(Play):
    """A padded batch, cell by cell: inputs, gradients, states."""

    name: ClassVar[str] = "Three examples in one array"
    alive: ClassVar[str] = "second"

    first: int = control(5, "Length of example 1", (1, 12, 1))
    second: int = control(3, "Length of example 2", (1, 12, 1))
    third: int = control(8, "Length of example 3", (1, 12, 1))
    mask: bool = control(True, "Mask the loss", help="count real cells alone")
    last: str = control("own length", "Last state at", choices=("own length", "end of array"))

    def draw(self) -> Description:
        it = read((self.first, self.second, self.third), self.mask)
        steps, examples = it.mask.shape
        t, i = np.meshgrid(np.arange(1, steps + 1), np.arange(1, examples + 1), indexing="ij")
        columns = {"example": i, "step": t, "real": it.mask, "state": it.states, "gradient": it.gradient}
        frame = pd.DataFrame({name: values.T.ravel() for name, values in columns.items()})
        return Description(
            "cells",
            _title(it, self.mask),
            "One unit with weight 0.5 reads 1 in every real cell and 0 in the padding (//). Left: the inputs, then log₁₀ |∂L/∂x|, where L "
            f"is the mean of (state − input)² over {'the real' if self.mask else 'all'} cells. Right: the state.",
            "Rows are examples i, columns steps t, counted from 1 on paper and from 0 in code. With the mask the padding’s gradient is 0, "
            "not merely small. A state that goes on through the padding fades: read it at the example’s own length.",
            frame,
            (_cells(it), _states(it, self.last == "own length")),
            columns=2,
            key=(("zero", "exactly 0"),),
        )


def _title(it: Padded, masked: bool) -> str:
    padding, cells = int((~it.mask).sum()), it.mask.size
    if not padding:
        return f"All {cells} cells are real: there is no padding to mask"
    count = f"{padding} of {cells} cells {'is' if padding == 1 else 'are'} padding"
    if masked:
        return f"{count}; masked, no gradient reaches {'it' if padding == 1 else 'them'}"
    size = np.abs(it.gradient)
    return f"{count}; unmasked, {percent(float(size[~it.mask].sum() / size.sum()))} of the gradient at the inputs lies there"


def _cells(it: Padded) -> Panel:
    """Two lines of headings, the inputs of each example, and their gradients under a line that says so."""
    steps, examples = it.mask.shape
    values, hover = blank(2 * examples + 3, steps + 2), [[""] * (steps + 2) for _ in range(2 * examples + 3)]
    size = log10(np.abs(it.gradient))
    letters = [["", "t", *map(str, range(1, steps + 1))], ["i", "code", *map(str, range(steps))]]
    letters += [[str(i + 1), str(i), *("1" if real else PADDING for real in it.mask[:, i])] for i in range(examples)]
    letters += [["" if column != 2 + steps // 2 else "log₁₀|∂L/∂x|" for column in range(steps + 2)]]
    letters += [[str(i + 1), str(i), *(_power(value, steps) for value in size[:, i])] for i in range(examples)]
    for i, t in np.ndindex(examples, steps):
        kind = "" if it.mask[t, i] else ", padding"
        hover[2 + i][2 + t] = f"x of example {i + 1}, step {t + 1}{kind}\nin code: x[{t}, {i}]"
        hover[3 + examples + i][2 + t] = f"example {i + 1}, step {t + 1}{kind}\n∂L/∂x = {spelled(float(it.gradient[t, i]))}"
    values[3 + examples :, 2:] = size.T
    like = Heat(np.zeros(0), np.zeros(0), values, "depth", LIMITS, True, "|∂L/∂x|", hover=tuple(map(tuple, hover)))
    return table(letters, values, like)


def _power(value: float, steps: int) -> str:
    return "0" if np.isneginf(value) else f"{value:.{1 if steps <= FINE else 0}f}".replace("-", "−")


def _states(it: Padded, own: bool) -> Panel:
    steps, examples = it.mask.shape
    t, at = np.arange(1, steps + 1), it.ends if own else np.full(examples, steps)
    last = it.last if own else it.states[-1]
    marks: list[Mark] = [Line(t, it.states[:, i], f"example {i + 1}", "ink", label=f"example {i + 1}") for i in range(examples)]
    hover = tuple(f"last state of example {i + 1}, at step {at[i]}: {last[i]:.4f}" for i in range(examples))
    marks.append(Points(at, last, "last state", "accent", hover=hover))
    heading = f"Last states: {', '.join(f'{value:.4f}' for value in last)}"
    return Panel(tuple(marks), Axis("step t", limits=(1, max(steps, 2))), Axis("", limits=(0.0, 1.0)), heading)

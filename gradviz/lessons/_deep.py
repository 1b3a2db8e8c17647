"""What lesson 11 computes and draws: gradients in a stack of recurrent layers, by layer and time step."""

from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import numpy as np
import pandas as pd

from gradviz.arrays import Array
from gradviz.batch import Signature
from gradviz.cells.rnn import RNN
from gradviz.charts import Description
from gradviz.charts._description import Axis, Heat, Line, Panel, log10
from gradviz.config import Model
from gradviz.lessons._play import Play, control
from gradviz.lessons._small import network
from gradviz.lessons._words import spelled
from gradviz.network import Network
from gradviz.passes import States

MOST = 4  # layers
START = 0.5  # state of every layer before the first step, where there is a tanh to feel it
LEAST = (-6.0, 2.0)  # powers of ten: colours and axes stand still while the weight moves
KINDS = ("linear", "tanh")


def stack(w: float, depth: float, kind: str) -> Network:
    """MOST layers of one unit: w from step to step, `depth` from each layer to the one above."""
    weights = {f"layers.{layer}.forward.weight_hh": w for layer in range(MOST)}
    weights |= {f"layers.{layer}.forward.weight_ih": depth for layer in range(MOST)}
    return network(Model(cell=RNN(kind), units=1, layers=MOST), Signature(1, 1, False, "squared", at="last"), weights)


@lru_cache(maxsize=256)
def gradients(steps: int, w: float, depth: float, kind: str = "linear") -> Array:
    """(top, layer, time) ∂h_T of the layer `top` with respect to h_t of each layer, zero above `top`; no input. A stack of fewer layers is
    the lower part of one of MOST: each `top` goes back in a copy of its own."""
    unit = stack(w, depth, kind)
    names = [f"layers.{layer}.forward" for layer in range(MOST)]
    run = unit.forward(np.zeros((steps, MOST, 1)), initial={name: (np.full((MOST, 1), START),) for name in names})
    ends: States = {name: (np.eye(MOST)[:, [layer]],) for layer, name in enumerate(names)}
    unit.backward(run, np.zeros_like(run.outputs), ends, parameters=False)
    return np.stack([run.tapes[name].gradients("hidden")[:, :, 0].T for name in names], axis=1)


def bottom(layers: int, steps: int, w: float, depth: float, kind: str = "linear") -> Array:
    """(lag,) ∂h_T of the top layer with respect to h_{T−lag} of the bottom one."""
    return gradients(steps, w, depth, kind)[layers - 1, 0, ::-1]


@dataclass(frozen=True)
class Grid(Play):
    """|∂h_T of the top layer / ∂h_t of each layer|."""

    name: ClassVar[str] = "Layers and time steps"
    alive: ClassVar[str] = "w"

    layers: int = control(3, "Layers L", (1, MOST, 1))
    steps: int = control(50, "Length T", (5, 200, 5))
    w: float = control(0.9, "Weight in time", (0.5, 1.1, 0.05))
    depth: float = control(0.9, "Weight in depth", (0.2, 1.5, 0.1))
    kind: str = control("linear", "Units", choices=KINDS)

    def draw(self) -> Description:
        found = gradients(self.steps, self.w, self.depth, self.kind)[self.layers - 1, : self.layers]
        t, layer = np.meshgrid(np.arange(1, self.steps + 1), np.arange(1, self.layers + 1))
        columns = {"layer": layer, "t": t, "gradient": found}
        size = log10(np.abs(found))
        limits = min(LEAST[0], float(size[np.isfinite(size)].min())), max(LEAST[1], float(size.max()))
        hover = tuple(
            tuple(f"layer {j}, step {k}\n{spelled(float(value))}" for k, value in enumerate(row, 1)) for j, row in enumerate(found, 1)
        )
        heat = Heat(np.arange(1, self.steps + 1), np.arange(self.layers), size, "depth", limits, True, "gradient", hover=hover)
        words = tuple(str(j) for j in range(1, self.layers + 1))
        return Description(
            "grid",
            _title(self, float(found[0, 0])),
            f"|∂h_T/∂h_t|, log scale: how much the last state of the top layer feels a change of the state at step t in each layer. One "
            f"unit a layer, no input, {self.kind}{'' if self.kind == 'linear' else ', states 0.5 before the first step'}.",
            "Without tanh the top row decays as one layer does. Further down there are many ways to the top, each a few steps up and all "
            "the others to the right, and their gradients add up. With both weights 1 the numbers count the ways.",
            pd.DataFrame({name: values.ravel() for name, values in columns.items()}),
            (Panel((heat,), Axis("step t"), Axis("layer", words=words)),),
            columns=1,
            shape="strip",
        )


def _title(it: Grid, first: float) -> str:
    if it.w == it.depth == 1 and it.kind == "linear":
        ways = "1 way leads" if first == 1 else f"{spelled(first)} ways lead"
        return f"{ways} from step 1 of layer 1 to step {it.steps} of layer {it.layers}"
    if it.layers == 1:
        return f"One layer: its last state feels step 1 with a gradient of {spelled(first)}"
    return f"The last state of layer {it.layers} feels step 1 of the bottom layer with a gradient of {spelled(first)}"


@dataclass(frozen=True)
class Hump(Play):
    """The bottom layer's gradient against the lag, for one to four layers."""

    name: ClassVar[str] = "The bottom layer against the lag"
    alive: ClassVar[str] = "w"

    steps: int = control(100, "Length T", (5, 200, 5))
    w: float = control(0.9, "Weight in time", (0.5, 1.1, 0.05))
    depth: float = control(0.9, "Weight in depth", (0.2, 1.5, 0.1))
    kind: str = control("linear", "Units", choices=KINDS)

    def draw(self) -> Description:
        lag = np.arange(self.steps)
        found = {layers: bottom(layers, self.steps, self.w, self.depth, self.kind) for layers in range(1, MOST + 1)}
        sizes = {layers: log10(np.abs(line)) for layers, line in found.items()}
        colours = {1: "ghost", 3: "accent"}
        marks = tuple(
            Line(lag, line, f"L = {layers}", colours.get(layers, "ink"), layers == 1, label=f"L={layers}") for layers, line in sizes.items()
        )
        every = np.concatenate(list(sizes.values()))
        limits = min(LEAST[0], float(every[np.isfinite(every)].min())), max(LEAST[1], float(every.max()))
        peak = int(sizes[3].argmax())
        most, last = (spelled(float(abs(found[3][at]))) for at in (peak, -1))
        return Description(
            "hump",
            f"With three layers the bottom one’s gradient is largest at lag {peak}: {most}; at lag {self.steps - 1} it is {last}",
            f"|∂h_T/∂h_(T−k)|, top layer to bottom layer, against the lag k, log scale; stacks of L = 1 to {MOST} layers, one unit each, "
            f"no input, {self.kind}.",
            "More layers, a higher hump: the number of ways grows like a power of the lag. But each step back multiplies by w, and in the "
            "end all lines fall (or rise) as steeply as that of one layer.",
            pd.DataFrame({"lag": lag, **{f"layers_{layers}": line for layers, line in found.items()}}),
            (Panel(marks, Axis("lag k, steps back", limits=(0, self.steps - 1)), Axis("", "log", limits)),),
            columns=1,
            shape="line",
        )

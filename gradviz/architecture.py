"""What a network consists of, before any number is computed: its layers, its parameters' names and shapes, its hook points."""

from dataclasses import dataclass

from gradviz.batch import Signature
from gradviz.config import Model
from gradviz.hooks import KINDS, Point

STACKED = ("weight_ih", "weight_hh", "bias")  # parameters of a layer whose first axis runs over the cell's blocks
MEANING = {
    "recurrent": "hidden state as the step reads it, h_{t-1}",
    "hidden": "hidden state h_t, the layer's output",
    "cell": "cell state c_t",
    "candidate": "proposed new content",
}


@dataclass(frozen=True)
class Architecture:
    """(embedding →) layers, which all read forward, backward or in both directions, → readout."""

    model: Model
    signature: Signature

    @property
    def directions(self) -> tuple[str, ...]:
        return ("forward", "backward") if self.model.direction == "both" else (self.model.direction,)

    @property
    def places(self) -> list[tuple[int, str]]:
        """(layer, direction) of every recurrent layer, bottom first."""
        return [(layer, direction) for layer in range(self.model.layers) for direction in self.directions]

    @property
    def width(self) -> int:
        """Units a layer puts out at each step, over its directions."""
        return self.model.units * len(self.directions)

    @property
    def embeds(self) -> bool:
        return self.signature.tokens and self.model.embedding > 0

    @property
    def made(self) -> tuple[str, ...]:
        """Points of a layer in the order in which a step makes them."""
        return tuple(point for _, points in self.model.cell.stages for point in points)

    def kinds(self, point: str) -> tuple[str, ...]:
        """Kinds of gradient a layer's point has: only what is carried from step to step gets some of it through time."""
        return KINDS if point in self.model.cell.states else ("total",)

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Names and shapes of all parameters."""
        shapes: dict[str, tuple[int, ...]] = {}
        inputs = self.model.embedding if self.embeds else self.signature.inputs
        if self.embeds:
            shapes["embedding.weight"] = (self.signature.inputs, inputs)
        for layer, direction in self.places:
            of_layer = self.model.cell.shapes(self.width if layer else inputs, self.model.units, bias=self.model.biases)
            shapes |= {f"layers.{layer}.{direction}.{name}": shape for name, shape in of_layer.items()}
        shapes["readout.weight"] = (self.width, self.signature.outputs)
        shapes["readout.bias"] = (self.signature.outputs,)
        return shapes

    def blocks(self) -> dict[str, tuple[str, ...]]:
        """For each parameter of a layer with a block axis the names of its blocks (gates), in order."""
        return {name: self.model.cell.blocks for name in self.shapes() if name.startswith("layers.") and name.endswith(STACKED)}

    def hook_points(self) -> list[Point]:
        """Every point that can be observed or changed."""
        shape, points = f"(time, batch, {self.model.units})", []
        for layer, direction in self.places:
            for point in ("recurrent", *self.made):
                meaning = MEANING.get(point, f"{point.removeprefix('gate.')} gate, 0 to 1")
                name, kinds = f"layers.{layer}.{direction}.{point}", self.kinds(point)
                points.append(Point(name, shape, meaning, visible=point != "recurrent", kinds=kinds))
        steps = "time" if self.signature.at == "every" else "1"
        logits = Point("readout.logits", f"({steps}, batch, {self.signature.outputs})", "outputs before softmax or loss", changeable=False)
        return [*points, logits]

"""What a network consists of, before any number is computed: its layers, its parameters' names and shapes, its hook points."""

from dataclasses import dataclass

from gradviz.batch import Batch, Reading, Signature
from gradviz.config import Model
from gradviz.errors import GradvizError
from gradviz.hooks import KINDS, Point

STACKED = ("weight_ih", "weight_hh", "bias")  # parameters of a layer whose first axis runs over the cell's blocks
MEANING = {
    "recurrent": "hidden state as the step reads it, h_{t-1}",
    "hidden": "hidden state h_t, the layer's output",
    "cell": "cell state c_t",
    "candidate": "proposed new content",
}


@dataclass(frozen=True)
class Part:
    """Layers, one on top of the other, that read the same sequences: a whole network, or its encoder or decoder.

    name: "", encoder or decoder; layers: their numbers, bottom first; reads: what the lowest one reads, token kinds or features;
    embedding: name of the parameter that turns tokens into vectors, "" if there is none.
    """

    name: str
    layers: range
    directions: tuple[str, ...]
    reads: int
    embedding: str

    @property
    def places(self) -> list[tuple[int, str]]:
        """(layer, direction) of every recurrent layer, bottom first."""
        return [(layer, direction) for layer in self.layers for direction in self.directions]

    def names(self, layer: int) -> list[str]:
        """Full names of a layer's directions."""
        return [f"layers.{layer}.{direction}" for direction in self.directions]


@dataclass(frozen=True)
class Architecture:
    """(embedding →) layers, which all read forward, backward or in both directions, → readout. With the readout at "decoded" the layers
    are two parts: layers 0 … L-1 encode, layers L … 2L-1 decode. Layer L+k reads forward and starts from the final states of layer k."""

    model: Model
    signature: Signature

    def __post_init__(self) -> None:
        if self.model.tied:
            self._check_tied()

    def _check_tied(self) -> None:
        top, width = self.top, self.width(self.top)
        if not top.embedding or (top.reads, self.model.embedding) != (self.signature.outputs, width):
            reads = f"{top.reads} kinds of tokens with embedding {self.model.embedding}" if top.embedding else "no embedding"
            raise GradvizError(
                f"tied weights read out with the embedding, which must be of {self.signature.outputs} tokens with {width} numbers each, as "
                f"many as are read out; there is {reads}. Use embedding {width}, or do not tie."
            )

    @property
    def directions(self) -> tuple[str, ...]:
        """Of the layers that read the inputs."""
        return ("forward", "backward") if self.model.direction == "both" else (self.model.direction,)

    @property
    def parts(self) -> tuple[Part, ...]:
        """The whole network, or encoder and decoder."""
        count, signature = self.model.layers, self.signature
        embedding = "embedding.weight" if signature.tokens and self.model.embedding else ""
        if signature.at != "decoded":
            return (Part("", range(count), self.directions, signature.inputs, embedding),)
        own = "decoder.embedding.weight" if signature.of_decoder.tokens and self.model.embedding else ""
        encoder = Part("encoder", range(count), self.directions, signature.inputs, embedding)
        return encoder, Part("decoder", range(count, 2 * count), ("forward",), signature.decoder, own)

    @property
    def bottom(self) -> Part:
        """The layers that read the inputs; the whole network if it has no decoder."""
        return self.parts[0]

    @property
    def top(self) -> Part:
        """The layers that are read out; the whole network if it has no decoder."""
        return self.parts[-1]

    @property
    def highest(self) -> list[str]:
        """Full names of the directions of the layer that is read out."""
        return self.top.names(self.top.layers[-1])

    @property
    def pairs(self) -> list[tuple[int, int]]:
        """Encoder's and decoder's layers of the same height; none without a decoder."""
        return list(zip(self.bottom.layers, self.top.layers, strict=True)) if len(self.parts) > 1 else []

    def part_of(self, layer: int) -> Part:
        return next(part for part in self.parts if layer in part.layers)

    def reading(self, batch: Batch, layer: int) -> Reading:
        """The sequences of a batch that go through a layer, with the lengths they have there."""
        return batch.decoder if batch.decoder is not None and layer >= self.model.layers else batch.reading

    @property
    def places(self) -> list[tuple[int, str]]:
        """(layer, direction) of every recurrent layer, bottom first."""
        return [place for part in self.parts for place in part.places]

    def width(self, part: Part) -> int:
        """Units a layer puts out at each step, over its directions."""
        return self.model.units * len(part.directions)

    @property
    def made(self) -> tuple[str, ...]:
        """Points of a layer in the order in which a step makes them."""
        return tuple(point for _, points in self.model.cell.stages for point in points)

    def kinds(self, point: str) -> tuple[str, ...]:
        """Kinds of gradient a layer's point has: only what is carried from step to step gets some of it through time."""
        return KINDS if point in self.model.cell.states else ("total",)

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Names and shapes of all parameters."""
        model, parts = self.model, self.parts
        shapes: dict[str, tuple[int, ...]] = {part.embedding: (part.reads, model.embedding) for part in parts if part.embedding}
        for part in parts:
            inputs = model.embedding if part.embedding else part.reads
            for layer, direction in part.places:
                above = layer != part.layers[0]
                of_layer = model.cell.shapes(self.width(part) if above else inputs, model.units, bias=model.biases)
                shapes |= {f"layers.{layer}.{direction}.{name}": shape for name, shape in of_layer.items()}
        if not model.tied:
            shapes["readout.weight"] = (self.width(self.top), self.signature.outputs)
        shapes["readout.bias"] = (self.signature.outputs,)
        return shapes

    @property
    def lowest(self) -> tuple[str, ...]:
        """Numbers of the layers that have none below them."""
        return tuple(str(part.layers[0]) for part in self.parts)

    def blocks(self) -> dict[str, tuple[str, ...]]:
        """For each parameter of a layer with a block axis the names of its blocks (gates), in order."""
        return {name: self.model.cell.blocks for name in self.shapes() if name.startswith("layers.") and name.endswith(STACKED)}

    def hook_points(self) -> list[Point]:
        """Every point that can be observed or changed."""
        shape, points = f"(time, batch, {self.model.units})", []
        for layer, direction in self.places:
            part = self.part_of(layer).name
            for point in ("recurrent", *self.made):
                meaning = MEANING.get(point, f"{point.removeprefix('gate.')} gate, 0 to 1") + (f" ({part})" if part else "")
                name, kinds = f"layers.{layer}.{direction}.{point}", self.kinds(point)
                points.append(Point(name, shape, meaning, visible=point != "recurrent", kinds=kinds))
        steps = "1" if self.signature.at == "last" else "time"
        logits = Point("readout.logits", f"({steps}, batch, {self.signature.outputs})", "outputs before softmax or loss", changeable=False)
        return [*points, logits]

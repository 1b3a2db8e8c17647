"""What lesson 10 computes and draws: which output feels which input, and what a word moves when it arrives."""

from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import numpy as np
import pandas as pd

from gradviz.arrays import Array
from gradviz.batch import NOTHING, Batch, Signature
from gradviz.cells.rnn import RNN
from gradviz.charts import Description
from gradviz.charts._description import Axis, Bars, Heat, Line, Panel, log10
from gradviz.config import Model
from gradviz.lessons._play import Play, control
from gradviz.lessons._small import network
from gradviz.lessons._words import spelled
from gradviz.network import Network
from gradviz.wording import listed, number

SIDES = {"forward": ("forward",), "backward": ("backward",), "both": ("forward", "backward")}
NAMES = {"forward": "Reading forward", "backward": "Reading backward", "both": "Reading both ways"}
INPUT = 0.5  # at every step; without tanh it does not matter
LEAST, MOST = -2.0, 1.0  # powers of ten of the colours, which stand still while w moves
HIGHEST = 2.2  # of the weights at the end, the same for all w up to 1
ALIKE = 1e-9  # words whose weights differ by a smaller share weigh the same

BEARS, ROOSEVELT = "bears", "Roosevelt"
STARTS = ("he", "said", "Teddy")
SENTENCES = {BEARS: (*STARTS, BEARS, "are", "on", "sale"), ROOSEVELT: (*STARTS, ROOSEVELT, "was", "a", "president")}
TEDDY = STARTS.index("Teddy")
# How much each word speaks for a person: set by hand, as a trained network might have learned it.
SPEAKS = {
    "he": 0.2, "said": 0.1, "Teddy": 0.1, "bears": -1.5, "are": -0.2, "on": -0.1, "sale": -0.8,
    "Roosevelt": 1.5, "was": 0.2, "a": -0.1, "president": 1.0,
}  # fmt: skip
WORDS = tuple(SPEAKS)


def unit(direction: str, w: float, bias: float = 0.0, activation: str = "tanh", at: str = "every") -> Network:
    """One unit in each direction, h = φ(w h' + x + b), and their sum as the output."""
    weights = {
        f"layers.0.{side}.{name}": value
        for side in SIDES[direction]
        for name, value in (("weight_hh", w), ("weight_ih", 1.0), ("bias", bias))
    }
    model = Model(cell=RNN(activation), units=1, direction=direction)
    return network(model, Signature(1, 1, False, "squared", at=at), {**weights, "readout.weight": 1.0})


@lru_cache(maxsize=128)
def influence(direction: str, w: float, steps: int, activation: str = "linear") -> Array:
    """(t, s) ∂ŷ⟨t⟩/∂x⟨s⟩: the sequence `steps` times side by side, and each time another output's gradient sent back."""
    made = unit(direction, w, activation=activation)
    run = made.forward(np.full((steps, steps, 1), INPUT))
    found = made.backward(run, np.eye(steps)[:, :, None], parameters=False).inputs
    assert found is not None
    return np.asarray(found[:, :, 0].T)


@lru_cache(maxsize=128)
def on_final(direction: str, w: float, steps: int, activation: str = "linear") -> Array:
    """(s,) the gradient of one output, read from the final state of every direction, with respect to x⟨s⟩."""
    made = unit(direction, w, activation=activation, at="last")
    run = made.forward(np.full((steps, 1, 1), INPUT))
    found = made.backward(run, np.ones((1, 1, 1)), parameters=False).inputs
    assert found is not None
    return np.asarray(found[:, 0, 0])


def read_first(lengths: int | None) -> float:
    """The backward unit's state at the first of three inputs −1, padded with zeros to 8; w = 1.5, b = 0.5. lengths None: the zeros are
    taken for inputs."""
    inputs = np.zeros((8, 1, 1))
    inputs[:3] = -1
    run = unit("backward", 1.5, 0.5).forward(inputs, None if lengths is None else np.array([lengths]))
    return float(run.outputs[0, 0, 0])


def copied() -> Array:
    """(time,) losses of a "language model" that reads backward too. Its backward units hold x⟨t⟩ and pass it on, so that at step t they
    hold x⟨t+1⟩, which is the word to predict, and give it the logit 10 among 4. The words are drawn evenly: nobody can foretell them."""
    kinds, steps = 4, 12
    words = np.random.default_rng(0).integers(kinds, size=steps)
    eye, none = np.eye(kinds), np.zeros((kinds, kinds))
    weights = {
        "layers.0.backward.weight_ih": np.hstack([eye, none]),
        "layers.0.backward.weight_hh": np.block([[none, eye], [none, none]]),
        "readout.weight": np.vstack([none, none, none, 10 * eye]),
    }
    made = network(Model(cell=RNN("linear"), units=2 * kinds, direction="both"), Signature(kinds, kinds, True, "softmax"), weights)
    batch = Batch(np.append(NOTHING, words[:-1])[:, None], words[:, None])
    return made.loss(made.forward(batch.inputs), batch).per_step[:, 0]


@lru_cache(maxsize=64)
def person(direction: str, sentence: str, read: int) -> Array:
    """(read,) the probability, after the first `read` words, that each of them is about a person."""
    weights = {
        f"layers.0.{side}.{name}": value
        for side in SIDES[direction]
        for name, value in (("weight_hh", np.full((1, 1), 0.6)), ("weight_ih", np.array([[SPEAKS[word]] for word in WORDS])))
    }
    weights["readout.weight"] = np.tile([[2.0, 0.0]], (len(SIDES[direction]), 1))
    made = network(Model(cell=RNN(), units=1, direction=direction), Signature(len(WORDS), 2, True, "softmax"), weights)
    words = np.array([[WORDS.index(word)] for word in SENTENCES[sentence][:read]])
    outputs = made.forward(words).outputs[:, 0]
    return np.asarray(1 / (1 + np.exp(outputs[:, 1] - outputs[:, 0])))


@dataclass(frozen=True)
class Influence(Play):
    """∂ŷ⟨t⟩/∂x⟨s⟩ of every output and every input."""

    name: ClassVar[str] = "Which output feels which word"
    alive: ClassVar[str] = "w"

    direction: str = control("both", "Direction", choices=tuple(SIDES))
    w: float = control(0.9, "Weight w", (0.5, 1.1, 0.05))
    steps: int = control(8, "Length T", (4, 24, 1))
    activation: str = control("linear", "Activation", choices=("linear", "tanh"))

    def draw(self) -> Description:
        every = influence(self.direction, self.w, self.steps, self.activation)
        final = on_final(self.direction, self.w, self.steps, self.activation)
        t, s = (index.ravel() + 1 for index in np.indices(every.shape))
        zero = bool((every == 0).any())
        return Description(
            "influence",
            f"{NAMES[self.direction]}, {np.count_nonzero(every)} of {every.size} influences are not zero; read at the end, "
            f"{_lightest(final)}",
            f"Every output: how much output t moves per change of word s, log scale; colours end at {number(10**LEAST)} and "
            f"{number(10**MOST)}. Final state: the same of one output that reads the state at the end of each direction. One unit a "
            f"direction, {self.activation}.",
            "A forward network leaves the upper triangle empty: no output feels a later word. Both directions fill it. Read at the ends, "
            "words in the middle are far from both if w is below 1.",
            pd.DataFrame({"t": t, "s": s, "influence": every.ravel(), "at_the_end": np.tile(final, self.steps)}),
            (_matrix(every), _ends(final, self.direction)),
            columns=2,
            shape="film",
            key=(("zero", "exactly 0"),) if zero else (),
        )


def lightest(final: Array) -> list[int]:
    """The words, counted from 1, whose weight is least."""
    return [int(at) + 1 for at in np.flatnonzero(final <= final.min() * (1 + ALIKE))]


def _lightest(final: Array) -> str:
    words = lightest(final)
    if len(words) == len(final):
        return "all words weigh the same"
    one = len(words) == 1
    return (
        f"word{'' if one else 's'} {listed([str(word) for word in words])} weigh{'s' if one else ''} least, {spelled(float(final.min()))}"
    )


def _steps(count: int, sign: float) -> tuple[tuple[float, str], ...]:
    """Ticks at steps counted from 1."""
    every = 1 if count <= 12 else 4
    return tuple((sign * at, str(at)) for at in range(1, count + 1) if at == 1 or at % every == 0)


def _matrix(every: Array) -> Panel:
    count = len(every)
    at = np.arange(1.0, count + 1)
    hover = tuple(
        tuple(f"output {t + 1} feels word {s + 1}: {spelled(float(value))}" for s, value in enumerate(row)) for t, row in enumerate(every)
    )
    heat = Heat(at, -at, log10(np.abs(every)), "depth", (LEAST, MOST), log=True, unit="influence", hover=hover)
    across = Axis("word s", limits=(0.5, count + 0.5), ticks=_steps(count, 1.0))
    down = Axis("output t", limits=(-count - 0.5, -0.5), ticks=_steps(count, -1.0))
    return Panel((heat,), across, down, "Every output")


def _ends(final: Array, direction: str) -> Panel:
    at = np.arange(1.0, len(final) + 1)
    across = Axis("word s", limits=(0.5, len(final) + 0.5), ticks=_steps(len(final), 1.0))
    limits = 0.0, max(HIGHEST, 1.05 * float(final.max()))
    hover = tuple(f"word {word:.0f}: {spelled(float(value))}" for word, value in zip(at, final, strict=True))
    return Panel(
        (Bars(at, final, "weight of a word", "accent", hover=hover),),
        across,
        Axis(limits=limits),
        "Final states" if direction == "both" else "Final state",
    )


@dataclass(frozen=True)
class Arriving(Play):
    """Outputs while the words come in."""

    name: ClassVar[str] = "While the words arrive"
    alive: ClassVar[str] = "read"

    sentence: str = control(BEARS, "Teddy …", choices=tuple(SENTENCES))
    read: int = control(4, "Words read", (1, 7, 1))

    def draw(self) -> Description:
        words = SENTENCES[self.sentence]
        now, before = (
            {way: person(way, self.sentence, max(count, 1)) for way in ("forward", "both")} for count in (self.read, self.read - 1)
        )
        moved = {way: int((now[way][: self.read - 1] != before[way][: self.read - 1]).sum()) for way in now}
        earlier = f"{self.read - 1} output{'s' if self.read > 2 else ''}"
        told = (
            f"moves {moved['forward']} of the {earlier} before it if read forward, {moved['both']} if read both ways"
            if self.read > 1
            else "is the first word: no output stands before it"
        )
        frame = pd.DataFrame({"word": words[: self.read], "forward": now["forward"], "both_ways": now["both"]})
        panels = tuple(
            _panel(words, now[way], before[way][: self.read - 1], title)
            for way, title in (("forward", "Forward only"), ("both", "Both ways"))
        )
        return Description(
            "arriving",
            f"“{words[self.read - 1]}” {told}",
            f"Probability that each word is about a person, after {self.read} of {len(words)} words. Grey, dashed: before the last of them "
            "came. Weights set by hand.",
            "Forward, an output is final once it is there. Both ways, every new word may change all of them: at “Teddy” the two sentences "
            "part only then.",
            frame,
            panels,
            columns=1,
            shape="multiples",
        )


def _panel(words: tuple[str, ...], now: Array, before: Array, title: str) -> Panel:
    lines = [Line(np.arange(len(now)), now, "now", "accent", marker="circle")]
    if len(before):
        lines.insert(0, Line(np.arange(len(before)), before, "one word before", "ghost", dashed=True, marker="circle", filled=False))
    return Panel(tuple(lines), Axis("", words=words, limits=(-0.5, len(words) - 0.5)), Axis(limits=(0.0, 1.0)), title)

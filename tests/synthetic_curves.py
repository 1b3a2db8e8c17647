"""The stated curves behind synthetic runs: how losses, norms, reach and activations go from the start of a training to its end."""

import zlib
from dataclasses import dataclass

import numpy as np

from gradviz.cells import CELLS

DECAYS = {  # task, family → factor per step back at the start and at the end (of the demo)
    ("text", "rnn"): (1.138, 0.69), ("text", "gru"): (0.943, 0.90), ("text", "lstm"): (1.016, 0.85),
    ("adding", "rnn"): (0.857, 0.64), ("adding", "gru"): (0.747, 0.996), ("adding", "lstm"): (0.992, 1.0),
}  # fmt: skip
LOSSES = {  # start and end
    ("text", "rnn"): (4.65, 1.86), ("text", "gru"): (4.65, 1.45), ("text", "lstm"): (4.65, 1.60),
    ("adding", "rnn"): (0.5, 0.168), ("adding", "gru"): (0.5, 0.0013), ("adding", "lstm"): (0.5, 0.0015),
}  # fmt: skip
NORMS = {  # median late in training
    ("text", "rnn"): 0.65, ("text", "gru"): 0.17, ("text", "lstm"): 0.23,
    ("adding", "rnn"): 0.9, ("adding", "gru"): 0.08, ("adding", "lstm"): 0.1,
}  # fmt: skip
EXPLODING = (1.138, 1.05)


@dataclass(frozen=True)
class Variant:
    """What else may be chosen. decay: factors per step at start and end; bad_from: the training step from which all numbers are
    NaN; zero_from: the lag from which the gradient is exactly zero; time 0 means 60 (text) or 80 (adding)."""

    decay: tuple[float, float] | None = None
    bad_from: int | None = None
    zero_from: int | None = None
    time: int = 0
    units: int = 8
    layers: int = 1
    direction: str = "forward"
    examples: int = 2
    limit: float = 0.0  # of the clipping norm; 0 means 0.5 (text) or 1 (adding)
    seed: int = 0
    status: str = "finished"
    name: str = ""


@dataclass(frozen=True)
class Story:
    """What `make_run` was asked for."""

    family: str
    clipped: bool
    task: str
    steps: int
    exploding: bool
    variant: Variant


class Curves:
    """Numbers of one story, by training step."""

    def __init__(self, story: Story) -> None:
        self.story, self.variant = story, story.variant
        seed = zlib.crc32(f"{story.family}{story.clipped}{story.task}{story.exploding}".encode())
        self.rng = np.random.default_rng([seed, self.variant.seed])
        self.time = self.variant.time or {"text": 60, "adding": 80}[story.task]
        self.limit = self.variant.limit or {"text": 0.5, "adding": 1.0}[story.task]
        self.decays = self.variant.decay or (EXPLODING if story.exploding else DECAYS[story.task, story.family])
        self.losses = (4.65, 2.85) if story.exploding else LOSSES[story.task, story.family]
        self.states = CELLS[story.family].states

    def bad(self, step: int) -> bool:
        return self.variant.bad_from is not None and step >= self.variant.bad_from

    def done(self, step: int) -> float:
        """How far the training is, 0 to 1; what is learnt is learnt in the first half."""
        return min(1.0, 2 * step / max(self.story.steps - 1, 1))

    def decay(self, step: int) -> float:
        """Factor per step back; NaN if the profile is bad or breaks off at zero."""
        if self.bad(step) or self.variant.zero_from is not None:
            return float("nan")
        return self._decay(step)

    def _decay(self, step: int) -> float:
        start, end = self.decays
        return float(start ** (1 - self.done(step)) * end ** self.done(step))

    def loss(self, step: int) -> float:
        start, end = self.losses
        return float("nan") if self.bad(step) else float(end + (start - end) * np.exp(-4 * self.done(step)))

    def norm(self, step: int) -> float:
        """Global norm before clipping, with some noise."""
        late = NORMS[self.story.task, self.story.family] * (140.0 if self.story.exploding and not self.story.clipped else 1.0)
        first = 2.6e4 if self.decays[0] > 1.05 else late
        size = first ** (1 - self.done(step)) * late ** self.done(step) * np.exp(self.rng.normal(0, 0.15))
        return float("nan") if self.bad(step) else float(size)

    def profile(self, step: int, point: str) -> np.ndarray:
        """log10 of the last step's gradient by lag: a straight line."""
        lags = np.arange(self.time)
        line = -1.0 - (0.5 if point == "cell" else 0.0) + lags * np.log10(self._decay(step))
        if self.variant.zero_from is not None:
            line = np.where(lags >= self.variant.zero_from, -np.inf, line)
        return np.full(self.time, np.nan) if self.bad(step) else line

    def activation(self, step: int, point: str) -> np.ndarray:
        """(time, unit): each unit swings about its own level; levels rise with training; at the marks every fourth unit lets go."""
        t, u = np.arange(self.time)[:, None], np.arange(self.variant.units)[None, :]
        wave = -2.0 + 4.0 * u / max(self.variant.units - 1, 1) + self.done(step) + 0.8 * np.sin(0.7 * t + u)
        if self.story.task == "adding":
            wave = wave - 3.0 * (np.isin(t, self.marks(0)) & (u % 4 == 0))
        values = 1 / (1 + np.exp(-2 * wave)) if point.startswith("gate.") else 1.5 * wave if point == "cell" else np.tanh(wave)
        return np.full_like(values, np.nan) if self.bad(step) else values

    def marks(self, example: int) -> list[int]:
        return [self.time // 20 + example, self.time // 3 + example]

    def series(self, step: int, point: str) -> dict[str, np.ndarray]:
        """Quantities per time step that the recorder would take at this point."""
        array = self.activation(step, point)
        if point.startswith("gate."):
            shares = {"saturation_left": (array < 0.1).mean(axis=1), "saturation_right": (array > 0.9).mean(axis=1)}
            return {"gate_mean": array.mean(axis=1), **shares}
        tanh = {} if point == "cell" else {"saturation_tanh": (np.abs(array) > 0.9).mean(axis=1)}
        if point not in self.states:
            return tanh
        pulls = 10.0 ** self.profile(step, point)
        total = np.cumsum(pulls)[::-1] if self.story.task == "text" else pulls[::-1]  # text has a loss at every later step
        return {**tanh, "activation_norm": np.sqrt((array**2).sum(axis=1)), "gradient_norm": total / 32}

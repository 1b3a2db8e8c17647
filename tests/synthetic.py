"""Runs that look like the demo's without any training: every table filled with plausible rows from stated curves, the same each time.

    make_run(folder / "text-rnn")                                  # gradients explode, 1.138 per step at first
    make_run(folder / "text-rnn-clip", clipped=True)               # led out: 1.138 → 0.69
    make_run(folder / "adding-gru", family="gru", task="adding")   # 0.747 → 0.996
    make_run(folder / "nan", variant=Variant(bad_from=7))          # NaN from training step 7 on

The truth is known: the reach is a straight line in log10, whose factor per step goes from `Variant.decay[0]` to `[1]`.
"""

import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gradviz.cells import CELLS
from gradviz.clipping import CLIPPING
from gradviz.config import Experiment, Model, Recording, Training
from gradviz.recording.store import RunWriter
from gradviz.tasks import TASKS

TEXT = "the gradient of the loss at the last step is carried back through every step before it, and each one scales it. "
DECAYS = {  # task, family → factor per step back at the start and at the end (of the demo)
    ("text", "rnn"): (1.138, 0.69), ("text", "gru"): (0.943, 0.90), ("text", "lstm"): (1.016, 0.85),
    ("adding", "rnn"): (0.857, 0.64), ("adding", "gru"): (0.747, 0.996), ("adding", "lstm"): (0.992, 1.0),
}  # fmt: skip
LOSSES = {  # start and end
    ("text", "rnn"): (4.65, 1.86), ("text", "gru"): (4.65, 1.45), ("text", "lstm"): (4.65, 1.60),
    ("adding", "rnn"): (0.5, 0.168), ("adding", "gru"): (0.5, 0.0013), ("adding", "lstm"): (0.5, 0.0015),
}  # fmt: skip
NORMS = {  # median late in training
    ("text", "rnn"): 0.65, ("text", "gru"): 0.17, ("text", "lstm"): 0.23, ("adding", "rnn"): 0.9, ("adding", "gru"): 0.08, ("adding", "lstm"): 0.1,
}  # fmt: skip
BASELINES = {"text": {"letter frequencies": 3.17, "letter pairs": 2.24}, "adding": {"constant": 1 / 6}}


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
    bidirectional: bool = False
    examples: int = 2
    limit: float = 0.0  # of the clipping norm; 0 means 0.5 (text) or 1 (adding)
    seed: int = 0
    status: str = "finished"
    name: str = ""


def make_run(folder: Path, family: str = "rnn", clipped: bool = False, task: str = "text", steps: int = 60, explode: bool | None = None, variant: Variant = Variant()) -> Path:  # noqa: B008, E501, PLR0913
    """Write a run and return its folder. `explode`: whether gradients grow throughout; None means in the unclipped RNN on text."""
    exploding = (family, clipped, task) == ("rnn", False, "text") if explode is None else explode
    maker = _Maker(family, clipped, task, steps, exploding, variant)
    with RunWriter.create(folder, maker.meta(folder)) as writer:
        for step in range(steps):
            maker.step(writer, step)
        if steps:
            maker.measured(writer, steps)
        writer.save_weights(maker.weights())
        writer.update(updates_done=steps, seconds=0.01 * steps)
        writer.finish(variant.status, "stopped by the test" if variant.status == "failed" else "")
    return folder


class _Maker:
    def __init__(self, family: str, clipped: bool, task: str, steps: int, exploding: bool, variant: Variant) -> None:  # noqa: PLR0913
        self.family, self.clipped, self.task, self.steps, self.exploding, self.variant = family, clipped, task, steps, exploding, variant
        self.rng = np.random.default_rng([zlib.crc32(f"{family}{clipped}{task}{exploding}".encode()), variant.seed])
        self.time = variant.time or {"text": 60, "adding": 80}[task]
        self.limit = variant.limit or {"text": 0.5, "adding": 1.0}[task]
        self.every = max(1, steps // 20)
        self.cell = CELLS[family]()
        self.decays = variant.decay or ((1.138, 1.05) if exploding else DECAYS[task, family])
        self.experiment = Experiment(
            task=TASKS[task](length=self.time),
            model=Model(cell=self.cell, units=variant.units, layers=variant.layers, bidirectional=variant.bidirectional),
            training=Training(updates=steps, clipping=CLIPPING["norm"](limit=self.limit) if clipped else CLIPPING["none"](), seed=variant.seed),
            recording=Recording(every=self.every, reach_every=self.every, probe_every=max(1, steps // 2), probe_examples=variant.examples),
        )

    # ------------------------------------------------------------------ run.json and weights

    def meta(self, folder: Path) -> dict[str, Any]:
        text = self.task == "text"
        signature = {"inputs": 103 if text else 2, "outputs": 103 if text else 1, "tokens": text, "loss": "softmax" if text else "squared"}
        return {
            "name": self.variant.name or folder.name,
            "created": "2026-01-02T03:04:05+00:00",
            "experiment": self.experiment.to_dict(),
            "family": self.family,
            "signature": {**signature, "at": "every" if text else "last"},
            "facts": {"vocabulary": 103} if text else {},
            "baselines": BASELINES[self.task],
            "lag": None if text else self.time - self.time // 2,
            "points": [[f"layers.{layer}.{way}.{point}", f"(time, batch, {self.variant.units})", point] for layer, way, point in self.places()],
            "parameters": int(sum(array.size for array in self.weights().values())),
            "probe": {"lengths": [self.time] * self.variant.examples, "words": [self.words(k) for k in range(self.variant.examples)]},
        }

    def words(self, example: int) -> list[str]:
        if self.task == "text":
            return list((TEXT * 20)[example * 7 :][: self.time].replace(" ", "␣"))
        marks = {self.time // 20 + example, self.time // 3 + example}
        return [f"{(0.37 * (t + 1)) % 1:.2f}{'▲' if t in marks else ''}" for t in range(self.time)]

    def weights(self) -> dict[str, np.ndarray]:
        rng, units = np.random.default_rng(self.variant.seed), self.variant.units
        inputs, outputs = (103, 103) if self.task == "text" else (2, 1)
        made = {}
        for layer, way in self.layers():
            for name, shape in self.cell.shapes(inputs if layer == 0 else units, units).items():
                made[f"layers.{layer}.{way}.{name}"] = rng.normal(0, 0.3, shape).astype(np.float32)
        made["readout.weight"] = rng.normal(0, 0.3, (units, outputs)).astype(np.float32)
        return {**made, "readout.bias": np.zeros(outputs, np.float32)}

    def layers(self) -> list[tuple[int, str]]:
        ways = ("forward", "backward") if self.variant.bidirectional else ("forward",)
        return [(layer, way) for layer in range(self.variant.layers) for way in ways]

    def points(self) -> list[str]:
        return [point for _, made in self.cell.stages for point in made]

    def places(self) -> list[tuple[int, str, str]]:
        return [(layer, way, point) for layer, way in self.layers() for point in self.points()]

    # ------------------------------------------------------------------ rows

    def bad(self, step: int) -> bool:
        return self.variant.bad_from is not None and step >= self.variant.bad_from

    def done(self, step: int) -> float:
        """How far the training is, 0 to 1; what is learnt is learnt in the first half."""
        return min(1.0, 2 * step / max(self.steps - 1, 1))

    def decay(self, step: int) -> float:
        start, end = self.decays
        return float(start ** (1 - self.done(step)) * end ** self.done(step))

    def norm(self, step: int) -> float:
        late = NORMS[self.task, self.family] * (1.0 if self.clipped or not self.exploding else 140.0)
        first = 2.6e4 if self.decays[0] > 1.05 else late
        return float(first ** (1 - self.done(step)) * late ** self.done(step) * np.exp(self.rng.normal(0, 0.15)))

    def step(self, writer: RunWriter, step: int) -> None:
        if step % self.every == 0:
            self.measured(writer, step)
            self.details(writer, step)
        start, end = LOSSES[self.task, self.family] if not self.exploding else (4.65, 2.85)
        before = np.nan if self.bad(step) else self.norm(step)
        loss = np.nan if self.bad(step) else (end + (start - end) * np.exp(-4 * self.done(step))) * np.exp(self.rng.normal(0, 0.01))
        cut = self.clipped and before > self.limit
        counted = self.time if self.task == "text" else 1
        writer.append("steps", {
            "step": step, "loss": loss, "loss_sum": loss * counted, "rate": 0.01, "norm_before": before, "norm_after": self.limit if cut else before,
            "clipped": bool(cut), "cosine": np.nan if self.bad(step) else 1.0, "threshold": self.limit if self.clipped else np.nan,
            "tokens": 32 * counted, "seconds": 0.01 * (step + 1),
        })  # fmt: skip
        if step == self.variant.bad_from:
            writer.append("trouble", {
                "step": step, "layer": 0, "direction": "forward", "point": "hidden", "gradient": False, "time": 17, "example": 3, "unit": 5, "value": "nan",
            })  # fmt: skip

    def profile(self, step: int, point: str) -> np.ndarray:
        """log10 of the last step's gradient by lag: a straight line."""
        lags = np.arange(self.time)
        line = -1.0 - (0.5 if point == "cell" else 0.0) + lags * np.log10(self.decay(step))
        if self.variant.zero_from is not None:
            line = np.where(lags >= self.variant.zero_from, -np.inf, line)
        return np.full(self.time, np.nan) if self.bad(step) else line

    def measured(self, writer: RunWriter, step: int) -> None:
        """What stands between updates: held-out loss, reach, probe."""
        start, end = LOSSES[self.task, self.family] if not self.exploding else (4.65, 2.85)
        loss = np.nan if self.bad(step) else end + (start - end) * np.exp(-4 * self.done(step))
        writer.append("held_out", {"step": step, "loss": loss, "accuracy": np.nan if self.bad(step) else 0.6 * self.done(step)})
        for layer, way in self.layers():
            for point in self.cell.states:
                line = self.profile(step, point)
                decay = np.nan if self.bad(step) or self.variant.zero_from is not None else self.decay(step)
                writer.append("reach", {
                    "step": step, "layer": layer, "direction": way, "point": point, "mean": line, "low": line - 0.4, "median": line, "high": line + 0.4, "decay": decay,
                })  # fmt: skip
        if step in (0, self.steps) or step % self.experiment.recording.probe_every == 0:
            self.probe(writer, step)

    def activation(self, step: int, point: str) -> np.ndarray:
        """(time, unit): each unit drifts around its own level; the level moves with training; at marks gates let go."""
        t, u = np.arange(self.time)[:, None], np.arange(self.variant.units)[None, :]
        level = -2.0 + 4.0 * u / max(self.variant.units - 1, 1) + self.done(step)
        wave = level + 0.8 * np.sin(0.7 * t + u)
        if self.task == "adding":
            wave = wave - 3.0 * (np.isin(t, (self.time // 20, self.time // 3)) & (u % 4 == 0))
        values = 1 / (1 + np.exp(-2 * wave)) if point.startswith("gate.") else 1.5 * wave if point == "cell" else np.tanh(wave)
        return np.full_like(values, np.nan) if self.bad(step) else values

    def probe(self, writer: RunWriter, step: int) -> None:
        for layer, way, point in self.places():
            for example in range(self.variant.examples):
                array = np.roll(self.activation(step, point), example, axis=0)
                self._kept(writer, {"step": step, "layer": layer, "direction": way, "point": point, "example": example, "gradient": False}, array)
                if point in self.cell.states:
                    pull = 10.0 ** self.profile(step, point)[::-1, None] * np.cos(array)
                    self._kept(writer, {"step": step, "layer": layer, "direction": way, "point": point, "example": example, "gradient": True}, pull)

    @staticmethod
    def _kept(writer: RunWriter, where: dict[str, Any], array: np.ndarray) -> None:
        writer.append("probe", {**where, "units": array.shape[1], "values": array.ravel()})

    def details(self, writer: RunWriter, step: int) -> None:
        """What is looked at during an update: time steps, saturation, parameters."""
        for layer, way, point in self.places():
            where = {"step": step, "layer": layer, "direction": way, "point": point}
            array = self.activation(step, point)
            low = 0.1 if point.startswith("gate.") else -0.9
            left, right = array < low, array > 0.9
            writer.append("saturation", {**where, "left": left.mean(axis=0), "right": right.mean(axis=0), "mean": array.mean(axis=0)})
            for quantity, series in self.series(step, point, array, left, right).items():
                writer.append("timesteps", {**where, "quantity": quantity, "mean": series, "low": 0.8 * series, "median": series, "high": 1.2 * series})
        self.parameters(writer, step)

    def series(self, step: int, point: str, array: np.ndarray, left: np.ndarray, right: np.ndarray) -> dict[str, np.ndarray]:
        if point.startswith("gate."):
            return {"gate_mean": array.mean(axis=1), "saturation_left": left.mean(axis=1), "saturation_right": right.mean(axis=1)}
        tanh = {"saturation_tanh": (np.abs(array) > 0.9).mean(axis=1)} if point in ("hidden", "candidate") else {}
        if point not in self.cell.states:
            return tanh
        pulls = 10.0 ** self.profile(step, point)
        total = np.cumsum(pulls)[::-1] if self.task == "text" else pulls[::-1]  # text has a loss at every later step
        return {**tanh, "activation_norm": np.sqrt((array**2).sum(axis=1)), "gradient_norm": total / 32}

    def parameters(self, writer: RunWriter, step: int) -> None:
        bad = np.nan if self.bad(step) else 1.0
        for name, array in self.weights().items():
            gates = self.cell.blocks if name.startswith("layers.") and not name.endswith("bias_hh") else ("",)
            for index, gate in enumerate(gates):
                weight = float(np.linalg.norm(array[index] if gate else array)) * (1 + self.done(step))
                gradient, update = self.norm(step) / (2 + index), 0.01 * (1 + index) / (1 + step)
                writer.append("parameters", {
                    "step": step, "parameter": name, "gate": gate, "weight": weight * bad, "gradient_before": gradient * bad,
                    "gradient_after": (min(gradient, self.limit) if self.clipped else gradient) * bad, "update": update * bad,
                    "ratio": (update / weight if weight else np.inf) * bad, "distance": 0.5 * self.done(step) * bad,
                })  # fmt: skip

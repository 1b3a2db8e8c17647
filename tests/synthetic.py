"""Runs that look like the demo's without any training: every table filled with plausible rows from stated curves, the same each time.

    make_run(folder / "text-rnn")                                  # gradients explode, 1.138 per step at first
    make_run(folder / "text-rnn-clip", clipped=True)               # led out: 1.138 → 0.69
    make_run(folder / "adding-gru", family="gru", task="adding")   # 0.747 → 0.996
    make_run(folder / "nan", variant=Variant(bad_from=7))          # NaN from training step 7 on

The truth is known: the reach is a straight line in log10, whose factor per step goes from `Variant.decay[0]` to `[1]`.
"""

from pathlib import Path
from typing import Any

import numpy as np

from gradviz.cells import CELLS
from gradviz.clipping import CLIPPING
from gradviz.config import Experiment, Model, Recording, Training
from gradviz.recording.store import RunWriter
from gradviz.tasks import TASKS
from tests.synthetic_curves import Curves, Story, Variant

__all__ = ["Variant", "make_run"]

TEXT = "the gradient of the loss at the last step is carried back through every step before it, and each one scales it. "
BASELINES = {"text": {"letter frequencies": 3.17, "letter pairs": 2.24}, "adding": {"constant": 1 / 6}}
VOCABULARY = ["<UNK>", "\n", "\t", *map(chr, range(32, 127)), *"äöüßé"]  # 103 tokens, as many as the inputs
PLAIN = Variant()
NO_INTERVAL = dict.fromkeys(("decay_low", "decay_high", "sequences"), np.nan)


def make_run(  # noqa: PLR0913
    folder: Path,
    family: str = "rnn",
    clipped: bool = False,
    task: str = "text",
    steps: int = 60,
    explode: bool | None = None,
    variant: Variant = PLAIN,
) -> Path:
    """Write a run and return its folder. `explode`: whether gradients grow throughout; None means in the unclipped RNN on text."""
    exploding = (family, clipped, task) == ("rnn", False, "text") if explode is None else explode
    maker = _Maker(Story(family, clipped, task, steps, exploding, variant))
    with RunWriter.create(folder, maker.meta(folder)) as writer:
        for step in range(steps):
            maker.update(writer, step)
        if steps:
            maker.between(writer, steps)
        writer.save_weights(maker.weights)
        writer.update(updates_done=steps, seconds=0.01 * steps)
        writer.finish(variant.status, "stopped by the test" if variant.status == "failed" else "")
    return folder


class _Maker:
    """Rows of all tables from the curves."""

    def __init__(self, story: Story) -> None:
        self.story, self.variant, self.curves = story, story.variant, Curves(story)
        self.cell = CELLS[story.family]()
        self.weights = self._weights()
        every = max(1, story.steps // 20)
        rule = CLIPPING["norm"](limit=self.curves.limit) if story.clipped else CLIPPING["none"]()
        self.experiment = Experiment(
            task=TASKS[story.task](length=self.curves.time),
            model=Model(cell=self.cell, units=self.variant.units, layers=self.variant.layers, direction=self.variant.direction),
            training=Training(updates=story.steps, clipping=rule, seed=self.variant.seed),
            recording=Recording(every, every, max(1, story.steps // 2), probe_examples=self.variant.examples),
        )

    # ------------------------------------------------------------------ run.json and weights

    def meta(self, folder: Path) -> dict[str, Any]:
        text, examples = self.story.task == "text", range(self.variant.examples)
        signature = {"inputs": 103 if text else 2, "outputs": 103 if text else 1, "tokens": text, "loss": "softmax" if text else "squared"}
        shape = f"(time, batch, {self.variant.units})"
        return {
            "name": self.variant.name or folder.name,
            "created": "2026-01-02T03:04:05+00:00",
            "experiment": self.experiment.to_dict(),
            "family": self.story.family,
            "signature": {**signature, "at": "every" if text else "last"},
            "facts": {"level": "character", "ends": "none", "vocabulary": VOCABULARY} if text else {},
            "baselines": BASELINES[self.story.task],
            "lag": None if text else self.curves.time - self.curves.time // 2,
            "points": [[f"layers.{place['layer']}.{place['direction']}.{place['point']}", shape, ""] for place in self._places()],
            "parameters": int(sum(array.size for array in self.weights.values())),
            "probe": {"lengths": [self.curves.time for _ in examples], "words": [self._words(example) for example in examples]},
        }

    def _words(self, example: int) -> list[str]:
        if self.story.task == "text":
            return list((TEXT * 20)[example * 7 :][: self.curves.time].replace(" ", "␣"))
        return [f"{(0.37 * (t + 1)) % 1:.2f}{'▲' if t in self.curves.marks(example) else ''}" for t in range(self.curves.time)]

    def _weights(self) -> dict[str, np.ndarray]:
        rng, units = np.random.default_rng(self.variant.seed), self.variant.units
        inputs, outputs = (103, 103) if self.story.task == "text" else (2, 1)
        made, ways = {}, 2 if self.variant.direction == "both" else 1
        for layer, way in self._layers():
            for name, shape in self.cell.shapes(inputs if layer == 0 else ways * units, units).items():
                made[f"layers.{layer}.{way}.{name}"] = rng.normal(0, 0.3, shape).astype(np.float32)
        made["readout.weight"] = rng.normal(0, 0.3, (ways * units, outputs)).astype(np.float32)
        return {**made, "readout.bias": np.zeros(outputs, np.float32)}

    def _layers(self) -> list[tuple[int, str]]:
        ways = ("forward", "backward") if self.variant.direction == "both" else (self.variant.direction,)
        return [(layer, way) for layer in range(self.variant.layers) for way in ways]

    def _places(self) -> list[dict[str, Any]]:
        points = [point for _, made in self.cell.stages for point in made]
        return [{"layer": layer, "direction": way, "point": point} for layer, way in self._layers() for point in points]

    # ------------------------------------------------------------------ rows

    def update(self, writer: RunWriter, step: int) -> None:
        curves = self.curves
        if step % self.experiment.recording.every == 0:
            self.between(writer, step)
            self._details(writer, step)
        before, loss = curves.norm(step), curves.loss(step) * np.exp(curves.rng.normal(0, 0.01))
        cut, counted = self.story.clipped and before > curves.limit, curves.time if self.story.task == "text" else 1
        writer.append("steps", {
            "step": step, "loss": loss, "loss_sum": loss * counted, "rate": 0.01,
            "norm_before": before, "norm_after": curves.limit if cut else before, "clipped": cut,
            "cosine": np.nan if curves.bad(step) else 1.0, "threshold": curves.limit if self.story.clipped else np.nan,
            "tokens": 32 * counted, "seconds": 0.01 * (step + 1), "penalty": np.nan,
        })  # fmt: skip
        if step == self.variant.bad_from:
            place = {"layer": 0, "direction": "forward", "point": "hidden", "gradient": False}
            writer.append("trouble", {"step": step, **place, "time": 17, "example": 3, "unit": 5, "value": "nan"})

    def between(self, writer: RunWriter, step: int) -> None:
        """What stands between updates: held-out loss, reach, probe."""
        accuracy = np.nan if self.curves.bad(step) else 0.6 * self.curves.done(step)
        writer.append("held_out", {"step": step, "loss": self.curves.loss(step), "accuracy": accuracy})
        for place in self._places():
            if place["point"] in self.cell.states:
                line = self.curves.profile(step, place["point"])
                series = {"mean": line, "low": line - 0.4, "median": line, "high": line + 0.4}
                writer.append("reach", {"step": step, **place, **series, "decay": self.curves.decay(step), **NO_INTERVAL})
        if step == self.story.steps or step % self.experiment.recording.probe_every == 0:
            self._probe(writer, step)

    def _probe(self, writer: RunWriter, step: int) -> None:
        for place in self._places():
            for example in range(self.variant.examples):
                where = {"step": step, **place, "example": example, "units": self.variant.units}
                array = np.roll(self.curves.activation(step, place["point"]), example, axis=0)
                writer.append("probe", {**where, "gradient": False, "values": array.ravel()})
                if place["point"] in self.cell.states:
                    pull = 10.0 ** self.curves.profile(step, place["point"])[::-1, None] * np.cos(array)
                    writer.append("probe", {**where, "gradient": True, "values": pull.ravel()})

    def _details(self, writer: RunWriter, step: int) -> None:
        """What is looked at during an update: time steps, saturation, parameters."""
        for place in self._places():
            array = self.curves.activation(step, place["point"])
            low = 0.1 if place["point"].startswith("gate.") else -0.9
            shares = {"left": (array < low).mean(axis=0), "right": (array > 0.9).mean(axis=0), "mean": array.mean(axis=0)}
            writer.append("saturation", {"step": step, **place, **shares})
            for quantity, mean in self.curves.series(step, place["point"]).items():
                series = {"mean": mean, "low": 0.8 * mean, "median": mean, "high": 1.2 * mean}
                writer.append("timesteps", {"step": step, **place, "quantity": quantity, **series})
        for name in self.weights:
            blocks = self.cell.blocks if name.startswith("layers.") and not name.endswith("bias_hh") else ("",)
            for index, gate in enumerate(blocks):
                writer.append(
                    "parameters",
                    {
                        "step": step,
                        "parameter": name,
                        "gate": gate,
                        **self._sizes(step, self.weights[name][index] if gate else self.weights[name], index),
                    },
                )

    def _sizes(self, step: int, array: np.ndarray, index: int) -> dict[str, float]:
        done, bad = self.curves.done(step), np.nan if self.curves.bad(step) else 1.0
        weight = float(np.linalg.norm(array)) * (1 + done)
        gradient, update = self.curves.norm(step) / (2 + index), 0.01 * (1 + index) / (1 + step)
        after = min(gradient, self.curves.limit) if self.story.clipped else gradient
        ratio = update / weight if weight else np.inf
        sizes = {
            "weight": weight,
            "gradient_before": gradient,
            "gradient_after": after,
            "update": update,
            "ratio": ratio,
            "distance": done / 2,
        }
        return {key: value * bad for key, value in sizes.items()}
